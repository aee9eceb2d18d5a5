"""The first page inside, and the settings of the firm itself."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, redirect, request
from flask_babel import get_locale

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import LOCALES, _, _n
from kehu.web.access import needs, signed_in
from kehu.web.render import render_page
from kehu.web.shell import shell_of
from kehu.web.toasts import toast
from tenants import checklist, example, places, trades
from tenants.services import TenantService
from tenants.views import blueprint


@blueprint.get("/start")
@signed_in
def start() -> Any:
    """Ask the trade, then show the first steps."""
    tenant, actor = context.tenant(), context.actor()
    done = checklist.done_steps()
    trade = tenant.settings.get("trade", "")
    steps = [
        {
            "key": step.key,
            "title": step.title,
            "text": step.text,
            "action": step.action,
            "url": step.url,
            "done": step.key in done,
            "by_hand": step.key in ("plugins", "pipeline"),
        }
        for step in checklist.STEPS
        if actor.may(step.permission)
    ]
    suggestion = trades.suggested_plugin(trade)
    return render_page(
        "tenants/start.html",
        steps=steps,
        finished=len(done) >= len(checklist.STEPS),
        trade=trade,
        trade_name=trades.TRADES.get(trade, ""),
        ask_trade=(not trade or "again" in request.args) and actor.may("settings:manage"),
        trades=list(trades.TRADES.items()),
        suggestion=suggestion if suggestion is not None and suggestion.slug not in tenant.plugins else None,
        may_plugins=actor.may("plugins:manage"),
        example=example.loaded() is not None,
        offer_example="customers" not in done and actor.may("settings:manage"),
    )


@blueprint.post("/start/trade")
@needs("settings:manage")
def choose_trade() -> Any:
    """Keep the trade."""
    trade = request.form.get("trade", "")
    TenantService(db.session()).set_trade(trade if trade in trades.TRADES else "other")
    return redirect("/start", 303)


@blueprint.post("/start/mark/<key>")
@needs("settings:manage")
def mark(key: str) -> Any:
    """Take a step as done."""
    checklist.mark(key)
    return redirect("/start", 303)


@blueprint.post("/start/example")
@needs("settings:manage")
def load_example() -> Any:
    """Fill the firm with example data."""
    example.ExampleService(db.session()).load()
    toast(_("The example data is here. Look around; one click takes it away."))
    return redirect("/start", 303)


@blueprint.post("/start/example/remove")
@needs("settings:manage")
def remove_example() -> Any:
    """Take the example data away."""
    gone = example.ExampleService(db.session()).remove()
    toast(_n("%(num)s example record is in the trash.", "%(num)s example records are in the trash.", gone))
    return redirect("/settings/firm" if request.form.get("back") == "/settings/firm" else "/start", 303)


@blueprint.post("/start/finish")
@needs("settings:manage")
def finish() -> Any:
    """Show the first steps no more."""
    checklist.finish()
    toast(_("The first steps are put away. Everything stands under Settings."))
    return redirect("/", 303)


# --- settings of the firm ---------------------------------------------------------------------------------


def _firm_page(status: int = 200, errors: dict[str, list[str]] | None = None) -> Response:
    locale, tenant = str(get_locale() or "en"), context.tenant()
    known = {key: getattr(tenant, key) for key in ("name", "country", "currency", "zone", "locale")}
    return render_page(
        "tenants/firm.html",
        status=status,
        errors=errors or {},
        values={**known, **request.form.to_dict()},
        address=tenant.address,
        example=example.loaded() is not None,
        countries=places.countries(locale),
        currencies=places.currencies(locale),
        zones=[(zone, zone.replace("_", " ")) for zone in places.zones()],
        languages=list(LOCALES.items()),
    )


@blueprint.get("/settings/firm")
@needs("settings:manage")
def firm() -> Any:
    """Show name, country, currency, zone and language."""
    return _firm_page()


@blueprint.post("/settings/firm")
@needs("settings:manage")
def firm_post() -> Any:
    """Change them."""
    try:
        TenantService(db.session()).change(request.form.to_dict())
    except InvalidInput as error:
        return _firm_page(422, error.fields)
    toast(_("The firm's settings are saved."))
    return redirect("/settings/firm", 303)


def join(app: Flask) -> None:
    """Put the first steps into the side bar."""
    shell_of(app).checklist = checklist.in_side_bar
