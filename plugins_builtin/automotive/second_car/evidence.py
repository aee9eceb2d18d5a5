"""What is known of a household: what people said, and what its members tell by being there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kehu.api import Mate, Session, func, household_mates, select, tenant
from plugins_builtin.automotive.second_car.model import SHIPPED, Evidence, Score, Weights, score
from plugins_builtin.automotive.second_car.models import SecondCar, SecondCarWeights
from plugins_builtin.automotive.second_car.words import INCOME_OF
from plugins_builtin.automotive.vehicles.models import Vehicle

SAID = {"yes": True, "no": False}


@dataclass(frozen=True, kw_only=True)
class Home:
    """Who lives in a household, and how many cars are known there."""

    mates: Sequence[Mate]
    cars: int


def weights(session: Session) -> Weights:
    """Return the weights that hold: the latest fit of the firm, else the shipped ones."""
    statement = (
        select(SecondCarWeights.weights)
        .where(SecondCarWeights.tenant_id == tenant().id)
        .order_by(SecondCarWeights.made_at.desc())
        .limit(1)
    )
    found = session.execute(statement).scalar()
    return Weights(**found) if found else SHIPPED


def homes(session: Session, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Home]:
    """Return the households of customers, in two statements."""
    mates = household_mates(session, customer_ids)
    everybody = {mate.customer_id for there in mates.values() for mate in there}
    statement = (
        select(Vehicle.customer_id, func.count().label("cars"))
        .where(Vehicle.customer_id.in_(everybody), Vehicle.deleted_at.is_(None))
        .group_by(Vehicle.customer_id)
    )
    cars = {row.customer_id: row.cars for row in session.execute(statement)} if everybody else {}
    return {
        one: Home(mates=there, cars=sum(cars.get(mate.customer_id, 0) for mate in there))
        for one, there in mates.items()
    }


def evidence(said: SecondCar | None, mates: Sequence[Mate]) -> Evidence:
    """Return what the model takes: what was said, completed by who is kept as a member of the household."""
    seen = len(mates) if len(mates) > 1 else None
    child = SAID.get(said.child or "") if said else None
    if child is None and any(mate.role == "child" for mate in mates):
        child = True
    if said is None:
        return Evidence(people=seen, child=child)
    return Evidence(
        drivers=said.drivers,
        workers=said.workers,
        people=max((one for one in (said.people, seen) if one is not None), default=None),
        child=child,
        income=INCOME_OF.get(said.income or ""),
        owner=SAID.get(said.home_owner or ""),
        rural=SAID.get(said.rural or ""),
    )


def rate(rows: Iterable[SecondCar], there: Mapping[uuid.UUID, Home], by: Weights) -> dict[uuid.UUID, Score]:
    """Return the scores of rows by their ids."""
    return {one.id: score(evidence(one, there[one.customer_id].mates), by) for one in rows}
