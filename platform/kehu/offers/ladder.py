"""The ladder of a rule: so many days before a day somebody is written to or called."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

MOST_RUNGS, MOST_DAYS = 6, 730
AFTER = 30
"""So many days after its day an offer that nobody took is closed."""

Ladder = tuple[int, ...]


def parse(text: str) -> Ladder:
    """Return the days before the end in a text such as “90, 60, 30”, the earliest contact first.

    :raises ValueError: when it is no such list.
    """
    parts = [part for part in re.split(r"[\s,;/]+", text.strip()) if part]
    if not parts or len(parts) > MOST_RUNGS or not all(re.fullmatch(r"\d{1,4}", part) for part in parts):
        raise ValueError(text)
    days = sorted({int(part) for part in parts}, reverse=True)
    if days[0] > MOST_DAYS:
        raise ValueError(text)
    return tuple(days)


def write(ladder: Sequence[int]) -> str:
    """Return a ladder as people write it."""
    return ", ".join(str(days) for days in ladder)


def reached(ladder: Ladder, due_on: dt.date, today: dt.date) -> int | None:
    """Return the rung that holds today, or None before the first: late ones stand for those that were missed."""
    left = (due_on - today).days
    return min((days for days in ladder if days >= left), default=None)


def next_day(ladder: Ladder, due_on: dt.date, done: int | None) -> dt.date:
    """Return when the next rung after `done` is reached; after the last one, when the offer closes."""
    rest = [days for days in ladder if done is None or days < done]
    if not rest:
        return due_on + dt.timedelta(days=AFTER)
    return due_on - dt.timedelta(days=rest[0])
