"""What can be done with vehicles and their models."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError

from kehu.api import (
    Conflict,
    Duplicate,
    FollowingService,
    InvalidInput,
    RecordService,
    _,
    clock,
    fold,
    parse_id,
    readable,
    select,
)
from plugins_builtin.automotive.vehicles import beside
from plugins_builtin.automotive.vehicles.fields import MODELS, VEHICLES
from plugins_builtin.automotive.vehicles.models import Vehicle, VehicleModel
from plugins_builtin.automotive.vehicles.numbers import check_number, findings
from plugins_builtin.automotive.vehicles.writing import able, is_new, reckoned, wrong

HELD_ELSEWHERE = frozenset({"customer_id", "odometer", "odometer_on"})
"""Fields that are written as rows of their own: who owns it, what its clock shows."""
_NUMBER = frozenset({"vin", "vin_reason", "year"})


class VehicleService(FollowingService[Vehicle]):
    """Write vehicles. Owners and mileage go to `PartyService` and `ReadingService`, which keep the history."""

    type_name = VEHICLES

    # What the platform asks ---------------------------------------------------------------

    def prepare(self, record: Vehicle, changed: set[str]) -> None:
        """Name the vehicle, link its model, and begin its service as a demonstration car."""
        new = is_new(record)
        if new and "owner_id" not in changed and record.customer_id is not None:
            record.owner_id = self.owner_by_leader(record.customer_id) or record.owner_id
        if new and record.odometer is not None and record.odometer_on is None:
            record.odometer_on = self.today()
        if new or changed & {"make", "model", "plate"}:
            record.name = name_of(record.make, record.model, record.plate)
            record.name_norm = fold(record.name)
        if new or changed & {"make", "model"}:
            record.model_id = ModelService(self.session, self.actor).named(
                record.make, record.model, record.year
            )
        if record.in_service_on is None and record.status == "demo" and (new or "status" in changed):
            # The first use as a demonstration car begins the warranty, not the sale (AUTOMOTIVE 9).
            record.in_service_on, record.in_service_kind = self.today(), "demo"
        if record.in_service_on is not None and record.in_service_kind is None:
            record.in_service_kind = "sale"

    def check(self, record: Vehicle, changed: set[str]) -> None:
        """Refuse numbers that can't be right, numbers that stand elsewhere, and dates out of order.

        :raises InvalidInput: names the field.
        """
        if record.vin and (is_new(record) or changed & _NUMBER):
            check_number(record.vin, self.today().year, year=record.year, reason=record.vin_reason)
        for key in ("vin", "plate"):
            if getattr(record, key) and (is_new(record) or key in changed):
                self._refuse_second(record, key)
        if record.in_service_kind is not None and record.in_service_on is None:
            raise wrong("in_service_on", _("Say since when it is in service, or leave out how that began."))
        for key in ("first_registration_on", "in_service_on"):
            day = getattr(record, key)
            if key in changed and day is not None and day > self.today() + dt.timedelta(days=366):
                raise wrong(key, _("This day is too far ahead."))
        if is_new(record) and record.odometer_on is not None and record.odometer_on > self.today():
            raise wrong("odometer_on", _("Write a day that is not in the future."))

    def search_texts(self, record: Vehicle) -> Iterable[tuple[str, str]]:
        """Find a vehicle by make and model, VIN, plate and frame number and their ends, and number beside."""
        yield "name", f"{record.make} {record.model}"
        for number in (record.vin, record.plate, record.chassis):
            if number:
                yield "serial", number
        if record.external_id:
            yield "code", record.external_id

    def create_many(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Create vehicles, with their owners, first readings and the platform's records of them."""
        try:
            with self.session.begin_nested():
                outcomes = super().create_many(rows)
        except IntegrityError as error:
            raise _taken() from error
        made = [one.record for one in outcomes if one.record is not None]
        if made:
            # After the vehicles' own entries of the trail: an undo goes from the last to the first.
            beside.begin(self, made)
        return outcomes

    def _change(self, record: Vehicle, loaded: Mapping[str, Any], *, flush: bool = True) -> bool:
        own = {key: value for key, value in loaded.items() if key not in HELD_ELSEWHERE}
        owned = record.owner_id
        changed = super()._change(record, own, flush=flush)
        if record.owner_id != owned:
            beside.hand_down(self, [record])
        moved = beside.change(self, record, {key: loaded[key] for key in HELD_ELSEWHERE & loaded.keys()})
        if changed or moved:
            beside.keep_items(self, [record])
        return changed or moved

    def _flush(self) -> None:
        try:
            super()._flush()
        except IntegrityError as error:
            raise _taken() from error

    def adopt(self, vehicles: Sequence[Vehicle]) -> None:
        """Give vehicles of an earlier release what a new one has: its model, its search, the record of the platform."""
        models = ModelService(self.session, self.actor)
        rows = [(one, {"model_id": models.named(one.make, one.model, one.year)}) for one in vehicles]
        reckoned(self.session, rows)
        self._index(vehicles)
        beside.keep_items(self, vehicles)

    def part_from_owner(self, vehicles: Sequence[Vehicle]) -> None:
        """Forget the owner of vehicles and what leads to him; the trail is not told, since it would tell again."""
        gone = dict.fromkeys(("customer_id", "owned_item_id", "plate", "description", "external_id"))
        rows = []
        for one in vehicles:
            name = name_of(one.make, one.model, None)
            rows.append((one, {**gone, "name": name, "name_norm": fold(name)}))
        reckoned(self.session, rows)
        self._index(vehicles)

    def _trash(self, *records: Vehicle) -> None:
        super()._trash(*records)
        beside.keep_items(self, records)

    def _restored(self, record: Vehicle) -> None:
        super()._restored(record)
        beside.keep_items(self, [record])

    def restore(self, record_id: object) -> Vehicle:
        """Take a vehicle out of the trash.

        :raises Conflict: when another one has its VIN by now.
        """
        found_id = parse_id(record_id)
        record = self._find(found_id, trashed=True, lock=False) if found_id is not None else None
        if record is not None and record.vin and self.other("vin", record.vin, record.id) is not None:
            raise Conflict(_("Another vehicle has this VIN by now, so this one can't come back."))
        return super().restore(record_id)

    # What is asked ------------------------------------------------------------------------

    def today(self) -> dt.date:
        """Return the day of the tenant."""
        return clock.today(self.tenant.tz)

    def other(self, key: str, number: str, but: uuid.UUID | None = None) -> Any:
        """Return id and name of another vehicle with a VIN or plate; a scrapped one has given its plate back.

        `seen` says whether the actor may see it; who may not is told no more than that it is there.
        """
        column = getattr(Vehicle, key)
        statement = select(Vehicle.id, Vehicle.name, readable(VEHICLES).label("seen")).where(
            Vehicle.tenant_id == self.tenant.id, column == number, Vehicle.deleted_at.is_(None)
        )
        if but is not None:
            statement = statement.where(Vehicle.id != but)
        if key == "plate":
            statement = statement.where(Vehicle.status.not_in(("scrapped", "sold")))
        with self.session.no_autoflush:
            return self.session.execute(statement.order_by(Vehicle.id).limit(1)).first()

    def take_over(self, vehicle_id: object, key: str) -> Vehicle:
        """Take over what the VIN says of year or make.

        :raises InvalidInput: when it says nothing of that.
        """
        record = self.get(vehicle_id, action="write")
        said = findings(record.vin or "", self.today().year)
        values: dict[str, Any] = {"year": next(iter(said.years), None), "make": said.maker.make or None}
        if values.get(key) is None:
            raise InvalidInput(_("The VIN says nothing of this."))
        return self.update(vehicle_id, {key: values[key]})

    def _refuse_second(self, record: Vehicle, key: str) -> None:
        known = self.other(key, getattr(record, key), record.id)
        if known is None:
            return
        if not known.seen:
            message = _("A vehicle that you may not see has this number already. Ask an admin of your firm.")
            raise wrong(key, message)
        if key == "vin":
            message = _(
                "“%(name)s” has this VIN already. Open it instead of adding it again.", name=known.name
            )
        else:
            message = _(
                "“%(name)s” has this plate. Open it, or take the plate from it first if it was handed on.",
                name=known.name,
            )
        raise InvalidInput(message, fields={key: [message]}, existing=str(known.id))


class ModelService(RecordService[VehicleModel]):
    """Write models of cars."""

    type_name = MODELS

    def prepare(self, record: VehicleModel, changed: set[str]) -> None:
        """Derive the name."""
        record.name = f"{record.make} {record.model}"
        record.name_norm = fold(record.name)

    def check(self, record: VehicleModel, changed: set[str]) -> None:
        """Refuse years out of order and a second model of the same name and first year."""
        if record.year_from is not None and record.year_to is not None and record.year_to < record.year_from:
            raise wrong("year_to", _("It can't end before it begins."))
        if is_new(record) or changed & {"make", "model", "year_from"}:
            known = [one for one in self._named(record.name_norm) if one.id != record.id]
            if any(one.year_from == record.year_from for one in known):
                raise wrong(
                    "model", _("This model is kept already. Say from which year on this one was built.")
                )

    def saved(self, records: Sequence[VehicleModel], action: str) -> None:
        """Let vehicles follow the name of their model."""
        if action == "updated":
            for record in records:
                self._rename(record)

    def _trash(self, *records: VehicleModel) -> None:
        self._refuse_in_use(records)
        super()._trash(*records)

    def search_texts(self, record: VehicleModel) -> Iterable[tuple[str, str]]:
        """Find a model by its name and number beside."""
        yield "name", record.name
        if record.external_id:
            yield "code", record.external_id

    def named(self, make: str, model: str, year: int | None) -> uuid.UUID:
        """Return the model of a name, of the right years if there are several; one that is not kept yet is added."""
        norm = fold(f"{make} {model}")
        cache: dict[str, list[Any]] = self.session.info.setdefault("vehicle_models", {})
        if norm not in cache:
            with self.session.no_autoflush:
                cache[norm] = self._named(norm) or [self._add(make, model, norm)]
        known = cache[norm]
        fitting = [
            one
            for one in known
            if year is None or ((one.year_from or 0) <= year and year <= (one.year_to or 9999))
        ]
        found: uuid.UUID = (fitting or known)[0].id
        return found

    def _add(self, make: str, model: str, norm: str) -> Any:
        """Add a model on behalf of who adds a vehicle of it; somebody else may do so at the same moment."""
        service = ModelService(self.session, able(self.actor, MODELS))
        try:
            with self.session.begin_nested():
                return service.create({"make": make, "model": model})
        except IntegrityError:
            return self._named(norm)[0]

    def _named(self, norm: str) -> list[Any]:
        statement = (
            select(VehicleModel.id, VehicleModel.year_from, VehicleModel.year_to)
            .where(
                VehicleModel.tenant_id == self.tenant.id,
                VehicleModel.name_norm == norm,
                VehicleModel.deleted_at.is_(None),
            )
            .order_by(VehicleModel.year_from.desc().nulls_last(), VehicleModel.id)
            .limit(50)
        )
        with self.session.no_autoflush:
            return list(self.session.execute(statement))

    def _refuse_in_use(self, records: Sequence[VehicleModel]) -> None:
        """Keep a model that vehicles have."""
        statement = select(Vehicle.name).where(
            Vehicle.tenant_id == self.tenant.id,
            Vehicle.model_id.in_([one.id for one in records]),
            Vehicle.deleted_at.is_(None),
        )
        used = self.session.execute(statement.limit(1)).scalar()
        if used is not None:
            raise Conflict(_("“%(name)s” is of this model. Change its model first.", name=used))

    def _rename(self, record: VehicleModel) -> None:
        vehicles = VehicleService(self.session, able(self.actor, VEHICLES))
        statement = select(Vehicle).where(Vehicle.model_id == record.id)
        found = list(self.session.execute(statement).scalars())
        rows = []
        for one in found:
            name = name_of(record.make, record.model, one.plate)
            same = {"make": record.make, "model": record.model, "name": name, "name_norm": fold(name)}
            rows.append((one, same))
        reckoned(self.session, rows)
        live = [one for one in found if one.deleted_at is None]
        vehicles._index(live)
        beside.keep_items(vehicles, live)


def _taken() -> Duplicate:
    """Return the refusal of a VIN that somebody else wrote at the same moment."""
    message = _("Somebody else has added a vehicle with this VIN at this moment. Look for it by its VIN.")
    return Duplicate(message, fields={"vin": [message]})


def name_of(make: str, model: str, plate: str | None) -> str:
    """Return what people call a vehicle."""
    return " · ".join(part for part in (f"{make} {model}", plate) if part)
