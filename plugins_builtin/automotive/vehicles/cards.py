"""What the pages and panels of vehicles ask the database."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kehu.api import (
    Option,
    Session,
    actor,
    and_,
    clock,
    or_,
    parse_id,
    readable,
    select,
    service_for,
    tenant,
    url_for,
)
from plugins_builtin.automotive.vehicles.fields import PARTIES, READING_STATES, READINGS, ROLES, VEHICLES
from plugins_builtin.automotive.vehicles.models import OdometerReading, Vehicle, VehicleParty
from plugins_builtin.automotive.vehicles.parties import PartyService
from plugins_builtin.automotive.vehicles.readings import ReadingService

_ROLES = {one.value: one for one in ROLES}
_STATES = {one.value: one for one in READING_STATES}
MOST = 20


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who has or had a vehicle, as its card shows him; `name` is empty for who may not be seen."""

    party: VehicleParty
    name: str
    contact: str
    today: dt.date

    @property
    def role(self) -> Option:
        """The role with its colour."""
        return _ROLES[self.party.role]

    @property
    def over(self) -> bool:
        """Whether it is no longer so."""
        return self.party.to_on is not None and self.party.to_on <= self.today


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A reading as the card of a vehicle shows it."""

    reading: OdometerReading

    @property
    def state(self) -> Option:
        """The state with its colour."""
        return _STATES[self.reading.status]


def people_of(session: Session, vehicle_id: uuid.UUID) -> Sequence[Person] | None:
    """Return who has and had a vehicle; None when the actor may not know."""
    if not actor().may(f"{PARTIES}:read"):
        return None
    parties = PartyService(session).of_vehicle(vehicle_id)
    customers = titles(session, "customers", [one.customer_id for one in parties])
    contacts = titles(session, "contacts", [one.contact_id for one in parties if one.contact_id])
    today = clock.today(tenant().tz)
    return [
        Person(
            party=one,
            name=customers.get(one.customer_id, ""),
            contact=contacts.get(one.contact_id, "") if one.contact_id else "",
            today=today,
        )
        for one in parties
    ]


def readings_of(session: Session, vehicle_id: uuid.UUID) -> Sequence[Reading] | None:
    """Return the latest readings of a vehicle; None when the actor may not know."""
    if not actor().may(f"{READINGS}:read"):
        return None
    return [Reading(reading=one) for one in ReadingService(session).of_vehicle(vehicle_id)[:MOST]]


def vehicles_of(session: Session, customer_id: uuid.UUID) -> Sequence[tuple[Vehicle, Sequence[Option]]]:
    """Return the vehicles that a customer owns, drives or pays for today, with the roles."""
    today, party = clock.today(tenant().tz), VehicleParty
    statement = (
        select(Vehicle, party.role)
        .join(party, and_(party.tenant_id == Vehicle.tenant_id, party.vehicle_id == Vehicle.id))
        .where(
            Vehicle.tenant_id == tenant().id,
            party.customer_id == customer_id,
            party.deleted_at.is_(None),
            or_(party.to_on.is_(None), party.to_on > today),
            readable(VEHICLES),
        )
        .order_by(Vehicle.name_norm, Vehicle.id, party.role)
        .limit(MOST)
    )
    found: dict[uuid.UUID, tuple[Vehicle, list[Option]]] = {}
    for vehicle, role in session.execute(statement):
        found.setdefault(vehicle.id, (vehicle, []))[1].append(_ROLES[role])
    return list(found.values())


def vehicle_of_item(session: Session, item_id: uuid.UUID | None) -> Vehicle | None:
    """Return the vehicle of a record of the platform, if the actor may see it."""
    statement = select(Vehicle).where(
        Vehicle.tenant_id == tenant().id, Vehicle.owned_item_id == item_id, readable(VEHICLES)
    )
    return session.execute(statement.limit(1)).scalar_one_or_none()


def more_cards(vehicle_id: uuid.UUID) -> list[tuple[str, str]]:
    """Return id and address of the cards that the other subjects of the module put on a vehicle's page."""
    from plugins_builtin.automotive.parts import parts

    found = sorted((one for part in parts() for one in part.vehicle_cards), key=lambda one: one.order)
    return [
        (one.endpoint.replace(".", "-"), url_for(one.endpoint, vehicle_id=vehicle_id))
        for one in found
        if actor().may(one.permission)
    ]


def names(session: Session, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what the customer and the contact of a form are called, by field."""
    found = {}
    for key, kind in (("customer_id", "customers"), ("contact_id", "contacts")):
        one = parse_id(values.get(key))
        if one is not None:
            found[key] = titles(session, kind, [one]).get(one, "")
    return found


def titles(session: Session, kind: str, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return what customers or contacts are called, of those that the actor may see."""
    wanted = list(set(ids))
    if not wanted or not actor().may(f"{kind}:read"):
        return {}
    model: Any = service_for(kind, session).type.model
    statement = select(model.id, model.name).where(
        model.tenant_id == tenant().id, model.id.in_(wanted), readable(kind)
    )
    return {row.id: row.name for row in session.execute(statement)}
