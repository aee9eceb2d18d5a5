"""When a service is due: months and distance from when it was done last, whichever comes first; pure."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from kehu.api import add_months


@dataclass(frozen=True, kw_only=True)
class Due:
    """A day and what brings it.

    :param by: `time` or `distance`.
    :param sure: a reading shows that the distance has been run; otherwise it is projected.
    """

    on: dt.date
    by: str
    km: int | None = None
    sure: bool = False


def last_by_plan(since: dt.date, today: dt.date, months: int | None) -> dt.date:
    """Return the last day until today on which work was due by the calendar, counted from the first use."""
    if not months:
        return since
    turns = ((today.year - since.year) * 12 + today.month - since.month) // months
    last = add_months(since, turns * months)
    return last if last <= today else add_months(since, (turns - 1) * months)


def next_due(
    *,
    done_on: dt.date,
    done_km: int | None,
    months: int | None,
    km: int | None,
    read_on: dt.date,
    read_km: int,
    rate: float,
) -> Due | None:
    """Return when it is due next, or None when it has neither months nor distance.

    :param read_km: what the car had run at its last reading.
    :param rate: km that it goes in a day.
    """
    found: list[Due] = []
    if months:
        found.append(Due(on=add_months(done_on, months), by="time"))
    if km and done_km is not None:
        limit = done_km + km
        if read_km >= limit:
            found.append(Due(on=read_on, by="distance", km=limit, sure=True))
        elif rate > 0:
            days = math.ceil((limit - read_km) / rate)
            found.append(Due(on=read_on + dt.timedelta(days=min(days, 36_500)), by="distance", km=limit))
    return min(found, key=lambda one: (one.on, one.by), default=None)
