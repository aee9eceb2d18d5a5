"""Who owns, drives or pays for a vehicle, from when to when: ownership is a history and never one field."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kehu.api import (
    FollowingService,
    InvalidInput,
    NotFound,
    _,
    clock,
    day_text,
    or_,
    parse_id,
    select,
    service_for,
)
from plugins_builtin.automotive.vehicles.fields import PARTIES, ROLES, VEHICLES
from plugins_builtin.automotive.vehicles.models import Vehicle, VehicleParty
from plugins_builtin.automotive.vehicles.writing import able, is_new, reckoned, wrong

_ROLES = {one.value: one.label for one in ROLES}


class PartyService(FollowingService[VehicleParty]):
    """Write the people of vehicles; who may change a vehicle may change its people.

    :param fresh: the vehicles are new, so that nothing can contradict.
    """

    type_name = PARTIES
    fresh = False

    # What the platform asks ---------------------------------------------------------------

    def prepare(self, record: VehicleParty, changed: set[str]) -> None:
        """Lock the vehicle, so that two owners at the same moment wait for each other."""
        vehicle = self.vehicle(record.vehicle_id)
        if is_new(record):
            record.owner_id = vehicle.owner_id
        elif "vehicle_id" in changed:
            raise wrong("vehicle_id", _("A person stays with the vehicle; add them to the other one."))

    def check(self, record: VehicleParty, changed: set[str]) -> None:
        """Refuse dates out of order, two owners at a time and a contact of somebody else.

        :raises InvalidInput: names the field and, for owners, who owned it then.
        """
        if record.from_on is not None and record.to_on is not None and record.to_on < record.from_on:
            raise wrong("to_on", _("It can't end before it begins."))
        if self.fresh:
            return
        service_for(VEHICLES, self.session, self.actor).get(record.vehicle_id, action="write")
        if record.contact_id is not None and (is_new(record) or changed & {"contact_id", "customer_id"}):
            contact: Any = service_for("contacts", self.session).type.model
            statement = select(contact.customer_id).where(contact.id == record.contact_id)
            with self.session.no_autoflush:
                whose = self.session.execute(statement).scalar()
            if whose != record.customer_id:
                raise wrong("contact_id", _("This contact belongs to another customer."))
        if record.role == "owner":
            self._refuse_two(record)

    def create_many(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Add people, and bring the owners of today on the vehicles in step."""
        outcomes = super().create_many(rows)
        self.follow({one.record.vehicle_id for one in outcomes if one.record is not None})
        return outcomes

    def _change(self, record: VehicleParty, loaded: Mapping[str, Any], *, flush: bool = True) -> bool:
        changed = super()._change(record, loaded, flush=flush)
        if changed:
            self.follow({record.vehicle_id})
        return changed

    def _trash(self, *records: VehicleParty) -> None:
        super()._trash(*records)
        self.follow({one.vehicle_id for one in records})

    def _restored(self, record: VehicleParty) -> None:
        super()._restored(record)
        self.follow({record.vehicle_id})

    def title_of(self, record: VehicleParty) -> str:
        """Return role and vehicle."""
        vehicle = self.session.get(Vehicle, (record.tenant_id, record.vehicle_id))
        return f"{_ROLES[record.role]} – {vehicle.name if vehicle is not None else ''}"

    def search_texts(self, record: VehicleParty) -> Iterable[tuple[str, str]]:
        """They are found by their vehicles."""
        return ()

    # What is written ----------------------------------------------------------------------

    def begin(self, values: Mapping[str, Any]) -> VehicleParty:
        """Let somebody own, drive or pay for a vehicle from a day on; a new owner ends the time of the present one.

        :raises InvalidInput: names the field.
        """
        loaded, errors = self.load(values, new=True)
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        if loaded.get("role", "owner") == "owner":
            day = loaded.get("from_on") or self.today()
            present = self.owner(self.vehicle(loaded["vehicle_id"]).id, day)
            if present is not None and present.customer_id == loaded["customer_id"]:
                return present
            if present is not None:
                self.update(present.id, {"to_on": day})
            made = self.create({**values, "from_on": day})
            self._deliver(self.vehicle(made.vehicle_id), day)
            return made
        known = self._same(loaded)
        return known if known is not None else self.create(values)

    def end_owner(self, vehicle_id: uuid.UUID) -> None:
        """Let nobody own a vehicle from today on."""
        present = self.owner(self.vehicle(vehicle_id).id, self.today())
        if present is not None:
            self.update(present.id, {"to_on": self.today()})

    def _deliver(self, vehicle: Vehicle, day: dt.date) -> None:
        """Let a vehicle of the dealer's own go into use with its buyer; an earlier first use stays what it is."""
        if vehicle.status not in ("stock", "demo") or day > self.today():
            return
        values: dict[str, Any] = {"status": "in_use", "sold_by": "us"}
        if vehicle.in_service_on is None:
            values |= {"in_service_on": day, "in_service_kind": "sale"}
        service_for(VEHICLES, self.session, able(self.actor, VEHICLES)).update(vehicle.id, values)

    def follow(self, vehicle_ids: Iterable[uuid.UUID], today: dt.date | None = None) -> None:
        """Set the owner of today on vehicles, and on the platform's records of them; what lies in the trash keeps its.

        After the trail of the people themselves: an undo goes from the last entry to the first.
        """
        from plugins_builtin.automotive.vehicles.beside import keep_items

        self.session.flush()
        statement = select(Vehicle).where(Vehicle.id.in_(list(vehicle_ids)), Vehicle.deleted_at.is_(None))
        vehicles = list(self.session.execute(statement).scalars())
        owners = self._owners([one.id for one in vehicles], today or self.today())
        moved = [one for one in vehicles if one.customer_id != owners.get(one.id)]
        reckoned(self.session, [(one, {"customer_id": owners.get(one.id)}) for one in moved])
        if moved:
            keep_items(self, moved)

    # What is asked ------------------------------------------------------------------------

    def today(self) -> dt.date:
        """Return the day of the tenant."""
        return clock.today(self.tenant.tz)

    def vehicle(self, vehicle_id: object) -> Vehicle:
        """Return a vehicle, locked until the end of the unit of work.

        :raises NotFound: when it does not exist.
        """
        locked: dict[Any, Vehicle] = self.session.info.setdefault("locked_vehicles", {})
        found_id = parse_id(vehicle_id)
        if found_id not in locked:
            statement = select(Vehicle).where(Vehicle.id == found_id)
            with self.session.no_autoflush:
                found = self.session.execute(statement.with_for_update()).scalar_one_or_none()
            if found is None:
                raise NotFound(_("There is no such vehicle."))
            locked[found_id] = found
        return locked[found_id]

    def owner(self, vehicle_id: uuid.UUID, on: dt.date) -> VehicleParty | None:
        """Return who owns a vehicle on a day."""
        statement = select(VehicleParty).where(
            VehicleParty.vehicle_id == vehicle_id, VehicleParty.role == "owner", *_on(on)
        )
        return self.session.execute(statement.limit(1)).scalar_one_or_none()

    def _same(self, loaded: Mapping[str, Any]) -> VehicleParty | None:
        """Return the row that says already what is to be kept of a driver or payer."""
        party = VehicleParty
        statement = select(party).where(
            party.vehicle_id == loaded["vehicle_id"],
            party.customer_id == loaded["customer_id"],
            party.role == loaded["role"],
            *_on(loaded.get("from_on") or self.today()),
        )
        return self.session.execute(statement.limit(1)).scalar_one_or_none()

    def of_vehicle(self, vehicle_id: uuid.UUID) -> Sequence[VehicleParty]:
        """Return the people of a vehicle that the actor may see, those of today first, then the latest."""
        self.actor.require(f"{PARTIES}:read")
        party = VehicleParty
        statement = (
            select(party)
            .where(party.vehicle_id == vehicle_id, party.deleted_at.is_(None))
            .order_by(party.to_on.desc().nulls_first(), party.from_on.desc().nulls_last(), party.id)
            .limit(100)
        )
        return self.session.execute(statement).scalars().all()

    def _owners(self, vehicle_ids: Sequence[uuid.UUID], on: dt.date) -> dict[uuid.UUID, uuid.UUID]:
        party = VehicleParty
        statement = select(party.vehicle_id, party.customer_id).where(
            party.tenant_id == self.tenant.id,
            party.vehicle_id.in_(vehicle_ids),
            party.role == "owner",
            *_on(on),
        )
        return {row.vehicle_id: row.customer_id for row in self.session.execute(statement)}

    def _refuse_two(self, record: VehicleParty) -> None:
        """Say who owned the vehicle in the same time; the database holds it for those who write at once."""
        party = VehicleParty
        statement = select(party.from_on, party.to_on).where(
            party.tenant_id == self.tenant.id,
            party.vehicle_id == record.vehicle_id,
            party.role == "owner",
            party.deleted_at.is_(None),
            party.id != record.id,
        )
        if record.to_on is not None:
            statement = statement.where(or_(party.from_on.is_(None), party.from_on < record.to_on))
        if record.from_on is not None:
            statement = statement.where(or_(party.to_on.is_(None), party.to_on > record.from_on))
        if record.from_on is not None and record.from_on == record.to_on:
            return
        with self.session.no_autoflush:
            known = self.session.execute(statement.limit(1)).first()
        if known is None:
            return
        days = {"since": day_text(known.from_on), "until": day_text(known.to_on)}
        message = _(
            "It has another owner from %(since)s until %(until)s. End that time first, or choose other days.",
            **days,
        )
        raise wrong("from_on", message)


def _on(day: dt.date) -> tuple[Any, ...]:
    party = VehicleParty
    return (
        party.deleted_at.is_(None),
        or_(party.from_on.is_(None), party.from_on <= day),
        or_(party.to_on.is_(None), party.to_on > day),
    )
