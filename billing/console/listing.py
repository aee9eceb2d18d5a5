"""Phase, plan and seats in the list of firms."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from billing import modes
from billing.catalogue import catalogue
from billing.models import Account, Subscription
from billing.phases import Phase
from billing.web import words
from kehu.core.i18n import _l
from plugins.results import BillingMode
from tenants.console.registry import Cell, Columns, Filter, add
from tenants.models import Tenant


def billed() -> bool:
    """Tell whether anything is billed here."""
    return modes.mode() is not BillingMode.OFF


def cells(session: Session, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Mapping[str, Cell]]:
    """Return phase, plan and seats; firms that need no account yet have none.

    The phase is the one that was kept when something changed last: time alone can have moved it on since.
    """
    statement = (
        select(Account.tenant_id, Account.phase, Account.seats_used, Account.seats_billed, Subscription.plan)
        .outerjoin(
            Subscription, and_(Subscription.tenant_id == Account.tenant_id, Subscription.live.is_(True))
        )
        .where(Account.tenant_id.in_(ids))
    )
    found = {}
    for row in session.execute(statement):
        name, tone = words.PHASES[Phase(row.phase)]
        found[row.tenant_id] = {
            "phase": Cell(text=str(name), tone=tone),
            "plan": Cell(text=words.plan_name(row.plan) or "–"),
            "seats": Cell(text=f"{row.seats_used} / {row.seats_billed}"),
        }
    return found


def _phases() -> Sequence[tuple[str, str]]:
    return [
        (phase.value, str(name)) for phase, (name, _tone) in words.PHASES.items() if phase is not Phase.OFF
    ]


def _in_phase(value: str) -> ColumnElement[bool]:
    return exists().where(Account.tenant_id == Tenant.id, Account.phase == value)


def _plans() -> Sequence[tuple[str, str]]:
    return [(ref, f"{plan.name} v{plan.version}") for ref, plan in catalogue().plans.items()]


def _on_plan(value: str) -> ColumnElement[bool]:
    return exists().where(
        Subscription.tenant_id == Tenant.id, Subscription.live.is_(True), Subscription.plan == value
    )


def join() -> None:
    """Put these columns and filters into the console."""
    add(
        Columns(
            key="billing",
            heads={
                "phase": (_l("Phase"), False),
                "plan": (_l("Plan of the firm"), False),
                "seats": (_l("Seats used / billed"), True),
            },
            cells=cells,
            offered=billed,
        ),
        Filter(key="phase", label=_l("Phase"), options=_phases, condition=_in_phase, offered=billed),
        Filter(key="plan", label=_l("Plan of the firm"), options=_plans, condition=_on_plan, offered=billed),
    )
