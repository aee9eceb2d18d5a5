"""Buying a paid add-on: its price first, then the bill and the switch; trying it, taking it off, having it back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import redirect, request

from billing import addon_offers, addon_prices, taxes
from billing.addons import AddonService
from billing.offers import way_back
from billing.permissions import RIGHT
from billing.providers.base import Outcome
from billing.web import sealed, words
from billing.web.views import PAGE, blueprint
from kehu.core import db
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast

BLUEPRINT = blueprint
"""The pages of billing, these among them."""

ADDON = f"{PAGE}/addons/<slug>"


def _back(slug: str, message: str, level: str = "ok") -> Any:
    toast(message, level)
    return redirect(f"/settings/plugins/{slug}", 303)


@blueprint.get(ADDON)
@needs(RIGHT)
def addon(slug: str) -> Any:
    """Show what an add-on costs now and at the next bill, before anything is ordered."""
    return _price_page(slug)


def _price_page(slug: str, message: str = "", status: int = 200) -> Any:
    session = db.session()
    service = AddonService(session)
    service.manifest(slug)
    wish = preview = None
    try:
        wish, preview = service.preview(slug)
    except Conflict as error:
        message = message or str(error.message)
    return render_page(
        "billing/addon.html",
        status=status,
        slug=slug,
        name=addon_prices.name_of(slug),
        offer=addon_offers.offer(session, slug),
        message=message,
        preview=preview,
        tried_until=service.tried_until(slug) if preview is not None and preview.lines else None,
        token=sealed.seal(wish, preview) if wish is not None and preview is not None else "",
        tax_text=taxes.reason(preview.tax_note) if preview is not None else "",
        said=words,
    )


@blueprint.post(ADDON)
@needs(RIGHT)
def addon_buy(slug: str) -> Any:
    """Buy what was shown, and switch it on."""
    service = AddonService(db.session())
    try:
        shown = sealed.unseal(request.form.get("token", ""), service.wish(slug, on=True))
        if shown is None:
            return _price_page(slug, _("Look at the price first, then confirm it."), 422)
        outcome = service.buy(slug, *shown)
    except Conflict as error:
        db.session().rollback()
        return _price_page(slug, str(error.message), 422)
    if outcome.state == "done":
        return _switched(service, slug, _("%(plugin)s is on your bill and switched on.", plugin=_name(slug)))
    return _answer(slug, outcome, "")


@blueprint.post(f"{ADDON}/try")
@needs(RIGHT)
def addon_try(slug: str) -> Any:
    """Begin the days to try, and switch it on."""
    service = AddonService(db.session())
    try:
        service.start_trial(slug)
    except Conflict as error:
        return _back(slug, str(error.message), "bad")
    return _switched(service, slug, _("%(plugin)s is on, free for the days to try.", plugin=_name(slug)))


@blueprint.post(f"{ADDON}/remove")
@needs(RIGHT)
def addon_remove(slug: str) -> Any:
    """Take it off the bill; what is paid stays usable."""
    try:
        outcome = AddonService(db.session()).remove(slug)
    except Conflict as error:
        db.session().rollback()
        return _back(slug, str(error.message), "bad")
    return _answer(slug, outcome, _("Taken off the bill. What is paid stays usable until the period ends."))


@blueprint.post(f"{ADDON}/undo")
@needs(RIGHT)
def addon_undo(slug: str) -> Any:
    """Put it back on the bill while it is paid."""
    try:
        outcome = AddonService(db.session()).undo(slug)
    except Conflict as error:
        db.session().rollback()
        return _back(slug, str(error.message), "bad")
    return _answer(slug, outcome, _("%(plugin)s stays on your bill.", plugin=_name(slug)))


def _name(slug: str) -> str:
    return addon_prices.name_of(slug)


def _answer(slug: str, outcome: Outcome, done: str) -> Any:
    if outcome.state == "refused":
        return _back(slug, outcome.reason, "bad")
    if outcome.url:
        query = urlencode({"next": way_back(f"/settings/plugins/{slug}")})
        return redirect(f"{outcome.url}?{query}", 303)
    return _back(slug, done)


def _switched(service: AddonService, slug: str, done: str) -> Any:
    problem = service.switch_on(slug)
    if problem:
        return _back(slug, _("It is yours, but not on yet: %(why)s", why=problem), "warn")
    return _back(slug, done)
