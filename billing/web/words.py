"""What people read of phases, seats, changes and papers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from billing import addon_prices, coupons, facts
from billing.catalogue import FEATURES, Plan, catalogue
from billing.notices import day_of
from billing.phases import Phase
from kehu.core.i18n import _, _l, _n

PHASES: Mapping[Phase, tuple[Any, str]] = {
    Phase.OFF: (_l("Off"), ""),
    Phase.TRIAL: (_l("Trial"), "info"),
    Phase.TRIAL_OVER: (_l("Trial over"), "warn"),
    Phase.CONFIRMING: (_l("First payment open"), "warn"),
    Phase.ACTIVE: (_l("Active"), "ok"),
    Phase.GRACE: (_l("Payment failed"), "warn"),
    Phase.RESTRICTED: (_l("Reading only"), "bad"),
    Phase.ENDED: (_l("Ended"), "bad"),
    Phase.CLOSED: (_l("Closed"), "bad"),
    Phase.HELD: (_l("On hold"), "bad"),
}
"""Phase -> its name and the tone of its badge."""

SEAT_STATES: Mapping[str, tuple[Any, str]] = {
    "active": (_l("Holds a seat"), "ok"),
    "reserved": (_l("Invited"), "info"),
    "parked": (_l("Parked"), ""),
}

INVOICE_STATES: Mapping[str, tuple[Any, str]] = {
    "open": (_l("Not paid yet"), "warn"),
    "paid": (_l("Paid"), "ok"),
    "void": (_l("Void"), ""),
    "uncollectible": (_l("Given up"), "bad"),
    "draft": (_l("Draft"), ""),
}

TAX_ID_STATES: Mapping[str, tuple[Any, str, Any]] = {
    "": (_l("None"), "", ""),
    "pending": (
        _l("Being checked"),
        "info",
        _l("Tax is charged until it is verified; later bills have none."),
    ),
    "verified": (_l("Verified"), "ok", _l("Where the recipient owes the tax, none is charged.")),
    "unverified": (_l("Not found"), "bad", _l("The register does not know this number, so tax is charged.")),
    "invalid": (_l("Refused"), "bad", _l("Stripe does not take this number for your country. Correct it.")),
    "unavailable": (_l("Can't be checked"), "", _l("Nobody checks numbers of your country; tax is charged.")),
}
"""How a tax id stands -> its name, the tone of its badge, and what follows."""

REFUND_STATES: Mapping[str, tuple[Any, str]] = {
    "pending": (_l("On its way"), "info"),
    "requires_action": (_l("On its way"), "info"),
    "succeeded": (_l("Paid back"), "ok"),
    "failed": (_l("Failed"), "bad"),
    "canceled": (_l("Cancelled"), ""),
}

_OPERATOR = (
    ("plan", _l("The operator set the plan")),
    ("version", _l("The operator set the version of the plan")),
    ("paid", _l("Payment noted")),
    ("bill", _l("The operator wrote an invoice")),
    ("void", _l("Invoice called off")),
    ("end", _l("The operator ended the subscription")),
    ("addon", _l("The operator changed an add-on")),
)

_SIMPLE: Mapping[str, Any] = {
    "held": _l("The firm was put on hold"),
    "released": _l("Hold taken back"),
    "details": _l("What stands on invoices was changed"),
    "override": _l("Features changed by the operator"),
    "begun_anew": _l("Billing begins anew"),
    "kept": _l("The present plan stays"),
}
"""Entries of the trail that say all by their name."""

INTERVALS: Mapping[str, Any] = {"month": _l("Monthly"), "year": _l("Yearly")}

REASONS: Mapping[str, Any] = {
    "begin": _l("Was in the firm already"),
    "invite": _l("Invited"),
    "resend": _l("Invited again"),
    "accept": _l("Joined"),
    "park": _l("Parked"),
    "unpark": _l("Back from parking"),
    "widen": _l("Got a role that writes"),
    "narrow": _l("Got a role that only reads"),
    "lapse": _l("Invitation lapsed"),
    "recount": _l("Mended by the count"),
    "subscription": _l("Number of seats"),
}


def plan_name(ref: str | None) -> str:
    """Return what people call a plan by what rows hold of it."""
    found = catalogue().plan(ref)
    return found.name if found is not None else (ref or "")


def line_text(line: Mapping[str, Any]) -> str:
    """Return a line of a preview or an invoice in words."""
    if line["code"] in ADDON_LINES:
        return _addon_line(line)
    if line["code"] == "text":
        return str(line["plan"])
    if line["code"] == "discount":
        return _("Coupon %(code)s: %(percent)s %% off", code=line["plan"], percent=line["seats"])
    plan, seats = plan_name(line["plan"]), int(line["seats"])
    if line["code"] == "more_seats":
        return _n(
            "%(plan)s: %(num)s more seat for the rest of the period",
            "%(plan)s: %(num)s more seats for the rest of the period",
            seats,
            plan=plan,
        )
    if line["code"] == "unused":
        return _("%(plan)s: what was paid and is not used", plan=plan)
    return _n("%(plan)s: %(num)s seat", "%(plan)s: %(num)s seats", seats, plan=plan)


def coupon_text(held: Mapping[str, Any] | None, now: dt.datetime, zone: str) -> str:
    """Return a coupon that a subscription holds in words, while it takes something off."""
    percent = coupons.percent(held, now)
    if not held or not percent:
        return ""
    until = facts.moment(held["until"])
    if until is None:
        return _("%(code)s: %(percent)s %% off", code=held["code"], percent=percent)
    return _(
        "%(code)s: %(percent)s %% off until %(date)s",
        code=held["code"],
        percent=percent,
        date=day_of(until, zone),
    )


ADDON_LINES = ("addon", "more_addon", "unused_addon", "meter")


def _addon_line(line: Mapping[str, Any]) -> str:
    """Return the line of an add-on in words; a meter's names its slug and meter."""
    slug, _colon, meter = str(line["plan"]).partition(":")
    plan, count = addon_prices.name_of(slug), int(line["seats"])
    if line["code"] == "meter":
        what = meter_name(slug, meter)
        return _("%(plugin)s, %(what)s: %(num)s more than is in the price", plugin=plan, what=what, num=count)
    if line["code"] == "unused_addon":
        return _("%(plan)s: what was paid and is not used", plan=plan)
    if line["code"] == "more_addon":
        return _n(
            "%(plan)s: %(num)s more seat for the rest of the period",
            "%(plan)s: %(num)s more seats for the rest of the period",
            count,
            plan=plan,
        )
    if count == 1:
        return _("Add-on %(plugin)s", plugin=plan)
    return _n("Add-on %(plugin)s: %(num)s seat", "Add-on %(plugin)s: %(num)s seats", count, plugin=plan)


def meter_name(slug: str, name: str) -> str:
    """Return what people call what is counted."""
    manifest = addon_prices.manifest_of(slug)
    labels = {one.name: one.label for one in manifest.pricing.meters} if manifest is not None else {}
    return _(labels[name]) if name in labels else name


def change_text(action: str, changes: Mapping[str, Any]) -> str:
    """Return an entry of the trail of billing in words; nothing for one that only repeats another."""
    if action in _SIMPLE:
        return str(_SIMPLE[action])
    if action == "phase":
        return _("Phase: %(after)s", after=str(PHASES[Phase(changes["phase"][1])][0]))
    if action == "called_off":
        return _("The smaller plan was called off: %(reason)s", reason=changes["reason"][1])
    if action == "waits":
        return _("From the end of the period on: plan %(name)s", name=plan_name(changes["plan"][1]))
    if action in ("credit", "refund", "dispute", "operator", "trial"):
        return _operator_text(action, changes)
    if action == "addon_trial":
        return _("Days to try begun: %(plugin)s", plugin=", ".join(map(addon_prices.name_of, changes)))
    if action == "tax_id":
        return _("Tax id: %(state)s", state=str(TAX_ID_STATES[changes["state"][1]][0]))
    parts = _subscription_parts(changes)
    # A status alone says nothing that the phase beside it doesn't say in words.
    return _("Subscription: %(what)s", what=", ".join(parts)) if parts else ""


def _subscription_parts(changes: Mapping[str, Any]) -> list[str]:
    """Return what changed of a subscription, a word or two each."""
    parts = []
    if "plan" in changes:
        parts.append(_("plan %(name)s", name=plan_name(changes["plan"][1])))
    if "seats" in changes:
        parts.append(_n("%(num)s seat", "%(num)s seats", int(changes["seats"][1] or 0)))
    if "addons" in changes:
        names = ", ".join(map(addon_prices.name_of, changes["addons"][1]))
        parts.append(_("add-ons %(names)s", names=names) if names else _("no add-ons"))
    if "interval" in changes and changes["interval"][0]:
        parts.append(str(INTERVALS[changes["interval"][1]]))
    if "cancel_at" in changes:
        parts.append(_("cancelled") if changes["cancel_at"][1] else _("goes on"))
    return parts


def _operator_text(action: str, changes: Mapping[str, Any]) -> str:
    """Return what the operator did, or what a bank made of a payment."""
    if action in ("credit", "refund"):
        text = _("Credited") if action == "credit" else _("Paid back")
        return f"{text}: {changes['amount'][1]}, {changes['invoice'][1]} ({changes['reason'][1]})"
    if action == "dispute":
        return _("A dispute about a payment was lost; the subscription ends")
    if action == "trial":
        return _("The operator extended the trial")
    what, said = next(iter(changes.items()))
    text = str(dict(_OPERATOR).get(what, what))
    return f"{text}: {said[0]} ({said[1]})" if said[0] else f"{text} ({said[1]})"


def features_of(plan: Plan) -> list[str]:
    """Return what a plan brings, a line each."""
    return [feature_text(key, value) for key, value in plan.features.items() if value]


def feature_name(key: str) -> str:
    """Return what people call a feature."""
    return str(FEATURES.get(key, key))


def feature_text(key: str, value: bool | int) -> str:
    """Return a feature in words."""
    name = feature_name(key)
    if isinstance(value, bool):
        return name
    return _("%(feature)s: up to %(most)s", feature=name, most=value)
