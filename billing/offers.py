"""What is said before somebody is invited: how many seats are taken, and what one more costs."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from billing import facts, modes
from billing.accounts import AccountService
from billing.catalogue import catalogue
from billing.phases import Buy
from billing.seats import SeatService
from billing.web.words import features_of
from kehu.core import context
from kehu.core.i18n import _, _n
from kehu.core.money import show
from plugins.results import BillingMode, PlanOffer, PriceList, SeatOffer

INVITE = "/settings/members/invite?again=1"
"""Where an invitation goes on with what was typed before the seats ran out."""

ADDON_PAGE = re.compile(r"/settings/plugins/[a-z][a-z0-9_]*")


def way_back(target: str) -> str:
    """Return where to go on after an order: back to an invitation that waits or an add-on's page, nowhere else."""
    return target if target == INVITE or ADDON_PAGE.fullmatch(target) else ""


def price_list(currency: str) -> PriceList:
    """Return the newest plans in a currency of the catalogue, and what all may try first."""
    chosen, trial = catalogue().currency_for(currency), catalogue().trial
    note = _n(
        "Every firm tries %(plan)s for %(num)s day first, with %(seats)s seats and without a card.",
        "Every firm tries %(plan)s for %(num)s days first, with %(seats)s seats and without a card.",
        trial.days,
        plan=plan_name(trial.plan),
        seats=trial.seats,
    )
    if modes.mode() is BillingMode.DEMO:
        note = f"{_('Demo: no money moves. Amounts are examples.')} {note}"
    plans = tuple(
        PlanOffer(
            name=plan.name,
            summary=plan.summary,
            month=plan.price("month", chosen),
            year=plan.price("year", chosen),
            features=tuple(features_of(plan)),
        )
        for plan in catalogue().newest()
    )
    return PriceList(currency=chosen, plans=plans, note=note)


def plan_name(key: str) -> str:
    """Return what people call a plan by its key."""
    found = catalogue().current(key)
    return found.name if found is not None else key


def seat_offer(session: Session) -> SeatOffer:
    """Return what an invitation costs the present tenant."""
    account = AccountService(session).find() or SeatService(session).locked()
    used, cap = account.seats_used, account.seats_cap
    if used < cap:
        text = _n(
            "%(used)s of %(num)s seat are taken; this invitation takes one and costs nothing more.",
            "%(used)s of %(num)s seats are taken; this invitation takes one and costs nothing more.",
            cap,
            used=used,
        )
        return SeatOffer(note=text)
    fact = facts.fact_of(context.tenant())
    plan, subscription = facts.plan_of(fact), AccountService(session).subscription()
    interval = subscription.interval if subscription is not None else "month"
    if plan is None or facts.standing(context.tenant()).access.buy is not Buy.YES:
        return SeatOffer(
            note=_("All seats are taken. Viewers, who only read, can still be invited."), full=True
        )
    price = show(plan.price(interval, account.currency), account.currency, context.tenant().locale)
    text = (
        _("All seats are taken. One more costs %(price)s a month without tax; viewers are free.", price=price)
        if interval == "month"
        else _(
            "All seats are taken. One more costs %(price)s a year without tax; viewers are free.", price=price
        )
    )
    seats = max(cap + 1, plan.minimum_seats)
    query = urlencode({"plan": plan.key, "interval": interval, "seats": seats, "next": INVITE})
    return SeatOffer(note=text, full=True, label=_("Add a seat"), url=f"/settings/billing/plan?{query}")
