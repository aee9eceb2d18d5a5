"""A lane of the board: a day of one resource cut into pieces that are booked, free or closed. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

STEP = 15
"""Minutes of a column."""
DAY = 24 * 60
USUAL = (8 * 60, 18 * 60)
"""What a board shows when nothing reaches further."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some columns of a lane: `what` is booked, free, closed or past."""

    what: str
    start: int
    end: int
    entry: Any = None

    @property
    def columns(self) -> int:
        """How many columns it covers."""
        return (self.end - self.start) // STEP

    @property
    def text(self) -> str:
        """Its span on the wall clock."""
        return f"{clock_text(self.start)}–{clock_text(self.end)}"


def clock_text(minute: int) -> str:
    """Write a minute of the day as a wall clock shows it."""
    return f"{minute // 60:02}:{minute % 60:02}"


def minute_of(moment: dt.datetime, day: dt.date, zone: ZoneInfo) -> int:
    """Return how many minutes after midnight the wall clock shows, cut to the day."""
    local = moment.astimezone(zone)
    if local.date() != day:
        return 0 if local.date() < day else DAY
    return local.hour * 60 + local.minute


def window(spans: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return whole hours that hold the usual day and all of some spans."""
    starts, ends = [USUAL[0]], [USUAL[1]]
    for start, end in spans:
        starts.append(start)
        ends.append(end)
    return min(starts) // 60 * 60, min(-(-max(ends) // 60) * 60, DAY)


def pieces(
    bounds: tuple[int, int],
    taken: Sequence[tuple[int, int, Any]],
    opened: Sequence[tuple[int, int]],
    *,
    now: int = 0,
) -> list[Piece]:
    """Cut a lane into pieces, without gap or overlap, along columns.

    :param taken: what stands on the lane: from, to, entry; what reaches into the one before begins after it.
    :param opened: when it can be booked.
    :param now: before this minute nothing can be booked any more.
    """
    first, last = bounds
    found: list[Piece] = []
    at = first
    for start, end, entry in sorted(taken, key=lambda one: one[:2]):
        begins = max(start // STEP * STEP, at)
        ends = max(min(-(-end // STEP) * STEP, last), begins + STEP)
        if begins >= last:
            break
        found += _between(at, begins, opened, now)
        found.append(Piece(what="booked", start=begins, end=min(ends, last), entry=entry))
        at = min(ends, last)
    return found + _between(at, last, opened, now)


def _between(start: int, end: int, opened: Sequence[tuple[int, int]], now: int) -> list[Piece]:
    found: list[Piece] = []
    for at in range(start, end, STEP):
        inside = any(begins <= at and at + STEP <= ends for begins, ends in opened)
        what = "closed" if not inside else "past" if at < now else "free"
        if found and found[-1].what == what:
            found[-1] = Piece(what=what, start=found[-1].start, end=at + STEP)
        else:
            found.append(Piece(what=what, start=at, end=at + STEP))
    return found
