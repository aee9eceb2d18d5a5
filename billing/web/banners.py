"""The line above every page: where billing needs somebody, and the one next step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from billing import facts, modes, states
from billing.notices import day_of
from billing.permissions import RIGHT
from billing.phases import Phase, Standing
from kehu.core.context import Context
from kehu.core.i18n import _
from kehu.web.shell import Banner
from plugins.results import BillingMode

PAGE = "/settings/billing"
TRIAL_SHOWN = 7
"""Days before the end of a trial from which on it is said."""


def banners(now: Context) -> Iterable[Banner]:
    """Return what stands above the pages of a member: admins get the step, others what concerns them."""
    if now.tenant is None or now.actor is None or modes.mode() is BillingMode.OFF:
        return
    fact = facts.fact_of(now.tenant)
    found = facts.standing_by(fact)
    manages = now.actor.may(RIGHT)
    refusal = states.refusal(found)
    if refusal is not None and found.phase is not Phase.CONFIRMING:
        yield Banner(tone="bad", text=str(refusal), label=_step(found) if manages else "", url=PAGE)
    elif manages:
        yield from _for_admins(found, fact, now.tenant.zone)


def _step(found: Standing) -> str:
    steps = {
        Phase.TRIAL_OVER: _("Choose a plan"),
        Phase.RESTRICTED: _("Pay the invoice"),
        Phase.ENDED: _("Start again"),
        Phase.CLOSED: _("Start again"),
    }
    return steps.get(found.phase, "")


def _for_admins(found: Standing, fact: Any, zone: str) -> Iterable[Banner]:
    date = day_of(found.until, zone)
    if found.phase is Phase.GRACE:
        text = _("A payment failed. All goes on until %(date)s; pay until then.", date=date)
        yield Banner(tone="warn", text=text, label=_("Pay the invoice"), url=PAGE)
    elif found.phase is Phase.CONFIRMING:
        text = _("The first payment is open; until it is made, nothing changes.")
        yield Banner(tone="warn", text=text, label=_("Finish the payment"), url=PAGE)
    elif found.phase is Phase.TRIAL and found.until is not None:
        left = found.until - facts.now_of(fact)
        if left.days < TRIAL_SHOWN:
            text = _("The trial ends on %(date)s.", date=date)
            yield Banner(tone="info", text=text, label=_("Choose a plan"), url=PAGE)
    elif found.ends_on is not None:
        text = _("The subscription is cancelled and ends on %(date)s.", date=day_of(found.ends_on, zone))
        yield Banner(tone="info", text=text, label=_("Let it go on"), url=PAGE)
    if fact.get("over"):
        text = _("Your firm has more people than seats. Add seats, or choose whom to park.")
        yield Banner(tone="warn", text=text, label=_("Choose"), url=f"{PAGE}#people")
