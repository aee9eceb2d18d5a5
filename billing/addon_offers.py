"""What is said of a paid add-on on its page: what it costs, where it stands, and the one next step."""

from __future__ import annotations

from flask_babel import get_locale
from sqlalchemy.orm import Session

from billing import addon_prices, facts, modes, states
from billing.addons import AddonService
from billing.catalogue import catalogue
from billing.entitlements import Holding, entitled, plugin_entitled
from billing.notices import day_of
from billing.permissions import RIGHT
from billing.phases import Phase
from kehu.core import context
from kehu.core.i18n import _, _n, whole
from kehu.core.money import show
from plugins.addon_offers import AddonOffer, AddonStep
from plugins.manifest import Manifest
from plugins.results import BillingMode

PAGE = "/settings/billing"


def page_of(slug: str) -> str:
    """Return the page on which an add-on is bought."""
    return f"{PAGE}/addons/{slug}"


def offer(session: Session, slug: str) -> AddonOffer | None:
    """Return what an add-on costs the present tenant and what can be done about it; None for one without a price."""
    manifest = addon_prices.sold(slug)
    if manifest is None:
        return None
    service = AddonService(session)
    account = service.accounts.find()
    currency = (
        account.currency if account is not None else catalogue().currency_for(context.tenant().currency)
    )
    running = service.subscription()
    interval = running.interval if running is not None else "month"
    mine = next((one for one in running.addons if one["slug"] == slug), None) if running is not None else None
    version = mine["version"] if mine is not None else manifest.pricing.version
    per = mine["per"] if mine is not None else manifest.pricing.per
    seats = (running.seats if running is not None else account.seats_used if account is not None else 1) or 1
    amount = addon_prices.amount(session, slug, version, interval, currency)
    held = service.holding(manifest)
    row = service.row(slug)
    text, steps = _standing(service, manifest, held, sells=amount is not None)
    times = seats if per == "seat" else 1
    return AddonOffer(
        entitled=plugin_entitled(context.tenant(), slug),
        text=text,
        per=per,
        currency=currency,
        interval=interval,
        amount=amount,
        total=amount * times if amount is not None else None,
        seats=seats,
        until=held.until if held is not None else None,
        trial_until=row.trial_until if row is not None else None,
        trial_days=service.trial_days(manifest),
        steps=steps if _may() else (),
        meters=meters(session, manifest, interval, currency),
    )


def _may() -> bool:
    actor = context.current().actor
    return actor is not None and actor.may(RIGHT)


def meters(session: Session, manifest: Manifest, interval: str, currency: str) -> tuple[str, ...]:
    """Return what is counted and what it costs, a sentence each."""
    version = manifest.pricing.version
    found = addon_prices.meter_prices(session, manifest.slug, version, interval, currency)
    locale = str(get_locale() or context.tenant().locale)
    return tuple(
        _(
            "%(what)s: %(num)s in the price, each further one %(amount)s",
            what=_(meter.label),
            num=whole(found[meter.name].included),
            amount=show(found[meter.name].amount, currency, locale),
        )
        for meter in manifest.pricing.meters
        if meter.name in found
    )


def _standing(
    service: AddonService, manifest: Manifest, held: Holding | None, *, sells: bool
) -> tuple[str, tuple[AddonStep, ...]]:
    """Return where an add-on stands in words, and what can be done."""
    tenant, name = context.tenant(), addon_prices.name_of(manifest.slug)
    found = facts.standing(tenant)
    refusal = states.refusal(found)
    if refusal is not None or found.phase is Phase.HELD:
        return str(refusal), (AddonStep(label=_("Plan and seats"), url=PAGE),)
    if not entitled(tenant, "plugins"):
        text = _("Your plan has no plugins. An owner or admin changes it under Settings, Plan and seats.")
        return text, (AddonStep(label=_("Change the plan"), url=PAGE),)
    if held is not None:
        return source_text(held, name), _steps_of(service, manifest.slug, held)
    return _not_had(service, manifest, name, sells=sells)


def _not_had(
    service: AddonService, manifest: Manifest, name: str, *, sells: bool
) -> tuple[str, tuple[AddonStep, ...]]:
    days, url = service.trial_days(manifest), page_of(manifest.slug)
    steps = []
    if days:
        text = _n(
            "%(plugin)s can be tried for %(num)s day, once and without a card.",
            "%(plugin)s can be tried for %(num)s days, once and without a card.",
            days,
            plugin=name,
        )
        label = _n("Try it for %(num)s day", "Try it for %(num)s days", days)
        steps.append(AddonStep(label=label, url=f"{url}/try", post=True))
    else:
        row = service.row(manifest.slug)
        tried = row is not None and row.trial_until is not None and not row.paid_quantity
        text = (
            _("The days to try %(plugin)s are over.", plugin=name)
            if tried
            else _("%(plugin)s is not on your bill.", plugin=name)
        )
        text += " " + _("Its data, if there is any, is kept and can be exported.")
    if modes.mode() is BillingMode.MANUAL:
        text += " " + _("Whoever runs this installation puts it on your bill. Ask there.")
    elif not sells:
        text += " " + _("It has no price in your currency yet. Ask whoever runs this installation.")
    else:
        text += " " + _("An owner or admin buys it under Settings, Plugins.")
        steps.append(
            AddonStep(label=_("Choose a plan first"), url=PAGE)
            if service.subscription() is None
            else AddonStep(label=_("Look at the price"), url=url)
        )
    return text, tuple(steps)


def _steps_of(service: AddonService, slug: str, held: Holding) -> tuple[AddonStep, ...]:
    url, manual = page_of(slug), modes.mode() is BillingMode.MANUAL
    if not manual and service.on_bill(slug):
        return (AddonStep(label=_("Take it off the bill"), url=f"{url}/remove", post=True),)
    if held.kind == "kept" and not manual:
        return (AddonStep(label=_("Keep it on the bill"), url=f"{url}/undo", post=True),)
    if held.kind == "trial" and not manual:
        if service.subscription() is None:
            return (AddonStep(label=_("Choose a plan first"), url=PAGE),)
        return (AddonStep(label=_("Look at the price"), url=url),)
    return ()


def source_text(held: Holding, name: str) -> str:
    """Return in words where a firm has an add-on from."""
    date = day_of(held.until, context.tenant().zone)
    if held.kind == "override":
        if held.until is None:
            return _("%(plugin)s is given by whoever runs this installation.", plugin=name)
        return _(
            "%(plugin)s is given by whoever runs this installation, until %(date)s.", plugin=name, date=date
        )
    if held.kind == "plan":
        plan = catalogue().plan(held.plan)
        called, version = (plan.name, plan.version) if plan is not None else (held.plan, 1)
        return _(
            "%(plugin)s comes with the plan %(plan)s, version %(num)s.", plugin=name, plan=called, num=version
        )
    if held.kind == "kept":
        return _(
            "%(plugin)s was taken off the bill; it is paid until %(date)s and stays usable until then.",
            plugin=name,
            date=date,
        )
    if held.kind == "trial":
        return _("%(plugin)s is free to try until %(date)s.", plugin=name, date=date)
    return _("%(plugin)s is on the bill of your plan.", plugin=name)
