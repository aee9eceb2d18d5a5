"""Keep what is done to cars again and again, and note that it was done."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kehu.api import Conflict, FollowingService, _, clock, plugin_settings, select, service_for
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.upkeep.models import ServiceItem
from plugins_builtin.automotive.upkeep.reckoning import reckon
from plugins_builtin.automotive.upkeep.rules import last_by_plan
from plugins_builtin.automotive.vehicles.models import Vehicle
from plugins_builtin.automotive.vehicles.readings import keep_reading
from plugins_builtin.automotive.vehicles.writing import wrong

NAME, VEHICLES = f"{SLUG}.service_items", f"{SLUG}.vehicles"


class ItemService(FollowingService[ServiceItem]):
    """Write services and parts that wear."""

    type_name = NAME

    def prepare(self, record: ServiceItem, changed: set[str]) -> None:
        """Take the car's mileage where nobody wrote one, and reckon the day."""
        service_for(VEHICLES, self.session, self.actor).get(record.vehicle_id)
        record.kind = record.kind or "service"
        done_on: Any = record.done_on
        record.done_on = done_on or self.today()
        if record.done_km is None and record.km and record.done_on == self.today():
            with self.session.no_autoflush:
                car = select(Vehicle.odometer).where(Vehicle.id == record.vehicle_id)
                record.done_km = self.session.execute(car).scalar()
        if (record.months or record.km) and record.done_on <= self.today():
            with self.session.no_autoflush:
                reckon(self.session, [record])

    def check(self, record: ServiceItem, changed: set[str]) -> None:
        """Refuse an interval without months and distance, and work that lies ahead.

        :raises InvalidInput: names the field.
        """
        if not record.months and not record.km:
            raise wrong("months", _("Write after how many months, or km, it is due again."))
        if record.done_on > self.today():
            raise wrong("done_on", _("Write a day that is not in the future."))
        if record.km and record.done_km is None:
            raise wrong("done_km", _("Write what the clock showed, since it is due again by distance."))

    def done(self, record_id: object, on: str = "", km: str = "") -> ServiceItem:
        """Note that it was done: the next time counts from here, and the mileage is a reading of the car.

        :raises InvalidInput: names the field.
        """
        record = self.get(record_id, action="write", lock=True)
        values: dict[str, Any] = {"done_on": on or self.today().isoformat()}
        if km:
            values["done_km"] = km
        elif record.km:
            values["done_km"] = self._odometer(record.vehicle_id)
        record = self.update(record.id, values)
        if km and record.done_km is not None:
            read = {"source": "workshop", "read_on": record.done_on.isoformat()}
            keep_reading(self.session, self.actor, record.vehicle_id, record.done_km, **read)
        return record

    def usual(self, vehicle_id: object) -> Sequence[ServiceItem]:
        """Add the firm's usual services to a car that has none.

        :raises Conflict: when it has some by now.
        """
        car = service_for(VEHICLES, self.session, self.actor).get(vehicle_id, lock=True)
        if of_vehicle(self.session, car.id):
            raise Conflict(_("This car has services already. Add what is missing one by one."))
        settings = plugin_settings(self.session, SLUG)
        made = [
            {"name": _("Service"), "months": settings["upkeep_months"], "km": settings["upkeep_km"]},
            {"name": _("Brake fluid"), "kind": "wear", "months": 24},
        ]
        return [self.create({"vehicle_id": str(car.id), **one, **self._supposed(car, one)}) for one in made]

    def _supposed(self, car: Any, one: Mapping[str, Any]) -> dict[str, Any]:
        """Return when it was done last: by the book, since nobody knows what was done to a car that was brought in."""
        today, run = self.today(), car.odometer or 0
        since = car.in_service_on or today
        if since >= today:
            return {"done_on": today.isoformat(), "done_km": run}
        last = last_by_plan(since, today, one["months"])
        words = _("Nobody has noted when it was done last: reckoned as if always by the book.")
        km = run - run % one["km"] if one.get("km") else 0
        return {
            "done_on": last.isoformat(),
            "done_km": km,
            **({"description": words} if last > since else {}),
        }

    def today(self) -> dt.date:
        """Return the day in the firm's zone."""
        return clock.today(self.tenant.tz)

    def _odometer(self, vehicle_id: uuid.UUID) -> int | None:
        return self.session.execute(select(Vehicle.odometer).where(Vehicle.id == vehicle_id)).scalar()

    def search_texts(self, record: ServiceItem) -> Iterable[tuple[str, str]]:
        """Services are found at their car."""
        return ()


def of_vehicle(session: Any, vehicle_id: uuid.UUID) -> list[ServiceItem]:
    """Return the live items of a car, the next one first; the caller has looked at the car."""
    statement = (
        select(ServiceItem)
        .where(ServiceItem.vehicle_id == vehicle_id, ServiceItem.deleted_at.is_(None))
        .order_by(ServiceItem.due_on.nulls_last(), ServiceItem.id)
        .limit(50)
    )
    return list(session.execute(statement).scalars())


def tone(due_on: dt.date | None, today: dt.date) -> str:
    """Return how pressing a day is."""
    if due_on is None:
        return "neutral"
    if due_on < today:
        return "bad"
    return "warn" if due_on <= today + dt.timedelta(days=30) else "ok"


INTERVALS: Mapping[str, int] = {"upkeep_months": 12, "upkeep_km": 15_000}
"""The usual service, until a firm says otherwise."""
