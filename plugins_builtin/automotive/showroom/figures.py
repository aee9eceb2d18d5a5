"""Counts of visits by host and step."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from kehu.api import Session, and_, clock, func, or_, readable, select
from plugins_builtin.automotive.showroom.models import Visit
from plugins_builtin.automotive.showroom.records import STEPS
from plugins_builtin.automotive.showroom.services import NAME

ORDER = tuple(step.value for step in STEPS)
COUNTED = ("presentation", "drive", "write_up", "sold")
LATE = dt.timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class HostLine:
    """What one host's visits came to. `reached` counts visits that came at least to a step."""

    host: uuid.UUID | None
    visits: int
    known: int
    late: int
    reached: dict[str, int]


def from_step(step: str) -> tuple[str, ...]:
    """Return a step and those after it."""
    return ORDER[ORDER.index(step) :]


def by_host(session: Session, since: dt.datetime) -> list[HostLine]:
    """Return a line for each host whose visits the reader may see, the most visits first.

    `late` counts visits that were entered more than two hours after the arrival.
    """
    known = or_(Visit.phone_norm.is_not(None), Visit.customer_id.is_not(None))
    columns: list[Any] = [
        func.count().label("visits"),
        func.count().filter(known).label("known"),
        func.count().filter(Visit.created_at > Visit.arrived_at + LATE).label("late"),
        *(func.count().filter(Visit.step.in_(from_step(step))).label(step) for step in COUNTED),
    ]
    statement = (
        select(Visit.owner_id, *columns)
        .where(readable(NAME), Visit.arrived_at >= since)
        .group_by(Visit.owner_id)
        .order_by(func.count().desc(), Visit.owner_id)
        .limit(100)
    )
    return [
        HostLine(
            host=row.owner_id,
            visits=row.visits,
            known=row.known,
            late=row.late,
            reached={step: getattr(row, step) for step in COUNTED},
        )
        for row in session.execute(statement)
    ]


def today(session: Session, midnight: dt.datetime) -> list[Visit]:
    """Return those who are here or came since midnight, who waits first, then who is here, then who left."""
    waits = and_(Visit.left_at.is_(None), Visit.owner_id.is_(None))
    statement = (
        select(Visit)
        .where(
            readable(NAME),
            or_(Visit.arrived_at >= midnight, waits),
            Visit.arrived_at > clock.now() - LATE * 24,
        )
        .order_by(Visit.left_at.is_not(None), Visit.owner_id.is_not(None), Visit.arrived_at)
        .limit(60)
    )
    return list(session.execute(statement).scalars())
