"""What is known of a household: what people said, and what its members tell by being there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false

from kehu.api import Mate, Session, among, and_, clock, func, household_mates, or_, select, tenant
from plugins_builtin.automotive.second_car.model import SHIPPED, Evidence, Score, Weights, score
from plugins_builtin.automotive.second_car.models import SecondCar, SecondCarWeights
from plugins_builtin.automotive.second_car.words import INCOME_OF
from plugins_builtin.automotive.vehicles.models import Vehicle, VehicleParty

SAID = {"yes": True, "no": False}
SILENT_DAYS = 730
"""A car of which nothing was heard for so long may have been sold elsewhere; it counts no more."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """Who lives in a household, how many cars are known there, and how many drivers of theirs."""

    mates: Sequence[Mate]
    cars: int = 0
    drivers: int = 0


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
    cars = _cars(session, everybody) if everybody else {}
    found = {}
    for one, there in mates.items():
        mine = [cars[mate.customer_id] for mate in there if mate.customer_id in cars]
        drivers = {driver for row in mine for driver in row.drivers or ()}
        found[one] = Home(mates=there, cars=sum(row.cars for row in mine), drivers=len(drivers))
    return found


def _cars(session: Session, customer_ids: set[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """Return how many cars each has that still give a sign of life, and who drives them."""
    statement = (
        select(
            Vehicle.customer_id,
            func.count(Vehicle.id.distinct()).label("cars"),
            func.array_agg(func.coalesce(VehicleParty.contact_id, VehicleParty.customer_id).distinct())
            .filter(VehicleParty.id.is_not(None))
            .label("drivers"),
        )
        .outerjoin(
            VehicleParty,
            and_(
                VehicleParty.tenant_id == Vehicle.tenant_id,
                VehicleParty.vehicle_id == Vehicle.id,
                VehicleParty.role == "driver",
                VehicleParty.to_on.is_(None),
                VehicleParty.deleted_at.is_(None),
            ),
        )
        .where(among(Vehicle.customer_id, customer_ids), counts())
        .group_by(Vehicle.customer_id)
    )
    return {row.customer_id: row for row in session.execute(statement)}


def counts() -> ColumnElement[bool]:
    """Return the condition under which a car is taken to be there still: in use, and heard of lately."""
    return and_(Vehicle.deleted_at.is_(None), Vehicle.status == "in_use", alive())


def alive() -> ColumnElement[bool]:
    """Return the condition under which a car has given a sign of life within two years."""
    since = clock.now() - dt.timedelta(days=SILENT_DAYS)
    return or_(Vehicle.updated_at >= since, func.coalesce(Vehicle.odometer_on >= since.date(), false()))


def evidence(said: SecondCar | None, home: Home) -> Evidence:
    """Return what the model takes: what was said, completed by who is kept as a member and as a driver.

    One member, or one driver, tells nothing: most households are not kept whole.
    """
    people = len(home.mates) if len(home.mates) > 1 else None
    drivers = home.drivers if home.drivers > 1 else None
    child = SAID.get(said.child or "") if said else None
    if child is None and any(mate.role == "child" for mate in home.mates):
        child = True
    if said is None:
        return Evidence(drivers=drivers, people=people, child=child)
    return Evidence(
        drivers=_most(said.drivers, drivers),
        workers=said.workers,
        people=_most(said.people, people),
        child=child,
        income=INCOME_OF.get(said.income or ""),
        owner=SAID.get(said.home_owner or ""),
        rural=SAID.get(said.rural or ""),
    )


def _most(said: int | None, seen: int | None) -> int | None:
    return max((one for one in (said, seen) if one is not None), default=None)


def rate(rows: Iterable[SecondCar], there: Mapping[uuid.UUID, Home], by: Weights) -> dict[uuid.UUID, Score]:
    """Return the scores of rows by their ids."""
    return {one.id: score(evidence(one, there[one.customer_id]), by) for one in rows}
