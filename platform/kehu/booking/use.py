"""Bookings for plugins: book with a page of one's own, take the next step, find what is free."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.booking.models import Booking, BookingLine, Resource
from kehu.booking.services import BookingService
from kehu.calendars.queries import business_hours
from kehu.core import clock, context

GRID = dt.timedelta(minutes=15)


def book(session: Session, values: Mapping[str, Any], page: str = "") -> Booking:
    """Book resources; the actor needs the right `bookings:write`.

    :param values: fields of a booking: `resource_id`, `second_id`, `third_id`, `from_at`, `to_at`, `name`, `member_id`,
        `customer_id`, `deal_id` …
    :param page: where the booking is worked on, with `{id}` for the booking's: hand-out and return are then for the
        plugin alone, while it is on.
    :raises InvalidInput: names the field: what is taken, by what and until when.
    """
    service = BookingService(session)
    service.page = page
    return service.create(values)


def booking_step(session: Session, booking_id: uuid.UUID, state: str) -> Booking:
    """Bring a booking into its next state: out, back, no_show, cancelled.

    :raises Conflict: when it is in a state that allows no such step.
    """
    service = BookingService(session)
    service.for_plugin = True
    return service.step(booking_id, state)


def free_times(
    session: Session, resource_id: uuid.UUID, day: dt.date, minutes: int, grid: dt.timedelta = GRID
) -> Sequence[dt.datetime]:
    """Return the moments of a day from which a resource is free for some minutes, within its opening hours.

    Without hours of its own, those of the firm hold. Nothing is told of the bookings that are in between.
    """
    one = session.execute(select(Resource).where(Resource.id == resource_id)).scalar_one_or_none()
    if one is None or not one.active or one.deleted_at is not None:
        return []
    zone, length = context.tenant().tz, dt.timedelta(minutes=minutes)
    before, after = dt.timedelta(minutes=one.before_minutes), dt.timedelta(minutes=one.after_minutes)
    start = dt.datetime.combine(day, dt.time(), zone)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    statement = select(BookingLine.begins_at, BookingLine.ends_at).where(
        BookingLine.resource_id == resource_id,
        BookingLine.living,
        BookingLine.ends_at > start - before,
        BookingLine.begins_at < end + after,
    )
    taken = [(row.begins_at, row.ends_at) for row in session.execute(statement)]
    found = []
    for opens, closes in business_hours(session, one.calendar_id).open_on(day):
        at = max(opens, _next(clock.now(), grid))
        while at + length <= closes:
            if not any(begins < at + length + after and ends > at - before for begins, ends in taken):
                found.append(at)
            at += grid
    return found


def _next(moment: dt.datetime, grid: dt.timedelta) -> dt.datetime:
    """Return the first moment of the grid that is not past."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + -(-(moment - midnight) // grid) * grid
