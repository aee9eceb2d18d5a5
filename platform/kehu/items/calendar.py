"""Months on the calendar, and where a term ends."""

from __future__ import annotations

import calendar
import datetime as dt


def add_months(start: dt.date, months: int) -> dt.date:
    """Return the same day so many months later, or the last of a shorter month (31 August + 6 = 28 February).

    :raises OverflowError: beyond the years of the calendar.
    """
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise OverflowError(f"{months} months after {start} lie outside of the calendar.")
    return dt.date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def earlier(*days: dt.date | None) -> dt.date | None:
    """Return the earliest of the days that are known."""
    return min((day for day in days if day is not None), default=None)
