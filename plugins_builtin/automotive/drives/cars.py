"""Keep demo cars and plates, each with what the platform's board books."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import exists

from kehu.api import InvalidInput, RecordService, _, fold, or_, plugin_settings, select, service_for
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.drives import gates
from plugins_builtin.automotive.drives.models import DemoCar
from plugins_builtin.automotive.vehicles.models import Vehicle

CARS = f"{SLUG}.demo_cars"
GONE = ("sold", "scrapped")
COLOURS = {"car": "3", "plates": "2"}


class DemoCarService(RecordService[DemoCar]):
    """Write demo cars and plates."""

    type_name = CARS

    def prepare(self, record: DemoCar, changed: set[str]) -> None:
        """Take name and model over from the vehicle, and normalise the name."""
        vehicle = self.vehicle(record)
        if vehicle is not None:
            record.model = record.model or vehicle.name or f"{vehicle.make} {vehicle.model}"
            record.name = record.name or " ".join(part for part in (record.model, vehicle.plate) if part)
        record.name = record.name or record.model or ""
        record.model = record.model or record.name
        record.name_norm = fold(record.name)

    def check(self, record: DemoCar, changed: set[str]) -> None:
        """Ask for a name, and for days in their order.

        :raises InvalidInput: names the field.
        """
        if not record.name:
            message = _("Write a name, or choose the vehicle.")
            raise InvalidInput(message, fields={"name": [message]})
        if record.used_from and record.used_to and record.used_to < record.used_from:
            message = _("This must not be before the first day.")
            raise InvalidInput(message, fields={"used_to": [message]})

    def saved(self, records: Sequence[DemoCar], action: str) -> None:
        """Keep the resource of each in step; the undo of both takes care of itself."""
        if self.session.info.get("undoing"):
            return
        resources = service_for("resources", self.session)
        for record in records:
            if action == "trashed" and record.resource_id:
                resources.trash(record.resource_id)
            elif action == "restored" and record.resource_id:
                resources.restore(record.resource_id)
            elif record.resource_id:
                resources.update(record.resource_id, self._of_resource(record))
            elif action == "created":
                record.resource_id = resources.create(
                    {**self._of_resource(record), **self._margins(record)}
                ).id

    def _of_resource(self, record: DemoCar) -> dict[str, Any]:
        kind = _("Demo cars") if record.kind == "car" else _("Dealer plates")
        return {"name": record.name, "kind": kind, "branch": record.branch or ""}

    def _margins(self, record: DemoCar) -> dict[str, Any]:
        given = {"colour": COLOURS[record.kind]}
        if record.kind == "plates":
            return given
        settings = plugin_settings(self.session, SLUG)
        return {
            **given,
            "before_minutes": settings["drives_before"],
            "after_minutes": settings["drives_after"],
        }

    def vehicle(self, record: DemoCar) -> Vehicle | None:
        """Return the vehicle that a demo car is."""
        if record.vehicle_id is None:
            return None
        statement = select(Vehicle).where(Vehicle.id == record.vehicle_id)
        with self.session.no_autoflush:
            found: Vehicle | None = self.session.execute(statement).scalar_one_or_none()
        return found

    def fault(self, record: DemoCar, first: dt.date, last: dt.date) -> str:
        """Return why a car can't be driven on some days, or nothing."""
        vehicle = self.vehicle(record)
        sold = vehicle is not None and (vehicle.status in GONE or vehicle.deleted_at is not None)
        ends = {"insured_until": record.insured_until, "inspected_until": record.inspected_until}
        faults = (
            gates.car_faults(used=(record.used_from, record.used_to), ends=ends, sold=sold, day=day)
            for day in (first, last)
        )
        return next((one for one in faults if one), "")

    def of_kind(self, kind: str, *, public: bool = False) -> Sequence[DemoCar]:
        """Return the demo cars or plates that can be booked, by name; none that is sold."""
        gone = exists().where(
            Vehicle.tenant_id == DemoCar.tenant_id,
            Vehicle.id == DemoCar.vehicle_id,
            or_(Vehicle.status.in_(GONE), Vehicle.deleted_at.is_not(None)),
        )
        statement = select(DemoCar).where(
            DemoCar.kind == kind, DemoCar.deleted_at.is_(None), DemoCar.resource_id.is_not(None), ~gone
        )
        if public:
            statement = statement.where(DemoCar.public)
        statement = statement.order_by(DemoCar.name_norm, DemoCar.id).limit(200)
        return self.session.execute(statement).scalars().all()

    def search_texts(self, record: DemoCar) -> Iterable[tuple[str, str]]:
        """Find a demo car by name and model."""
        yield "name", record.name
        if record.model:
            yield "text", record.model
