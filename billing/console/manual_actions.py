"""What operators do in the mode manual: plan and seats, payments, ends. In every mode: another version of the plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from billing import facts, modes
from billing.catalogue import catalogue
from billing.console.actions import end_of
from billing.console.listing import billed
from billing.manual import ManualService
from billing.purchases import PurchaseService
from billing.web import words
from kehu.core import clock
from kehu.core.context import TenantInfo
from kehu.core.i18n import _, _l
from plugins.results import BillingMode
from tenants.console.registry import REASON, Action, Field, add


def by_hand() -> bool:
    """Tell whether the operator bills by bank transfer."""
    return modes.mode() is BillingMode.MANUAL


def _plans() -> Sequence[tuple[str, str]]:
    return [(plan.key, plan.name) for plan in catalogue().newest()]


def _versions() -> Sequence[tuple[str, str]]:
    return [(ref, f"{plan.name} v{plan.version}") for ref, plan in catalogue().plans.items()]


def _intervals() -> Sequence[tuple[str, str]]:
    return [(key, str(name)) for key, name in words.INTERVALS.items()]


def _runs(tenant: TenantInfo) -> bool:
    return bool(facts.fact_of(tenant).get("status"))


def set_plan(session: Session, values: Mapping[str, str]) -> str:
    """Let the firm have plan and seats from now on."""
    until = end_of(values["until"])
    found = ManualService(session).set_plan(
        values["plan"], values["interval"], int(values["seats"]), values[REASON], until
    )
    return _("The plan is set; the phase is “%(phase)s”.", phase=words.PHASES[found.phase][0])


def set_version(session: Session, values: Mapping[str, str]) -> str:
    """Let the firm have another version of a plan, with its interval and seats."""
    found = PurchaseService(session).set_version(values["version"], values[REASON])
    if found.state == "refused":
        return found.reason
    return _("The version of the plan is set.")


def paid(session: Session, values: Mapping[str, str]) -> str:
    """Note a payment."""
    day = dt.date.fromisoformat(values["on"]) if values["on"] else clock.now().date()
    at = min(dt.datetime.combine(day, dt.time(12), dt.UTC), clock.now())
    found = ManualService(session).paid(values["number"], at, values[REASON])
    return _(
        "%(number)s is paid; the phase is “%(phase)s”.",
        number=values["number"],
        phase=words.PHASES[found.phase][0],
    )


def void(session: Session, values: Mapping[str, str]) -> str:
    """Call an open invoice off."""
    ManualService(session).void(values["number"], values[REASON])
    return _("%(number)s is void; its number stays used.", number=values["number"])


def end(session: Session, values: Mapping[str, str]) -> str:
    """End the subscription with its period."""
    ManualService(session).end(values[REASON])
    return _("The subscription ends with its period.")


_NUMBER = Field(name="number", label=_l("Number of the invoice"))


def join() -> None:
    """Put these acts into the console."""
    add(
        Action(
            key="plan",
            label=_l("Set plan and seats"),
            text=_l("From now on; an invoice is written for what is more than before."),
            run=set_plan,
            fields=(
                Field(name="plan", label=_l("Plan of the firm"), kind="select", options=_plans),
                Field(name="interval", label=_l("Paid"), kind="select", options=_intervals),
                Field(name="seats", label=_l("Seats"), kind="number"),
                Field(
                    name="until",
                    label=_l("Paid until"),
                    kind="date",
                    required=False,
                    help=_l("The last day of the present period; a month or a year from now without one."),
                ),
            ),
            order=20,
            offered=by_hand,
        ),
        Action(
            key="paid",
            label=_l("Note a payment"),
            text=_l("Writing works again at once."),
            run=paid,
            fields=(
                _NUMBER,
                Field(
                    name="on", label=_l("On"), kind="date", required=False, help=_l("Today without a day.")
                ),
            ),
            order=21,
            offered=by_hand,
        ),
        Action(
            key="void",
            label=_l("Call an invoice off"),
            text=_l("Only one that is open; its number stays used."),
            run=void,
            fields=(_NUMBER,),
            danger=True,
            order=22,
            offered=by_hand,
        ),
        Action(
            key="end",
            label=_l("End the subscription"),
            text=_l("With its period; until then all goes on."),
            run=end,
            danger=True,
            order=75,
            offered=by_hand,
            fits=_runs,
        ),
        Action(
            key="version",
            label=_l("Set the version of the plan"),
            text=_l("Interval and seats stay; the difference in price is charged as for a change of plan."),
            run=set_version,
            fields=(Field(name="version", label=_l("Version"), kind="select", options=_versions),),
            order=30,
            offered=billed,
            fits=_runs,
        ),
    )
