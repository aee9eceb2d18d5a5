"""Forecasts of when coverages of vehicles end by distance, kept with the platform's terms each night."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kehu.api import Call, Event, Session, _, actor, and_, day_text, run_later, select, service_for, tenant
from plugins_builtin.automotive.vehicles.models import OdometerReading, Vehicle
from plugins_builtin.automotive.vehicles.odometer import COUNTED, to_km
from plugins_builtin.automotive.warranty.ends import Expiry, distance_end, expiry
from plugins_builtin.automotive.warranty.mileage import Pace, Point, pace
from plugins_builtin.automotive.warranty.rights import able

TERMS = "owned_item_terms"
READINGS = "automotive.odometer_readings"
UNITS = ("km", "mi")
SLICE = 1000
SLICES = 20
"""So many slices one job does; the next ones are asked for."""

FARTHEST = dt.timedelta(days=40 * 366)
"""A forecast farther ahead is none."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """A term of a vehicle with what its end is reckoned from."""

    term_id: uuid.UUID
    starts_on: dt.date
    ends_on: dt.date | None
    limit: int | None
    unit: str
    start_km: int
    expected: dt.date | None
    expectation: str | None
    vehicle_id: uuid.UUID
    born: dt.date

    @property
    def limit_km(self) -> int | None:
        """What the car has run in all when the distance is used up."""
        return None if self.limit is None else to_km(self.start_km + self.limit, self.unit)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """When a coverage ends, and how that was reckoned."""

    coverage: Coverage
    expiry: Expiry
    pace: Pace
    readings: int

    @property
    def words(self) -> str:
        """Say how the end by distance was reckoned."""
        distance, last = self.expiry.distance, self.pace.last
        if distance is None:
            return ""
        if distance.sure:
            return _(
                "%(limit)s km were reached about %(day)s, as a reading shows.",
                limit=f"{distance.km:,}",
                day=day_text(distance.on),
            )
        if not self.pace.is_read:
            return _(
                "No reading yet: reckoned with %(rate)s km a day, as cars of this age usually go.",
                rate=round(self.pace.rate),
            )
        return _(
            "About %(rate)s km a day from %(km)s km on %(day)s on: between %(early)s and %(late)s.",
            rate=round(self.pace.rate),
            km=f"{last.km:,}",
            day=day_text(last.on),
            early=day_text(distance.early),
            late=day_text(distance.late),
        )


def coverages(session: Session, *conditions: Any, limit: int = SLICE) -> list[Coverage]:
    """Return terms of vehicles in the order of their ids."""
    term: Any = service_for(TERMS, session).type.model
    statement = (
        select(
            term.id,
            term.starts_on,
            term.ends_on,
            term.usage_limit,
            term.usage_unit,
            term.start_usage,
            term.expected_ends_on,
            term.expectation,
            Vehicle.id.label("vehicle_id"),
            Vehicle.first_registration_on,
            Vehicle.in_service_on,
            Vehicle.year,
        )
        .join(Vehicle, and_(Vehicle.tenant_id == term.tenant_id, Vehicle.owned_item_id == term.item_id))
        .where(
            term.tenant_id == tenant().id,
            Vehicle.deleted_at.is_(None),
            term.deleted_at.is_(None),
            *conditions,
        )
        .order_by(term.id)
        .limit(limit)
    )
    return [
        Coverage(
            term_id=row.id,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            limit=row.usage_limit if row.usage_unit in UNITS else None,
            unit=row.usage_unit or "km",
            start_km=row.start_usage or 0,
            expected=row.expected_ends_on,
            expectation=row.expectation,
            vehicle_id=row.vehicle_id,
            born=row.first_registration_on
            or row.in_service_on
            or (dt.date(row.year, 7, 1) if row.year and row.year > 1 else row.starts_on),
        )
        for row in session.execute(statement)
    ]


def running(session: Session) -> tuple[Any, ...]:
    """Return the conditions of terms that end some day by distance."""
    term: Any = service_for(TERMS, session).type.model
    return term.state == "active", term.item_in_use, term.usage_limit.is_not(None), term.usage_unit.in_(UNITS)


def readings_of(session: Session, vehicle_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, list[Point]]:
    """Return the readings of vehicles that count."""
    reading = OdometerReading
    statement = (
        select(reading.vehicle_id, reading.read_on, reading.km)
        .where(
            reading.tenant_id == tenant().id,
            reading.vehicle_id.in_(set(vehicle_ids)),
            reading.status.in_(COUNTED),
            reading.deleted_at.is_(None),
        )
        .order_by(reading.vehicle_id, reading.read_on, reading.km)
    )
    found: dict[uuid.UUID, list[Point]] = {}
    for row in session.execute(statement):
        found.setdefault(row.vehicle_id, []).append(Point(on=row.read_on, km=row.km))
    return found


def forecasts(session: Session, found: Sequence[Coverage], own: float | None = None) -> list[Forecast]:
    """Return when coverages end, in the same order."""
    known = readings_of(session, [one.vehicle_id for one in found]) if found else {}
    return [forecast(one, known.get(one.vehicle_id, []), own) for one in found]


def forecast(one: Coverage, readings: Sequence[Point], own: float | None = None) -> Forecast:
    """Return when a coverage ends."""
    start = Point(on=one.starts_on, km=to_km(one.start_km, one.unit))
    newest = readings[-1].on if readings else one.starts_on
    found = pace(start, readings, (newest - one.born).days / 365.25, own)
    limit = one.limit_km
    distance = distance_end(limit, start, readings, found) if limit is not None else None
    return Forecast(coverage=one, expiry=expiry(one.ends_on, distance), pace=found, readings=len(readings))


def keep(session: Session, found: Sequence[Forecast], today: dt.date) -> int:
    """Keep what has changed with the platform's terms, and return for how many."""
    changed = {}
    for one in found:
        distance = one.expiry.distance
        if distance is None:
            continue
        day = distance.on if distance.on <= today + FARTHEST else None
        words = one.words if day is not None else ""
        if (day, words) != (one.coverage.expected, one.coverage.expectation or ""):
            changed[one.coverage.term_id] = (day, words)
    if not changed:
        return 0
    terms: Any = service_for(TERMS, session, able(actor(), TERMS))
    kept: int = terms.expect(changed)
    return kept


def own_pace(settings: Mapping[str, Any]) -> float | None:
    """Return what the firm says that its customers' cars go in a day."""
    said = settings.get("warranty_km_per_day")
    return float(said) if said else None


def nightly(ctx: Call, after: str = "") -> None:
    """Reckon all coverages anew, some slices in each job; safe to run again."""
    last = reckon(ctx, uuid.UUID(after) if after else None)
    if last is not None:
        run_later(ctx.session, "automotive.warranty_forecasts", after=str(last))


def reckon(ctx: Call, last: uuid.UUID | None) -> uuid.UUID | None:
    """Reckon some slices of coverages anew, and return the last one if more follow."""
    term: Any = service_for(TERMS, ctx.session).type.model
    own = own_pace(ctx.settings)
    for _turn in range(SLICES):
        beyond = (term.id > last,) if last is not None else ()
        found = coverages(ctx.session, *running(ctx.session), *beyond)
        keep(ctx.session, forecasts(ctx.session, found, own), ctx.today)
        if len(found) < SLICE:
            return None
        last = found[-1].term_id
    return last


def of_vehicle(ctx: Call, vehicle_id: uuid.UUID) -> None:
    """Reckon the coverages of one vehicle anew."""
    found = coverages(ctx.session, *running(ctx.session), Vehicle.id == vehicle_id)
    keep(ctx.session, forecasts(ctx.session, found, own_pace(ctx.settings)), ctx.today)


def follow(ctx: Call, event: Event) -> None:
    """Reckon anew what a reading or a term changes."""
    kind, record_id = event.payload.get("object"), uuid.UUID(str(event.payload.get("record_id")))
    if kind == READINGS:
        statement = select(OdometerReading.vehicle_id).where(OdometerReading.id == record_id)
    elif kind == TERMS:
        term: Any = service_for(TERMS, ctx.session).type.model
        statement = (
            select(Vehicle.id)
            .join(term, and_(term.tenant_id == Vehicle.tenant_id, term.item_id == Vehicle.owned_item_id))
            .where(term.id == record_id)
        )
    else:
        return
    vehicle_id = ctx.session.execute(statement).scalar()
    if vehicle_id is not None:
        of_vehicle(ctx, vehicle_id)
