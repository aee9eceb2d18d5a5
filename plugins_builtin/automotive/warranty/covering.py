"""Coverages for all cars that come with a plan and have none yet: what a firm does after it has brought its cars in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, cast, exists

from kehu.api import Session, _n, actor, and_, clock, func, or_, readable, select, service_for, tenant
from plugins_builtin.automotive.vehicles.fields import VEHICLES
from plugins_builtin.automotive.vehicles.models import Vehicle
from plugins_builtin.automotive.warranty.models import WarrantyPlan
from plugins_builtin.automotive.warranty.plans import PLANS, TERMS, PlanService, coverage_of

AT_ONCE = 500
"""Coverages of one press: it stays one step that can be taken back."""
MOST_PLANS = 20


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A plan, and how many cars come with it that nothing of it covers."""

    plan: Any
    count: int


def waiting(session: Session) -> Sequence[Waiting]:
    """Return the plans by which cars wait to be covered, those of the most cars first."""
    if not (actor().may(f"{TERMS}:write") and actor().may(f"{PLANS}:read")):
        return ()
    count = func.count(Vehicle.id)
    statement = (
        select(WarrantyPlan, count)
        .join(Vehicle, _comes_with(session))
        .where(WarrantyPlan.tenant_id == tenant().id, readable(PLANS))
        .group_by(WarrantyPlan)
        .order_by(count.desc(), WarrantyPlan.id)
        .limit(MOST_PLANS)
    )
    return [Waiting(plan=plan, count=number) for plan, number in session.execute(statement)]


def cover(session: Session, plan_id: object) -> tuple[WarrantyPlan, int]:
    """Cover the cars that come with a plan, and return for how many; more than 500 wait for the next time."""
    # Two who press at once: the second waits for the first and then sees what is covered.
    plan = PlanService(session).get(plan_id, lock=True)
    statement = (
        select(Vehicle)
        .join(WarrantyPlan, _comes_with(session))
        .where(WarrantyPlan.tenant_id == tenant().id, WarrantyPlan.id == plan.id)
        .order_by(Vehicle.id)
        .limit(AT_ONCE)
    )
    rows = [_values(plan, car) for car in session.execute(statement).scalars()]
    made = service_for(TERMS, session).create_many(rows) if rows else []
    return plan, sum(one.record is not None for one in made)


def _values(plan: WarrantyPlan, car: Vehicle) -> Mapping[str, Any]:
    assert car.in_service_on is not None
    return coverage_of(plan, car.owned_item_id, car.in_service_on)


def _comes_with(session: Session) -> Any:
    """Return the condition between cars and plans: make, model and day fit, the time runs, nothing of it is there."""
    term: Any = service_for(TERMS, session).type.model
    plan, car = WarrantyPlan, Vehicle
    today: dt.date = clock.today(tenant().tz)
    return and_(
        car.tenant_id == plan.tenant_id,
        readable(VEHICLES),
        car.owned_item_id.is_not(None),
        func.starts_with(car.name_norm, plan.make_norm + " "),
        or_(plan.model.is_(None), plan.model == car.model),
        or_(plan.from_on.is_(None), plan.from_on <= car.in_service_on),
        or_(plan.until_on.is_(None), plan.until_on >= car.in_service_on),
        car.in_service_on + func.make_interval(0, cast(plan.months, Integer)) > today,
        ~exists().where(
            term.tenant_id == plan.tenant_id,
            term.item_id == car.owned_item_id,
            term.name == plan.name,
            term.deleted_at.is_(None),
        ),
    )


def told(plan: WarrantyPlan, count: int) -> str:
    """Say what was done."""
    return _n(
        "“%(name)s” covers %(num)s car more", "“%(name)s” covers %(num)s cars more", count, name=plan.name
    )
