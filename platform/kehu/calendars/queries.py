"""A tenant's opening hours as business time."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.calendars.models import Calendar, CalendarDay
from kehu.calendars.records import WEEKDAYS
from kehu.core import context
from kehu.core.business_hours import BusinessHours, parse_hours, usual

_KEPT = "business_hours"


def business_hours(session: Session, calendar_id: uuid.UUID | None = None) -> BusinessHours:
    """Return opening hours, those of the firm by default; all are read once in a unit of work.

    Until a firm says its own, Monday to Friday from nine to six hold. A calendar that is gone gives way to the firm's.
    """
    kept: Mapping[uuid.UUID | None, BusinessHours] | None = session.info.get(_KEPT)
    if kept is None:
        kept = session.info[_KEPT] = _read(session)
    return kept.get(calendar_id) or kept.get(None) or usual(context.tenant().tz)


def forget(session: Session) -> None:
    """Read the hours anew when they are asked for next."""
    session.info.pop(_KEPT, None)


def _read(session: Session) -> dict[uuid.UUID | None, BusinessHours]:
    days: dict[uuid.UUID, dict[object, str | None]] = {}
    statement = select(CalendarDay.calendar_id, CalendarDay.day, CalendarDay.hours)
    for row in session.execute(statement.where(CalendarDay.deleted_at.is_(None))):
        days.setdefault(row.calendar_id, {})[row.day] = row.hours
    found: dict[uuid.UUID | None, BusinessHours] = {}
    for calendar in calendars(session):
        hours = hours_of(calendar, days.get(calendar.id, {}))
        found[calendar.id] = hours
        if calendar.is_default:
            found[None] = hours
    return found


def hours_of(calendar: Calendar, days: Mapping[object, str | None] | None = None) -> BusinessHours:
    """Return the hours that a calendar's row says."""
    return BusinessHours(
        zone=context.tenant().tz,
        week=tuple(parse_hours(getattr(calendar, key) or "") for key in WEEKDAYS),
        days={day: parse_hours(text or "") for day, text in (days or {}).items()},  # type: ignore[misc]
    )


def calendars(session: Session) -> Sequence[Calendar]:
    """Return the calendars, the firm's first."""
    statement = select(Calendar).where(Calendar.deleted_at.is_(None))
    return session.execute(statement.order_by(Calendar.is_default.desc(), Calendar.name)).scalars().all()


def days_of(session: Session, calendar_id: uuid.UUID, year: int) -> Sequence[CalendarDay]:
    """Return the special days of a calendar in a year."""
    from datetime import date

    statement = select(CalendarDay).where(
        CalendarDay.calendar_id == calendar_id,
        CalendarDay.deleted_at.is_(None),
        CalendarDay.day >= date(year, 1, 1),
        CalendarDay.day <= date(year, 12, 31),
    )
    return session.execute(statement.order_by(CalendarDay.day)).scalars().all()
