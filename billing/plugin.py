"""How floor 4 joins the platform."""

from __future__ import annotations

import uuid

from flask import Flask

from billing import entitlements, models, modes, states
from billing.stripe import execution, tasks, views, words
from billing.stripe import models as stripe_models
from billing.stripe.gateway import Gateway
from billing.stripe.provider import StripeProvider
from kehu.core import context, hooks
from kehu.core.errors import Forbidden
from plugins.results import BillingMode, BillingState, SeatCheck
from plugins.rules import hookimpl

TABLES = (models.__name__, stripe_models.__name__, tasks.__name__, execution.__name__)
"""Imported with the plugin, so that the metadata of the installation is complete."""

FEATURE = "feature:"
"""Before the name of what a plan brings beyond plugins."""


@hookimpl
def kehu_init_app(app: Flask) -> None:
    """Take the mode and stand at the door of firms that only their owner may enter."""
    settings = app.extensions["kehu.settings"]
    modes.start(settings)
    app.register_blueprint(views.blueprint)
    if modes.mode() is BillingMode.STRIPE:
        gateway = app.extensions[views.EXTENSION] = Gateway.of(settings)
        app.extensions[words.EXTENSION] = StripeProvider(gateway)
        execution.start()
    app.before_request(_door)


def _door() -> None:
    now = context.current()
    if now.tenant is None or now.actor is None or now.actor.role == "owner":
        return
    state = states.state_of(now.tenant)
    if state.owner_only:
        raise Forbidden(str(state.refusal))


def _tenant(tenant_id: uuid.UUID) -> context.TenantInfo | None:
    bound = context.current().tenant
    return bound if bound is not None and bound.id == tenant_id else hooks.tenant_by_id(tenant_id)


@hookimpl
def kehu_billing_state(tenant_id: uuid.UUID) -> BillingState | None:
    """Say where a firm stands; nothing is asked of the database."""
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
def kehu_seat_check(tenant_id: uuid.UUID) -> SeatCheck:
    """Let every member in while nothing is charged."""
    return SeatCheck(allowed=True)
