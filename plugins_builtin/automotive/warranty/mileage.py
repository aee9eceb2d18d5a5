"""How far a car goes in a day, from what its clock showed; pure.

Rules and figures of the domain notes, section 9: the newest window of 60 to 730 days, drawn towards what cars of the
age usually do (NHTS 2022), the more the fewer days are observed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plugins_builtin.automotive.vehicles.odometer import MOST_PER_DAY

LEAST_DAYS, MOST_DAYS = 60, 730
"""A window of observation is this long, where there is one."""

WEIGHT = 182
"""What cars of the age usually do counts like so many observed days."""

USUAL = ((5, 39.7), (8, 35.0), (12, 31.0))
"""Years of age -> km a day of cars up to that age (NHTS 2022: 9,000 miles a year in the first five)."""

OLDER = 22.0
"""Km a day of cars that are older."""


@dataclass(frozen=True, kw_only=True, order=True)
class Point:
    """What a car had run by a day, in km."""

    on: dt.date
    km: int


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How far a car goes in a day, reckoned from a last reading.

    :param last: the newest reading that counts, or the beginning when there is none.
    :param observed: km a day over `days`; None when nothing could be observed.
    :param rate: km a day, drawn towards the usual.
    """

    last: Point
    observed: float | None
    days: int
    rate: float
    is_read: bool = True


def usual(years: float) -> float:
    """Return how far cars of an age usually go in a day."""
    return next((km for most, km in USUAL if years < most + 1), OLDER)


def believable(points: Iterable[Point]) -> list[Point]:
    """Return readings in the order of their days, without those that can't be: lower than before, or too far.

    Of two on one day the higher one counts.
    """
    found: list[Point] = []
    for one in sorted(points):
        if found and one.on == found[-1].on:
            before = found[-2] if len(found) > 1 else None
            if before is None or _possible(before, one):
                found[-1] = one
            continue
        if not found or _possible(found[-1], one):
            found.append(one)
    return found


def _possible(before: Point, one: Point) -> bool:
    days = max((one.on - before.on).days, 1)
    return one.km >= before.km and one.km - before.km <= MOST_PER_DAY * days


def window(points: Sequence[Point]) -> tuple[Point, Point] | None:
    """Return the two readings between which the pace is observed: the newest window of 60 to 730 days.

    Where there is none so long, the longest of what there is; where all others are older, the youngest of those.
    """
    if len(points) < 2:
        return None
    last, others = points[-1], points[:-1]
    long_enough = [one for one in others if (last.on - one.on).days >= LEAST_DAYS]
    if long_enough:
        return long_enough[-1], last
    return others[0], last


def pace(start: Point, readings: Iterable[Point], years: float, own: float | None = None) -> Pace:
    """Return how far a car goes in a day.

    :param start: what it had run when it began; counts as a reading while there is only one.
    :param years: its age at the last reading.
    :param own: what the firm knows of cars used like this one (a taxi), instead of the usual.
    """
    points = believable(readings)
    is_read = bool(points)
    if len(points) < 2 and start.on < (points[0].on if points else dt.date.max):
        points = believable([start, *points])
    prior = own if own is not None else usual(years)
    found = window(points)
    if found is None:
        return Pace(last=points[-1] if points else start, observed=None, days=0, rate=prior, is_read=is_read)
    days = (found[1].on - found[0].on).days
    observed = (found[1].km - found[0].km) / max(days, 1)
    weight = min(days, MOST_DAYS)
    rate = (weight * observed + WEIGHT * prior) / (weight + WEIGHT)
    return Pace(last=found[1], observed=observed, days=days, rate=rate, is_read=is_read)
