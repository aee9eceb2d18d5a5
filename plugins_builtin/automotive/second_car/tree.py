"""The household as it is seen: who lives there, which cars they have, who drives them, what ends when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kehu.api import Mate, Session, actor, among, and_, func, readable, select, service_for
from plugins_builtin.automotive.second_car.evidence import alive
from plugins_builtin.automotive.vehicles.fields import VEHICLES
from plugins_builtin.automotive.vehicles.models import Vehicle, VehicleParty


@dataclass(frozen=True, kw_only=True)
class Car:
    """A car of a household; `ends_on` is the day on which the first of its warranties and contracts ends."""

    id: uuid.UUID
    name: str
    plate: str
    drivers: Sequence[str] = ()
    ends_on: dt.date | None = None
    silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Person:
    """One who lives in a household, as far as the actor may see them."""

    id: uuid.UUID
    name: str
    role: str
    cars: list[Car] = field(default_factory=list)


def people(session: Session, mates: Sequence[Mate]) -> list[Person]:
    """Return who lives in a household with their cars, in four statements."""
    customers: Any = service_for("customers", session).type.model
    roles = {mate.customer_id: mate.role for mate in mates}
    statement = (
        select(customers.id, customers.name)
        .where(among(customers.id, list(roles)), readable("customers"))
        .order_by(customers.name_norm, customers.id)
    )
    found = {
        row.id: Person(id=row.id, name=row.name, role=roles[row.id]) for row in session.execute(statement)
    }
    cars = _cars(session, list(found))
    drivers = _drivers(session, [one.id for one in cars])
    ends = _ends(session, [one.owned_item_id for one in cars if one.owned_item_id])
    for one in cars:
        found[one.customer_id].cars.append(
            Car(
                id=one.id,
                name=one.name or f"{one.make} {one.model}",
                plate=one.plate or "",
                drivers=drivers.get(one.id, ()),
                ends_on=ends.get(one.owned_item_id),
                silent=not one.alive,
            )
        )
    return list(found.values())


def _cars(session: Session, customer_ids: Sequence[uuid.UUID]) -> Sequence[Any]:
    statement = (
        select(
            Vehicle.id,
            Vehicle.customer_id,
            Vehicle.name,
            Vehicle.make,
            Vehicle.model,
            Vehicle.plate,
            Vehicle.owned_item_id,
            alive().label("alive"),
        )
        .where(among(Vehicle.customer_id, customer_ids), Vehicle.status == "in_use", readable(VEHICLES))
        .order_by(Vehicle.id)
        .limit(50)
    )
    return session.execute(statement).all()


def _drivers(session: Session, vehicle_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Return the names of who drives cars, of those whom the actor may see."""
    customers: Any = service_for("customers", session).type.model
    statement = (
        select(VehicleParty.vehicle_id, func.array_agg(customers.name.distinct()).label("names"))
        .join(
            customers,
            and_(
                customers.tenant_id == VehicleParty.tenant_id,
                customers.id == VehicleParty.customer_id,
                readable("customers"),
            ),
        )
        .where(
            among(VehicleParty.vehicle_id, vehicle_ids),
            VehicleParty.role == "driver",
            VehicleParty.to_on.is_(None),
            VehicleParty.deleted_at.is_(None),
        )
        .group_by(VehicleParty.vehicle_id)
    )
    return {row.vehicle_id: row.names for row in session.execute(statement)}


def _ends(session: Session, item_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dt.date]:
    """Return on which day the first running term of each owned item ends, of those that the actor may see."""
    if not actor().may("owned_item_terms:read"):
        return {}
    terms: Any = service_for("owned_item_terms", session).type.model
    statement = (
        select(terms.item_id, func.min(terms.effective_end).label("ends_on"))
        .where(among(terms.item_id, item_ids), terms.state == "active", readable("owned_item_terms"))
        .group_by(terms.item_id)
    )
    return {row.item_id: row.ends_on for row in session.execute(statement) if row.ends_on}
