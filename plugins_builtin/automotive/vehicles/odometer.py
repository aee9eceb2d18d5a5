"""Whether a reading of a clock can be right, beside those that are known; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

KM_PER_MILE = 1.609344
COUNTED = ("valid", "replaced", "corrected")
"""States of readings that count; suspect ones never do."""
MOST_PER_DAY = 1500
"""More km in a day than this are asked about (AUTOMOTIVE 9)."""
MOST_KM = 5_000_000

Fault = Literal["lower", "higher", "far"]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A reading that counts: what the car had run by a day."""

    on: dt.date
    km: int
    id: Any = None


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """Why a reading can't stand beside another: lower than one before, higher than one after, or too far from it."""

    fault: Fault
    other: Point


def to_km(shown: int, unit: str) -> int:
    """Return a distance in km; a mile is 1.609344 km."""
    return round(shown * KM_PER_MILE) if unit == "mi" else shown


def contradiction(points: Iterable[Point], new: Point) -> Contradiction | None:
    """Return what speaks against a reading, or None.

    Of two on one day the later written one may not be the lower one.
    """
    known = sorted(points, key=lambda one: (one.on, one.km))
    before = [one for one in known if one.on <= new.on]
    after = [one for one in known if one.on > new.on]
    highest = max(before, key=lambda one: (one.km, one.on), default=None)
    lowest = min(after, key=lambda one: (one.km, one.on), default=None)
    if highest is not None and new.km < highest.km:
        return Contradiction(fault="lower", other=highest)
    if lowest is not None and new.km > lowest.km:
        return Contradiction(fault="higher", other=lowest)
    for other in (*before[-1:], *after[:1]):
        if _too_far(other, new):
            return Contradiction(fault="far", other=other)
    return None


def contradicting(points: Iterable[Point], new: Point) -> list[Point]:
    """Return the readings that can't be right if this one is."""
    return [
        one
        for one in points
        if (one.on <= new.on and one.km > new.km) or (one.on > new.on and one.km < new.km)
    ]


def newest(points: Iterable[Point]) -> Point | None:
    """Return what a car has run by its newest reading; of two on one day the higher one."""
    return max(points, key=lambda one: (one.on, one.km), default=None)


def run_before(points: Sequence[Point], on: dt.date) -> int:
    """Return what a car had run at least by a day."""
    return max((one.km for one in points if one.on <= on), default=0)


def _too_far(one: Point, other: Point) -> bool:
    days = max(abs((other.on - one.on).days), 1)
    return abs(other.km - one.km) > MOST_PER_DAY * days


def offset(clocks: Iterable[tuple[dt.date, str, int]], on: dt.date) -> int:
    """Return what a car had run before its clock of a day was fitted.

    :param clocks: of each reading the day, the state, and how much more the car had run than the clock showed.
    """
    fitted = [(day, more) for day, state, more in clocks if state == "replaced" and day <= on]
    return max(fitted, default=(on, 0))[1]


def settled(readings: Iterable[tuple[dt.date, str, int]]) -> list[int]:
    """Return what a car had run by each reading, from the oldest on: the first of a new clock goes on from the last.

    :param readings: of each the day, the state and what the clock showed, in km.
    """
    before = run = 0
    found = []
    for _day, state, shown in readings:
        if state == "replaced":
            before = run
        km = before + shown
        if state in COUNTED:
            run = max(run, km)
        found.append(km)
    return found
