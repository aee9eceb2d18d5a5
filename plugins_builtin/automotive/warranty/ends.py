"""When a coverage ends: by months or by distance, whichever comes first; pure (domain notes, section 9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Literal

from plugins_builtin.automotive.warranty.mileage import Pace, Point, believable

SLOWER, FASTER = 0.75, 1.25
"""A forecast is told as a band between these shares of the pace."""

FAR = dt.date(9000, 1, 1)
"""Stands for a day that never comes."""

Basis = Literal["time", "distance"]
Confidence = Literal["sure", "good", "fair", "poor"]


@dataclass(frozen=True, kw_only=True)
class DistanceEnd:
    """When a distance is reached.

    :param sure: a reading shows that it was; else it is a forecast, which denies no cover.
    :param early, late: the band of the forecast.
    """

    on: dt.date
    early: dt.date
    late: dt.date
    sure: bool
    km: int


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """When a coverage ends, and by what."""

    on: dt.date | None
    by: Basis
    time: dt.date | None
    distance: DistanceEnd | None

    @property
    def sure(self) -> bool:
        """Whether it is known: by the calendar, or by a reading."""
        return self.by == "time" or (self.distance is not None and self.distance.sure)


def distance_end(limit: int, start: Point, readings: Iterable[Point], pace: Pace) -> DistanceEnd:
    """Return when a car reaches a distance, counted in all since it was built.

    What a reading shows already is placed between it and the one before, in proportion.
    """
    points = believable(readings)
    passed = next((at for at, one in enumerate(points) if one.km >= limit), None)
    if passed is not None:
        after = points[passed]
        before = points[passed - 1] if passed else start
        day = _between(before, after, limit)
        return DistanceEnd(on=day, early=day, late=day, sure=True, km=limit)
    days = [_reached(pace.last, limit, pace.rate * share) for share in (1.0, FASTER, SLOWER)]
    return DistanceEnd(on=days[0], early=days[1], late=days[2], sure=False, km=limit)


def _between(before: Point, after: Point, limit: int) -> dt.date:
    if before.on >= after.on or before.km >= limit or after.km <= before.km:
        return min(before.on, after.on) if before.km >= limit else after.on
    share = (limit - before.km) / (after.km - before.km)
    return before.on + dt.timedelta(days=ceil((after.on - before.on).days * share))


def _reached(last: Point, limit: int, rate: float) -> dt.date:
    """Return Dm = d2 + ceil((limit - o2) / r)."""
    if rate <= 0:
        return FAR
    days = ceil(round((limit - last.km) / rate, 6))
    return min(last.on + dt.timedelta(days=days), FAR) if days < 2_000_000 else FAR


def expiry(time: dt.date | None, distance: DistanceEnd | None) -> Expiry:
    """Return min(Dt, Dm) with its basis; a day that never comes is none."""
    if distance is not None and distance.on < (time or FAR):
        return Expiry(on=distance.on, by="distance", time=time, distance=distance)
    return Expiry(on=time, by="time", time=time, distance=distance)


def confidence(end: Expiry, pace: Pace, today: dt.date) -> Confidence:
    """Return how much an end can be relied on: known, or observed for long and read lately, or guessed."""
    distance = end.distance
    if end.by == "distance":
        known = distance is not None and distance.sure
    else:
        known = distance is None or distance.sure or distance.early >= (end.time or FAR)
    if known:
        return "sure"
    age = (today - pace.last.on).days
    if pace.days >= 180 and age <= 365:
        return "good"
    return "fair" if pace.days >= 60 else "poor"


def is_overdue(end: Expiry, today: dt.date) -> bool:
    """Tell whether only the forecast says that it is over: probably ended, the clock should be read."""
    return end.by == "distance" and not end.sure and end.on is not None and end.on <= today
