"""What the board shows: all resources on a day, or one resource on seven days."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from babel.dates import format_date
from flask_babel import get_locale
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from kehu.booking import lanes
from kehu.booking.models import Booking, Resource
from kehu.booking.rules import LONGEST_CLOSURE
from kehu.booking.services import PLACES
from kehu.calendars.queries import business_hours
from kehu.core import clock, context, hooks
from kehu.core.records import scope
from kehu.core.records.types import get
from kehu.core.tables import metadata

LANES = 40
DAYS = 7
SHOWN = ("booked", "out", "back")
"""States of bookings that stand on the board."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A booking as the board draws it; without a name and address where the actor may not see it."""

    id: uuid.UUID
    name: str
    state: str
    closure: bool
    url: str
    from_at: dt.datetime
    to_at: dt.datetime
    late: bool = False

    @property
    def times(self) -> str:
        """Its span on the wall clock."""
        zone = context.tenant().tz
        return f"{self.from_at.astimezone(zone):%H:%M}–{self.to_at.astimezone(zone):%H:%M}"


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One line of the board."""

    resource: Resource
    day: dt.date
    pieces: list[lanes.Piece]

    @property
    def label(self) -> str:
        """Its day in words."""
        return day_text(self.day)


@dataclass(kw_only=True)
class Board:
    """The board with what is needed to go on."""

    day: dt.date
    today: dt.date
    lanes: list[Lane] = field(default_factory=list)
    hours: list[str] = field(default_factory=list)
    resource: Resource | None = None
    next_after: str = ""

    @property
    def step(self) -> int:
        """How many days the arrows go."""
        return DAYS if self.resource is not None else 1

    @property
    def columns(self) -> int:
        """How many columns stand behind the name."""
        return len(self.hours) * 60 // lanes.STEP


def day_text(day: dt.date) -> str:
    """Write a day with its weekday."""
    return str(format_date(day, "full", locale=str(get_locale() or "en")))


def read(
    session: Session, day: dt.date, *, kind: str = "", branch: str = "", resource: Any = None, after: str = ""
) -> Board:
    """Read the board of a day, or of seven days of one resource."""
    zone = context.tenant().tz
    found = Board(day=day, today=clock.today(zone), resource=resource)
    if resource is not None:
        rows, days = [resource], [day + dt.timedelta(days=number) for number in range(DAYS)]
    else:
        rows, days = resources(session, kind=kind, branch=branch, after=after), [day]
        if len(rows) > LANES:
            rows = rows[:LANES]
            found.next_after = str(rows[-1].id)
    entries = _entries(session, [row.id for row in rows], days)
    drafts = [(row, one, *_drawn(session, row, one, entries.get(row.id, ()))) for row in rows for one in days]
    bounds = lanes.window(
        [span for _row, _day, taken, opened, given in drafts for span in _spans(taken, opened, given)]
    )
    now = clock.now()
    for row, one, taken, opened, _given in drafts:
        past = lanes.minute_of(now, one, zone)
        found.lanes.append(Lane(resource=row, day=one, pieces=lanes.pieces(bounds, taken, opened, now=past)))
    found.hours = [lanes.clock_text(minute) for minute in range(*bounds, 60)]
    return found


def _spans(
    taken: Sequence[tuple[int, int, Any]], opened: Sequence[tuple[int, int]], given: bool
) -> Iterable[tuple[int, int]]:
    # What is closed for days does not stretch the board over the night.
    yield from ((start, end) for start, end, entry in taken if not entry.closure)
    if given:
        yield from opened


def resources(
    session: Session, *, kind: str = "", branch: str = "", after: str = "", limit: int = LANES + 1
) -> list[Resource]:
    """Return resources that can be booked by kind and name, from after one of them on."""
    statement = select(Resource).where(Resource.deleted_at.is_(None), Resource.active)
    if kind:
        statement = statement.where(Resource.kind == kind)
    if branch:
        statement = statement.where(Resource.branch == branch)
    last = session.get(Resource, (context.tenant().id, uuid.UUID(after))) if after else None
    if last is not None:
        statement = statement.where(
            or_(
                Resource.kind > last.kind,
                and_(Resource.kind == last.kind, Resource.name_norm > last.name_norm),
                and_(
                    Resource.kind == last.kind,
                    Resource.name_norm == last.name_norm,
                    Resource.id > last.id,
                ),
            )
        )
    statement = statement.order_by(Resource.kind, Resource.name_norm, Resource.id).limit(limit)
    return list(session.execute(statement).scalars())


def choices(session: Session) -> tuple[list[str], list[str]]:
    """Return the kinds and branches that resources have."""
    table: Any = metadata.tables["resources"]
    statement = (
        select(table.c.kind, table.c.branch)
        .where(table.c.tenant_id == context.tenant().id, table.c.deleted_at.is_(None), table.c.active)
        .distinct()
        .limit(200)
    )
    rows = session.execute(statement).all()
    return sorted({row.kind for row in rows}), sorted({row.branch for row in rows if row.branch})


def _entries(
    session: Session, ids: Sequence[uuid.UUID], days: Sequence[dt.date]
) -> dict[uuid.UUID, list[Entry]]:
    if not ids:
        return {}
    zone, actor, now = context.tenant().tz, context.actor(), clock.now()
    start = dt.datetime.combine(days[0], dt.time(), zone)
    end = dt.datetime.combine(days[-1] + dt.timedelta(days=1), dt.time(), zone)
    seen = scope.condition(get("bookings"), Booking, actor, actor.scope("bookings:read"))
    statement = select(Booking, seen.label("seen")).where(
        Booking.deleted_at.is_(None),
        Booking.to_at > start,
        # No booking is longer, so the index is read no further.
        Booking.to_at < end + LONGEST_CLOSURE,
        Booking.from_at < end,
        Booking.state.in_(SHOWN),
        or_(*(getattr(Booking, key).in_(ids) for key in PLACES)),
    )
    found: dict[uuid.UUID, list[Entry]] = {}
    for row, may_see in session.execute(statement.order_by(Booking.from_at, Booking.id)):
        entry = Entry(
            id=row.id,
            name=row.name if may_see else "",
            state=row.state,
            closure=row.closure,
            url=address(row) if may_see else "",
            from_at=row.from_at,
            to_at=min(row.to_at, max(row.back_at, row.from_at)) if row.back_at else row.to_at,
            late=row.state == "out" and row.to_at < now,
        )
        for resource_id in {getattr(row, key) for key in PLACES}:
            found.setdefault(resource_id, []).append(entry)
    return found


def address(booking: Booking) -> str:
    """Return where a booking is worked on: the page of the plugin that made it, while it is on, or its own."""
    if booking.page and booking.plugin in hooks.enabled():
        return booking.page
    return f"/bookings/{booking.id}"


def _drawn(
    session: Session, row: Resource, day: dt.date, entries: Iterable[Entry]
) -> tuple[list[tuple[int, int, Any]], list[tuple[int, int]], bool]:
    zone = context.tenant().tz
    before, after = dt.timedelta(minutes=row.before_minutes), dt.timedelta(minutes=row.after_minutes)
    taken = []
    for entry in entries:
        margins = (dt.timedelta(), dt.timedelta()) if entry.closure else (before, after)
        start = lanes.minute_of(entry.from_at - margins[0], day, zone)
        end = lanes.minute_of(entry.to_at + margins[1], day, zone)
        if end > start:
            taken.append((start, end, entry))
    if row.calendar_id is None:
        return taken, [(0, lanes.DAY)], False
    hours = business_hours(session, row.calendar_id)
    opened = [
        (lanes.minute_of(opens, day, zone), lanes.minute_of(closes, day, zone))
        for opens, closes in hours.open_on(day)
    ]
    return taken, opened, True
