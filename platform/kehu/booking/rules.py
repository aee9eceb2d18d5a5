"""What a booking may look like, apart from other bookings."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from kehu.core.i18n import _

LONGEST = dt.timedelta(days=31)
LONGEST_CLOSURE = dt.timedelta(days=366)
LATE = dt.timedelta(hours=1)
"""How long after its start a booking may still be written down."""

STEPS: dict[str, tuple[str, ...]] = {
    "booked": ("out", "no_show", "cancelled"),
    "out": ("back", "booked"),
    "back": ("out",),
    "no_show": ("booked",),
    "cancelled": ("booked",),
}
"""From a state to those that may follow; the way back is that of undo."""

LIVING = frozenset({"booked", "out"})


def wrong_times(
    start: dt.datetime, end: dt.datetime, now: dt.datetime, *, closure: bool = False, history: bool = False
) -> tuple[str, str] | None:
    """Return the field and what is wrong with the times of a booking, or None.

    :param history: the booking is brought over from elsewhere, so that it may lie in the past.
    """
    if end <= start:
        return "to_at", _("The end must come after the start.")
    longest = LONGEST_CLOSURE if closure else LONGEST
    if end - start > longest:
        return "to_at", _("This is longer than %(days)s days; choose an earlier end.", days=longest.days)
    if history or closure:
        return None
    if end <= now or start < now - LATE:
        return "from_at", _("This time is over; choose one that is still to come.")
    return None


def skipped(wall: dt.datetime, zone: ZoneInfo) -> bool:
    """Tell whether a wall clock never shows a time: the hour that is left out when summer time begins."""
    there = wall.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone)
    return there.replace(tzinfo=None) != wall.replace(tzinfo=None)
