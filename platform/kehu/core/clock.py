"""The only place that reads the time.

Tests and rehearsals may run the clock ahead of the real one, never back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

_ahead: ContextVar[dt.timedelta] = ContextVar("kehu_clock_ahead", default=dt.timedelta(0))


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC) + _ahead.get()


def today(zone: str | dt.tzinfo) -> dt.date:
    """Return the calendar day that it is now in a time zone."""
    tz = ZoneInfo(zone) if isinstance(zone, str) else zone
    return now().astimezone(tz).date()


@contextmanager
def ahead(by: dt.timedelta) -> Iterator[None]:
    """Run the clock ahead by a span within the block.

    :raises ValueError: for a negative span.
    """
    if by < dt.timedelta(0):
        raise ValueError("The clock can be run ahead, never back.")
    token = _ahead.set(_ahead.get() + by)
    try:
        yield
    finally:
        _ahead.reset(token)
