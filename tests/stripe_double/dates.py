"""Billing periods: https://docs.stripe.com/billing/subscriptions/billing-cycle.

A monthly cycle anchored on a day that a month lacks ends on that month's last day, and returns to the anchor's day.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

_SECONDS = {"day": 86400, "week": 7 * 86400}


def add_interval(start: int, interval: str, count: int, anchor: int | None) -> int:
    """Add an interval; the anchor decides the day of the month."""
    if interval in _SECONDS:
        return start + _SECONDS[interval] * count
    moment = datetime.fromtimestamp(start, UTC)
    months = moment.month - 1 + count * (12 if interval == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    day = datetime.fromtimestamp(anchor, UTC).day if anchor is not None else moment.day
    last = calendar.monthrange(year, month)[1]
    return int(moment.replace(year=year, month=month, day=min(day, last)).timestamp())


def long_date(moment: int) -> str:
    """Write a date as line descriptions have it: 16 Oct 2026."""
    return (datetime.fromtimestamp(moment, UTC) + timedelta()).strftime("%d %b %Y")
