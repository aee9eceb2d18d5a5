"""How floor 4 joins the platform."""

from __future__ import annotations

import uuid

from flask import Flask, request

from billing import (
    addon_offers,
    addons,
    entitlements,
    kinds,
    limit,
    models,
    modes,
    offers,
    permissions,
    states,
    tasks,
)
from billing.seats import SeatService
from billing.stripe import execution, metering, refusals
from billing.stripe import models as stripe_models
from billing.stripe import tasks as stripe_tasks
from billing.stripe import views as stripe_views
from billing.stripe import words as stripe_words
from billing.stripe.gateway import Gateway
from billing.stripe.provider import StripeProvider
from kehu.core import context, db, hooks
from kehu.core.errors import Forbidden
from kehu.watch import checks
from kehu.web.shell import shell_of
from plugins.addon_offers import AddonOffer
from plugins.results import BillingMode, BillingState, PriceList, SeatCheck, SeatOffer
from plugins.rules import hookimpl

TABLES = (
    models.__name__,
    kinds.__name__,
    stripe_models.__name__,
    refusals.__name__,
    stripe_tasks.__name__,
    execution.__name__,
    metering.__name__,
    addons.__name__,
)
"""Imported with the plugin, so that the metadata of the installation is complete."""
models.leave_out_of_archives()

RIGHT = permissions.RIGHT
FEATURE = "feature:"
"""Before the name of what a plan brings beyond plugins."""


@hookimpl
def kehu_init_app(app: Flask) -> None:
    """Take the mode and stand at the door of firms that only their owner may enter."""
    settings = app.extensions["kehu.settings"]
    modes.start(settings)
    tasks.start()
    checks.forbid("billing", kinds.check)
    stripe_views.install(app)
    if modes.mode() is BillingMode.STRIPE:
        gateway = app.extensions[stripe_views.EXTENSION] = Gateway.of(settings)
        app.extensions[stripe_words.EXTENSION] = StripeProvider(gateway)
        execution.start()
        metering.start()
    # Its module registers a page of the settings, which only an application has.
    from billing.console import joining
    from billing.stripe import pages
    from billing.web import addon_views, banners

    app.register_blueprint(addon_views.BLUEPRINT)
    app.register_blueprint(pages.blueprint)
    joining.join(app)
    shell_of(app).banners.append(banners.banners)
    app.before_request(_door)


def _door() -> None:
    now = context.current()
    if (
        now.tenant is None
        or now.actor is None
        or now.actor.role == "owner"
        or request.blueprint == "accounts"
    ):
        return  # Signing out and one's own account are nobody else's business.
    state = states.state_of(now.tenant)
    if state.owner_only:
        raise Forbidden(str(state.refusal))


def _tenant(tenant_id: uuid.UUID) -> context.TenantInfo | None:
    bound = context.current().tenant
    return bound if bound is not None and bound.id == tenant_id else hooks.tenant_by_id(tenant_id)


@hookimpl
def kehu_billing_state(tenant_id: uuid.UUID) -> BillingState | None:
    """Say where a firm stands; nothing is asked of the database."""
    if modes.mode() is BillingMode.OFF:
        return states.OFF
    tenant = _tenant(tenant_id)
    return states.state_of(tenant) if tenant is not None else None


@hookimpl
def kehu_entitled(tenant_id: uuid.UUID, slug: str) -> bool:
    """Say whether a firm may have a plugin, or a feature of a plan."""
    tenant = _tenant(tenant_id)
    if tenant is None:
        return False
    if slug.startswith(FEATURE):
        return entitlements.entitled(tenant, slug.removeprefix(FEATURE))
    return entitlements.plugin_entitled(tenant, slug)


@hookimpl
def kehu_addon_offer(tenant_id: uuid.UUID, slug: str) -> AddonOffer | None:
    """Say what an add-on costs and where it stands, where anything is charged."""
    assert context.tenant().id == tenant_id
    return addon_offers.offer(db.session(), slug) if modes.mode() is not BillingMode.OFF else None


@hookimpl
def kehu_seat_check(tenant_id: uuid.UUID, way: str, viewer: bool) -> SeatCheck:
    """Say whether one more fits; while billing is off, as many as the operator allows."""
    assert context.tenant().id == tenant_id
    if modes.mode() is BillingMode.OFF:
        return limit.check(db.session(), way, viewer=viewer)
    return SeatService(db.session()).check(way, viewer=viewer)


@hookimpl
def kehu_price_list(currency: str) -> PriceList | None:
    """Say what the plans cost, where anything is charged."""
    return offers.price_list(currency) if modes.mode() is not BillingMode.OFF else None


@hookimpl
def kehu_seat_offer(tenant_id: uuid.UUID) -> SeatOffer | None:
    """Say what one more member costs."""
    return offers.seat_offer(db.session()) if modes.mode() is not BillingMode.OFF else None


@hookimpl
def kehu_take_seat(tenant_id: uuid.UUID, member_id: uuid.UUID, way: str) -> bool:
    """Bring a member's seat up to date."""
    assert context.tenant().id == tenant_id
    if modes.mode() is not BillingMode.OFF:
        SeatService(db.session()).take_seat(member_id, way)
    return True
