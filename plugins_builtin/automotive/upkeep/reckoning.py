"""Reckoning when services are due: the pace of each car from its readings, in batches."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from kehu.api import (
    Call,
    Event,
    Session,
    _,
    clock,
    day_text,
    parse_id,
    plugin_settings,
    select,
    tenant,
    update_rows,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.upkeep.models import ServiceItem
from plugins_builtin.automotive.upkeep.rules import Due, next_due
from plugins_builtin.automotive.vehicles.models import OdometerReading, Vehicle
from plugins_builtin.automotive.warranty.forecasting import own_pace, readings_of
from plugins_builtin.automotive.warranty.mileage import Pace, Point, pace

SLICE = 1000
DERIVED = ("due_on", "due_by", "basis")


def reckon(session: Session, items: Sequence[ServiceItem]) -> None:
    """Write day and basis into items; a few statements for all of them."""
    vehicles = sorted({one.vehicle_id for one in items})
    cars = {one.id: one for one in _vehicles(session, vehicles)}
    points = readings_of(session, vehicles)
    own = own_pace(plugin_settings(session, SLUG))
    for item in items:
        car = cars.get(item.vehicle_id)
        due = of_item(item, car, points.get(item.vehicle_id, []), own) if car is not None else None
        item.due_on, item.due_by, item.basis = due if due is not None else (None, None, None)


def of_item(
    item: ServiceItem, car: Any, points: Sequence[Point], own: float | None = None
) -> tuple[dt.date, str, str] | None:
    """Return day, what brings it, and how that was reckoned.

    :param own: what the firm says that its customers' cars go in a day.
    """
    start = Point(on=item.done_on, km=item.done_km or 0)
    born = car.in_service_on or car.first_registration_on or item.done_on
    today = clock.today(tenant().tz)
    found = pace(start, points, max((today - born).days, 0) / 365.25, own)
    # A reading from before the work says nothing newer than the work itself.
    last = found.last if found.last.on >= item.done_on else start
    due = next_due(
        done_on=item.done_on,
        done_km=item.done_km,
        months=item.months,
        km=item.km,
        read_on=last.on,
        read_km=last.km,
        rate=found.rate,
    )
    return None if due is None else (due.on, due.by, _words(item, due, found))


def _words(item: ServiceItem, due: Due, found: Pace) -> str:
    if due.by == "time":
        return _("%(months)s months after %(day)s.", months=item.months, day=day_text(item.done_on))
    if due.sure:
        return _("%(km)s km have been run, as a reading shows.", km=f"{due.km:,}")
    return _("About %(rate)s km a day up to %(km)s km.", rate=round(found.rate), km=f"{due.km:,}")


def _vehicles(session: Session, ids: Iterable[uuid.UUID]) -> Sequence[Any]:
    statement = select(Vehicle.id, Vehicle.in_service_on, Vehicle.first_registration_on)
    return session.execute(statement.where(Vehicle.id.in_(list(ids)))).all()


def sweep(ctx: Call) -> None:
    """Reckon all items of a firm anew, a slice at a time."""
    last: uuid.UUID | None = None
    while True:
        statement = select(ServiceItem).where(ServiceItem.deleted_at.is_(None), ServiceItem.paused.is_(False))
        if last is not None:
            statement = statement.where(ServiceItem.id > last)
        items = list(ctx.session.execute(statement.order_by(ServiceItem.id).limit(SLICE)).scalars())
        if not items:
            return
        _write(ctx.session, items)
        last = items[-1].id
        ctx.session.expunge_all()


def _write(session: Session, items: Sequence[ServiceItem]) -> None:
    """Keep what has changed, without a new version: nobody wrote it."""
    before = {one.id: (one.due_on, one.due_by, one.basis) for one in items}
    with session.no_autoflush:
        reckon(session, items)
    rows = [
        {"id": one.id, **{key: getattr(one, key) for key in DERIVED}}
        for one in items
        if (one.due_on, one.due_by, one.basis) != before[one.id]
    ]
    for one in items:
        session.expunge(one)
    if rows:
        update_rows(session, ServiceItem.__table__, rows)


def after_change(ctx: Call, event: Event) -> None:
    """Reckon a car's items anew when its clock was read."""
    if not event.name.startswith("automotive.odometer_reading."):
        return
    reading = ctx.session.get(OdometerReading, (ctx.tenant.id, parse_id(event.payload["record_id"])))
    if reading is None:
        return
    statement = select(ServiceItem).where(
        ServiceItem.vehicle_id == reading.vehicle_id, ServiceItem.deleted_at.is_(None)
    )
    items = list(ctx.session.execute(statement.limit(SLICE)).scalars())
    if items:
        _write(ctx.session, items)
