"""What the home page shows, read in few statements and within the reader's rights."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from kehu.activities.records import ICONS
from kehu.core import clock, context
from kehu.core.context import Actor
from kehu.core.records import rights
from kehu.dashboard import numbers, queries
from kehu.web.charts import Chart

NEGLECTED = dt.timedelta(days=60)
MONTH = dt.timedelta(days=30)
EVERYBODY = ("owner", "admin", "manager", "viewer")
"""Roles that look at the firm first; the others look at their own work."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the address asks for: whose numbers, how many months."""

    mine: bool
    months: int

    @classmethod
    def read(cls, args: Mapping[str, str], actor: Actor) -> Wishes:
        """Read them; anything unknown gives the usual."""
        who = args.get("who", "")
        mine = who == "me" if who in ("me", "all") else actor.role not in EVERYBODY
        return cls(mine=mine, months=6 if args.get("months") == "6" else 12)

    def url(self, *, mine: bool | None = None, months: int | None = None) -> str:
        """Return the address of the same page with one wish changed."""
        who = self.mine if mine is None else mine
        return f"/?who={'me' if who else 'all'}&months={months or self.months}"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A line of today's list."""

    id: str
    subject: str
    icon: str
    about: str
    url: str
    due: dt.datetime
    late: bool
    version: int


@dataclass(kw_only=True)
class Home:
    """Everything on the page; None stands for what the reader may not see."""

    greeting: str
    today: list[Task]
    today_total: int = 0
    late: int = 0
    figures: list[numbers.Figure] = field(default_factory=list)
    revenue: Chart | None = None
    stages: Chart | None = None
    stuck: Sequence[Any] | None = None
    stuck_total: int = 0
    neglected: Sequence[Any] | None = None
    worth: bool = True


def read(session: Session, actor: Actor, wishes: Wishes) -> Home:
    """Return the home page of a reader: at most seven statements."""
    tenant, now = context.tenant(), clock.now()
    day = clock.today(tenant.tz)
    found = Home(greeting=numbers.greeting(actor.name), today=[])
    if actor.may("activities:read"):
        _read_today(found, session, actor, day, tenant.tz, now)
    if actor.may("deals:read"):
        _read_deals(found, session, actor, wishes, day)
    if actor.may("tickets:read"):
        row = queries.first_reply(session, actor, now - MONTH, now - 2 * MONTH, wishes.mine)
        found.figures.append(numbers.reply_figure(row))
    if actor.may("customers:read"):
        found.neglected = queries.neglected(session, actor, now - NEGLECTED, wishes.mine)
    return found


def _read_today(
    found: Home, session: Session, actor: Actor, day: dt.date, zone: dt.tzinfo, now: dt.datetime
) -> None:
    until = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    rows = queries.today(session, actor, until)
    found.today = [_task(row, now) for row in rows]
    found.today_total = rows[0].total if rows else 0
    found.late = sum(task.late for task in found.today)


def _task(row: Any, now: dt.datetime) -> Task:
    if row.deal_id is not None:
        url = f"/deals/{row.deal_id}"
    elif row.ticket_id is not None:
        url = f"/tickets/{row.ticket_id}"
    elif row.customer_id is not None:
        url = f"/customers/{row.customer_id}"
    else:
        url = f"/activities/{row.id}"
    return Task(
        id=str(row.id),
        subject=row.subject,
        icon=ICONS.get(row.kind, "square-check"),
        about=" · ".join(part for part in (row.customer, row.deal) if part),
        url=url,
        due=row.due_at,
        late=row.due_at < now,
        version=row.version,
    )


def _read_deals(found: Home, session: Session, actor: Actor, wishes: Wishes, day: dt.date) -> None:
    tenant = context.tenant()
    first = numbers.month_back(day, wishes.months - 1)
    since = dt.datetime.combine(first.replace(year=first.year - 1), dt.time(), tenant.tz)
    rows = queries.closed_by_month(
        session,
        actor,
        since=since,
        zone=tenant.zone,
        today=day,
        past=clock.now() - MONTH,
        mine=wishes.mine,
    )
    closed = numbers.Closed(rows, tenant.tz, tenant.currency)
    stages = queries.open_by_stage(session, actor, wishes.mine)
    found.worth = "amount" not in rights.hidden("deals")
    if found.worth:
        found.figures += [
            numbers.won_figure(closed, day, tenant.currency),
            numbers.pipeline_figure(stages, closed.past, tenant.currency),
        ]
        found.revenue = numbers.revenue_chart(closed, day, wishes.months, tenant.currency)
        found.stages = numbers.stage_chart(stages, tenant.currency)
    found.figures.append(numbers.rate_figure(closed, day))
    found.stuck = queries.without_next_step(session, actor, wishes.mine)
    found.stuck_total = found.stuck[0].total if found.stuck else 0


def put_off(until: str) -> dt.datetime:
    """Return the moment to which something is put off: `hours`, `week`, else tomorrow morning."""
    zone, now = context.tenant().tz, clock.now()
    if until == "hours":
        return (now + dt.timedelta(hours=3)).replace(second=0, microsecond=0)
    days = 7 if until == "week" else 1
    return dt.datetime.combine(now.astimezone(zone).date() + dt.timedelta(days=days), dt.time(9), zone)
