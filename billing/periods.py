"""Days and months of billing: the end of a trial in the firm's zone, and periods that keep their day."""

from __future__ import annotations

import calendar
import datetime as dt
from zoneinfo import ZoneInfo


def trial_end(start: dt.datetime, zone: ZoneInfo, days: int) -> dt.datetime:
    """Return when a trial ends: at the midnight that closes its last whole day in the firm's zone."""
    return end_of_day(start.astimezone(zone).date() + dt.timedelta(days=days), zone)


def end_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the midnight that closes a day in the firm's zone."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, zone).astimezone(dt.UTC)


def months_later(anchor: dt.datetime, months: int) -> dt.datetime:
    """Return the moment so many months after an anchor, on its day or else on the month's last one.

    Periods are always counted from the anchor, so that 31 January leads to 28 February and then to 31 March.
    """
    index = anchor.month - 1 + months
    year, month = anchor.year + index // 12, index % 12 + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))


def next_end(anchor: dt.datetime, step: int, after: dt.datetime) -> dt.datetime:
    """Return the first end of a period after a moment.

    :param step: months of a period: 1 or 12.
    """
    count = max(1, ((after.year - anchor.year) * 12 + after.month - anchor.month) // step)
    while months_later(anchor, count * step) <= after:
        count += 1
    return months_later(anchor, count * step)
