"""What can be done with vehicles."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kehu.api import (
    Actor,
    Duplicate,
    InvalidInput,
    NotFound,
    Session,
    _,
    actor,
    and_,
    audit,
    clean,
    clock,
    fold,
    new_id,
    parse_id,
    readable,
    select,
    service_for,
    tenant,
)
from plugins_builtin.automotive.vehicles.models import OdometerReading, Vehicle, VehicleParty

PAGE = 50
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
"""ISO 3779: seventeen characters without I, O and Q."""


@dataclass(frozen=True, kw_only=True)
class VehicleForm:
    """What a person writes about a vehicle."""

    make: str
    model: str
    vin: str | None
    plate: str | None
    year: int | None
    odometer: int | None


class VehicleService:
    """Keep the vehicles of customers.

    :param session: the unit of work.
    """

    def __init__(self, session: Session, who: Actor | None = None) -> None:
        self.session = session
        self.actor = who or actor()

    def of_customer(self, customer_id: object) -> Sequence[Vehicle]:
        """Return the vehicles of a customer whom the actor may see.

        :raises NotFound: when he may not, or the customer does not exist.
        """
        self.actor.require("automotive.vehicle:read")
        customer = service_for("customers", self.session).get(customer_id)
        statement = (
            select(Vehicle)
            .where(Vehicle.customer_id == customer.id, Vehicle.deleted_at.is_(None))
            .order_by(Vehicle.id)
            .limit(PAGE)
        )
        return self.session.execute(statement).scalars().all()

    def page(self, plate: str = "", after: object = None) -> Sequence[Vehicle]:
        """Return vehicles of customers whom the actor may see, the newest first.

        :param plate: beginning of the plate or the VIN.
        :param after: the last vehicle of the page before.
        """
        self.actor.require("automotive.vehicle:read")
        customers: Any = service_for("customers", self.session).type.model
        same = and_(customers.tenant_id == Vehicle.tenant_id, customers.id == Vehicle.customer_id)
        statement = (
            select(Vehicle)
            .join(customers, same)
            .where(Vehicle.deleted_at.is_(None), readable("customers"))
            .order_by(Vehicle.id.desc())
            .limit(PAGE + 1)
        )
        written = re.sub(r"[\s-]", "", plate).upper()
        if written:
            statement = statement.where(Vehicle.plate.startswith(written) | Vehicle.vin.startswith(written))
        last = parse_id(after)
        if last is not None:
            statement = statement.where(Vehicle.id < last)
        return self.session.execute(statement).scalars().all()

    def add(self, customer_id: object, values: Mapping[str, str]) -> Vehicle:
        """Add a vehicle to a customer.

        :raises InvalidInput: names each field that is wrong.
        :raises Duplicate: when another vehicle has the VIN.
        """
        self.actor.require("automotive.vehicle:write")
        customer = service_for("customers", self.session).get(customer_id)
        form = _read(values)
        if form.vin and self._by_vin(form.vin) is not None:
            message = _("Another vehicle has this VIN already. Look for it by its VIN.")
            raise Duplicate(message, fields={"vin": [message]})
        vehicle = Vehicle(
            id=new_id(), tenant_id=tenant().id, version=1, customer_id=customer.id, created_by=self.actor.member_id,
            updated_by=self.actor.member_id, name=f"{form.make} {form.model}", **vars(form),
        )  # fmt: skip
        vehicle.name_norm = fold(vehicle.name)
        self.session.add(vehicle)
        self.session.flush()  # What belongs to it needs the row.
        self._own(vehicle)
        self._trail(vehicle, "created")
        return vehicle

    def _own(self, vehicle: Vehicle) -> None:
        """Keep who owns a new car and what its clock shows."""
        mine = {"tenant_id": vehicle.tenant_id, "vehicle_id": vehicle.id, "version": 1}
        mine |= {"created_by": self.actor.member_id, "updated_by": self.actor.member_id}
        self.session.add(VehicleParty(id=new_id(), customer_id=vehicle.customer_id, role="owner", **mine))
        if vehicle.odometer is not None:
            vehicle.odometer_on = clock.today(tenant().tz)
            reading = {"read_on": vehicle.odometer_on, "km": vehicle.odometer, "shown": vehicle.odometer}
            self.session.add(OdometerReading(id=new_id(), **reading, **mine))

    def remove(self, vehicle_id: object) -> Vehicle:
        """Put a vehicle away; `restore` brings it back."""
        return self._set_deleted(vehicle_id, True)

    def restore(self, vehicle_id: object) -> Vehicle:
        """Bring a vehicle back."""
        return self._set_deleted(vehicle_id, False)

    def _set_deleted(self, vehicle_id: object, gone: bool) -> Vehicle:
        self.actor.require("automotive.vehicle:write")
        found = parse_id(vehicle_id)
        vehicle: Vehicle | None = None
        if found is not None:
            vehicle = self.session.execute(
                select(Vehicle).where(Vehicle.id == found).with_for_update()
            ).scalar_one_or_none()
        if vehicle is None or (vehicle.deleted_at is not None) == gone:
            raise NotFound(_("There is no such vehicle."))
        service_for("customers", self.session).get(vehicle.customer_id)
        if not gone and vehicle.vin and self._by_vin(vehicle.vin) is not None:
            raise Duplicate(_("Another vehicle has this VIN by now, so this one can't come back."))
        vehicle.deleted_at = clock.now() if gone else None
        vehicle.deleted_by = self.actor.member_id if gone else None
        self._trail(vehicle, "trashed" if gone else "restored")
        return vehicle

    def _by_vin(self, vin: str) -> uuid.UUID | None:
        statement = select(Vehicle.id).where(Vehicle.vin == vin, Vehicle.deleted_at.is_(None))
        return self.session.execute(statement).scalar_one_or_none()

    def _trail(self, vehicle: Vehicle, action: str) -> None:
        audit(
            self.session,
            object="automotive.vehicles",
            record_id=vehicle.id,
            action=action,
            title=f"{vehicle.make} {vehicle.model}",
            customer_id=vehicle.customer_id,
        )


def _read(values: Mapping[str, str]) -> VehicleForm:
    errors: dict[str, list[str]] = {}
    plain: dict[str, Any] = {key: clean(values.get(key, ""))[:200] for key in ("make", "model")}
    for key, label in (("make", _("Make")), ("model", _("Model"))):
        if not plain[key]:
            errors[key] = [_("%(label)s is needed.", label=label)]
    vin = re.sub(r"[\s-]", "", clean(values.get("vin", ""))).upper()
    if vin and not _VIN.fullmatch(vin):
        errors["vin"] = [_("A VIN has 17 letters and digits, without I, O and Q.")]
    plate = re.sub(r"[\s-]", "", clean(values.get("plate", ""))).upper()
    if len(plate) > 15:
        errors["plate"] = [_("A plate has at most 15 characters.")]
    year = _whole(values, "year", 1886, clock.now().year + 2, errors)
    odometer = _whole(values, "odometer", 0, 5_000_000, errors)
    if errors:
        raise InvalidInput(_("Some fields need another value."), fields=errors)
    return VehicleForm(**plain, vin=vin or None, plate=plate or None, year=year, odometer=odometer)


def _whole(
    values: Mapping[str, str], key: str, least: int, most: int, errors: dict[str, list[str]]
) -> int | None:
    raw = values.get(key, "").strip()
    if not raw:
        return None
    if not re.fullmatch(r"\d{1,9}", raw) or not least <= int(raw) <= most:
        errors[key] = [_("Write a whole number from %(least)s to %(most)s.", least=least, most=most)]
        return None
    return int(raw)
