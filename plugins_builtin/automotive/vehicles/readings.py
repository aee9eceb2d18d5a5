"""What the clocks of vehicles showed: readings may be corrected and never silently go back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kehu.api import (
    Actor,
    FollowingService,
    Forbidden,
    InvalidInput,
    NotFound,
    Session,
    _,
    clock,
    day_text,
    select,
    service_for,
    tenant,
    whole,
)
from plugins_builtin.automotive.vehicles.fields import READINGS, VEHICLES
from plugins_builtin.automotive.vehicles.models import OdometerReading, Vehicle
from plugins_builtin.automotive.vehicles.odometer import (
    COUNTED,
    MOST_KM,
    Contradiction,
    Point,
    contradicting,
    contradiction,
    newest,
    offset,
    run_before,
    settled,
    to_km,
)
from plugins_builtin.automotive.vehicles.parties import PartyService
from plugins_builtin.automotive.vehicles.writing import is_new, reckoned, wrong

SHOWN = 200
"""The most readings that are shown of one vehicle."""
MILES = frozenset({"US", "GB", "LR", "MM", "PR"})
"""Where clocks show miles."""
_SAID = frozenset({"shown", "unit", "read_on"})


def usual_unit() -> str:
    """Return what clocks show where the firm is."""
    return "mi" if tenant().country in MILES else "km"


class ReadingService(FollowingService[OdometerReading]):
    """Write readings. One that contradicts another is refused with which one, until somebody says why.

    :param fresh: the vehicles are new, so that nothing can contradict.
    """

    type_name = READINGS
    fresh = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._answer = ""
        self._ways: tuple[str, ...] = ()
        self._waiting: dict[uuid.UUID, list[OdometerReading]] = {}

    # What the platform asks ---------------------------------------------------------------

    def prepare(self, record: OdometerReading, changed: set[str]) -> None:
        """Reckon how far the vehicle had run, and say whether that can be right.

        :raises InvalidInput: names the reading it contradicts.
        """
        vehicle = PartyService(self.session, self.actor).vehicle(record.vehicle_id)
        given: dt.date | None = record.read_on
        record.read_on = given or clock.today(self.tenant.tz)
        if is_new(record):
            record.owner_id = vehicle.owner_id
        elif "vehicle_id" in changed:
            raise wrong("vehicle_id", _("A reading stays with the vehicle; add it to the other one."))
        if record.read_on > clock.today(self.tenant.tz):
            raise wrong("read_on", _("Write a day that is not in the future."))
        others = [] if self.fresh else self._others(record)
        if self._answer == "replaced":
            record.status = "replaced"
        self._weigh(record, others)
        if not is_new(record) and record.status == "valid" and changed & _SAID:
            record.status = "corrected"
        if is_new(record):
            self._waiting.setdefault(record.vehicle_id, []).append(record)

    def check(self, record: OdometerReading, changed: set[str]) -> None:
        """Refuse readings of vehicles that the actor may not change."""
        if not self.fresh:
            service_for(VEHICLES, self.session, self.actor).get(record.vehicle_id, action="write")

    def saved(self, records: Sequence[OdometerReading], action: str) -> None:
        """Reckon all readings of the vehicles again, and what the vehicles have run by now."""
        self._waiting.clear()
        self.session.flush()
        ids = {record.vehicle_id for record in records}
        readings: dict[uuid.UUID, list[OdometerReading]] = {one: [] for one in ids}
        for one in self._live(ids):
            readings[one.vehicle_id].append(one)
        statement = select(Vehicle).where(Vehicle.id.in_(list(ids)))
        for vehicle in self.session.execute(statement).scalars():
            mine = readings[vehicle.id]
            runs = settled([(one.read_on, one.status, to_km(one.shown, one.unit)) for one in mine])
            reckoned(self.session, [(one, {"km": km}) for one, km in zip(mine, runs, strict=True)])
            last = newest(point(one) for one in mine if one.status in COUNTED)
            known = {"odometer": last.km if last else None, "odometer_on": last.on if last else None}
            reckoned(self.session, [(vehicle, known)])

    def title_of(self, record: OdometerReading) -> str:
        """Return what the clock showed and when."""
        return _(
            "%(shown)s %(unit)s on %(day)s",
            shown=whole(record.shown),
            unit=record.unit,
            day=day_text(record.read_on),
        )

    def search_texts(self, record: OdometerReading) -> Iterable[tuple[str, str]]:
        """They are found by their vehicles."""
        return ()

    # What is written ----------------------------------------------------------------------

    def add(self, values: Mapping[str, Any], answer: str = "") -> OdometerReading:
        """Add a reading; the same day and distance once more is the reading that stands there.

        :param answer: to a contradiction: `replaced` (the clock was), `mistyped` (the other reading was), `right` (so
            far in so few days), `suspect` (keep this one as doubtful).
        :raises InvalidInput: names the field; `details["ways"]` holds the answers that may follow to a contradiction.
        """
        loaded, errors = self.load(values, new=True)
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        vehicle = PartyService(self.session, self.actor).vehicle(loaded["vehicle_id"])
        day = loaded.get("read_on") or clock.today(self.tenant.tz)
        unit = loaded.get("unit") or usual_unit()
        readings = self._live([vehicle.id])
        for one in readings:
            if (one.read_on, one.shown, one.unit) == (day, loaded["shown"], unit) and not answer:
                return one
        if answer == "mistyped":
            km = offset(
                [(one.read_on, one.status, one.km - to_km(one.shown, one.unit)) for one in readings], day
            )
            new = Point(on=day, km=km + to_km(loaded["shown"], unit))
            for wrong_one in contradicting([point(one) for one in readings if one.status in COUNTED], new):
                self.update(wrong_one.id, {"status": "suspect"})
        self._answer = answer
        try:
            return self.create({**values, **({"status": "suspect"} if answer == "suspect" else {})})
        except InvalidInput as error:
            raise InvalidInput(error.message, fields=error.fields, ways=self._ways) from error
        finally:
            self._answer = ""

    # What is asked ------------------------------------------------------------------------

    def of_vehicle(self, vehicle_id: uuid.UUID) -> Sequence[OdometerReading]:
        """Return the readings of a vehicle that the actor may see, the newest first, doubtful ones among them."""
        self.actor.require(f"{READINGS}:read")
        return self._live([vehicle_id])[::-1][:SHOWN]

    def counted(self, vehicle_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Point]]:
        """Return what vehicles had run by when, the oldest first: for forecasts."""
        self.actor.require(f"{READINGS}:read")
        reading = OdometerReading
        statement = (
            select(reading.vehicle_id, reading.read_on, reading.km, reading.id)
            .where(
                reading.tenant_id == self.tenant.id,
                reading.vehicle_id.in_(list(vehicle_ids)),
                reading.status.in_(COUNTED),
                reading.deleted_at.is_(None),
            )
            .order_by(reading.vehicle_id, reading.read_on, reading.km)
        )
        found: dict[uuid.UUID, list[Point]] = {}
        for row in self.session.execute(statement):
            found.setdefault(row.vehicle_id, []).append(Point(on=row.read_on, km=row.km, id=row.id))
        return found

    # Parts --------------------------------------------------------------------------------

    def _weigh(self, record: OdometerReading, others: Sequence[OdometerReading]) -> None:
        points = [point(one) for one in others if one.status in COUNTED]
        driven = to_km(record.shown, record.unit)
        if record.status == "replaced":
            record.km = run_before(points, record.read_on) + driven
        else:
            clocks = [(one.read_on, one.status, one.km - to_km(one.shown, one.unit)) for one in others]
            record.km = offset(clocks, record.read_on) + driven
        if record.km > MOST_KM:
            message = _(
                "A car runs at most %(most)s km in its life. Look at the number again.", most=whole(MOST_KM)
            )
            raise wrong("shown", message)
        if record.status == "suspect" or self.session.info.get("undoing"):
            return
        against = contradiction(points, point(record))
        if against is not None and not (against.fault == "far" and self._answer == "right"):
            refusal, self._ways = _refusal(against)
            raise refusal

    def _others(self, record: OdometerReading) -> list[OdometerReading]:
        kept = [one for one in self._live([record.vehicle_id]) if one.id != record.id]
        return kept + [one for one in self._waiting.get(record.vehicle_id, ()) if one.id != record.id]

    def _live(self, vehicle_ids: Iterable[uuid.UUID]) -> list[OdometerReading]:
        """Return what is kept of vehicles, the oldest first."""
        reading = OdometerReading
        statement = (
            select(reading)
            .where(reading.vehicle_id.in_(list(vehicle_ids)), reading.deleted_at.is_(None))
            .order_by(reading.read_on, reading.km, reading.id)
        )
        with self.session.no_autoflush:
            return list(self.session.execute(statement).scalars())


def keep_reading(session: Session, who: Actor, vehicle_id: uuid.UUID, km: int, **beside: Any) -> None:
    """Keep a mileage that other work has shown; what contradicts the other readings is kept as doubtful.

    Who may write no readings, or not of this vehicle, keeps none.

    :param beside: `source`, `read_on`.
    """
    if not who.may(f"{READINGS}:write"):
        return
    values = {"vehicle_id": str(vehicle_id), "shown": km, "unit": "km", **beside}
    try:
        try:
            ReadingService(session, who).add(values)
        except InvalidInput:
            ReadingService(session, who).add(values, "suspect")
    except (NotFound, Forbidden, InvalidInput):
        return


def point(reading: OdometerReading) -> Point:
    """Return a reading for the rules."""
    return Point(on=reading.read_on, km=reading.km, id=reading.id)


def _refusal(against: Contradiction) -> tuple[InvalidInput, tuple[str, ...]]:
    """Return what is wrong, and the answers that may follow."""
    known: dict[str, Any] = {"km": whole(against.other.km), "day": day_text(against.other.on)}
    ways: tuple[str, ...] = ("mistyped", "suspect")
    if against.fault == "lower":
        message = _(
            "This is lower than %(km)s km of %(day)s. Say whether the clock was replaced or one of them is wrong.",
            **known,
        )
        ways = ("replaced", "mistyped", "suspect")
    elif against.fault == "higher":
        message = _(
            "This is higher than %(km)s km of %(day)s, a later day. Say which of the two is wrong.", **known
        )
    else:
        message = _(
            "This is very far from %(km)s km of %(day)s for so few days. Say whether it is right.", **known
        )
        ways = ("right", "suspect")
    return wrong("shown", message), ways
