"""Work that comes back for each tenant: every night in the tenant's own zone, or every so many minutes.

A tick looks every five minutes which tenants are due and enqueues a job for each, once per due moment, however
many workers tick and however long none did.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import DateTime, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from kehu.core import clock, context, db, hooks, jobs
from kehu.core.tables import Base, TenantOwned, tenant_args

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 5_000
"""Jobs that one tick enqueues; the rest are as due at the next one."""


class ScheduleRun(TenantOwned, Base):
    """The last due moment of a schedule for which a job was enqueued."""

    __tablename__ = "schedule_runs"
    __table_args__ = tenant_args("schedule_runs")

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    due_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a task of each tenant is due.

    :param name: unlike any other.
    :param task: a declared tenant task, which gets `arguments`.
    :param at: times of the day in the tenant's zone.
    :param every: or the length of a turn, counted in UTC.
    :param plugin: due only in tenants that have this plugin switched on.
    :param rests: not due in tenants that may only read for now: work that writes to records or to customers.
    """

    name: str
    task: str
    at: tuple[dt.time, ...] = ()
    every: dt.timedelta | None = None
    plugin: str = ""
    rests: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def last_due(self, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """Return the latest due moment that is not after `now`, in UTC."""
        if self.every is not None:
            seconds = int(self.every.total_seconds())
            return dt.datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=dt.UTC)
        today = now.astimezone(zone).date()
        moments = (
            dt.datetime.combine(day, moment, zone).astimezone(dt.UTC)
            for day in (today, today - dt.timedelta(days=1))
            for moment in self.at
        )
        return max(moment for moment in moments if moment <= now)


_schedules: dict[str, Schedule] = {}


def register(schedule: Schedule) -> None:
    """Add a schedule; the same name again replaces it.

    :raises ValueError: when it says neither `at` nor `every`, or both.
    """
    if bool(schedule.at) == (schedule.every is not None):
        raise ValueError(f"The schedule {schedule.name} needs either times of the day or a turn.")
    _schedules[schedule.name] = schedule


def registered() -> dict[str, Schedule]:
    """Return all schedules by name."""
    return dict(_schedules)


def every_tenant(
    name: str, *, at: str = "", every: dt.timedelta | None = None, rests: bool = False, **options: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a task that each active tenant runs again and again: `def work(tenant_id)`.

    A tenant that was never served is due at once. Tasks must be safe to run twice.

    :param at: times of the day in the tenant's zone, as "02:30" or "07:00 19:00".
    :param every: or the length of a turn.
    :param rests: whether it waits while a tenant may only read.
    :param options: of `kehu.core.jobs.tenant_task`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        task = jobs.tenant_task(name, **options)(function)
        register(Schedule(name=name, task=name, at=times(at), every=every, rests=rests))
        return task

    return decorate


def times(text: str) -> tuple[dt.time, ...]:
    """Return the times of the day in a text such as "07:00 19:00".

    :raises ValueError: for what is no time.
    """
    return tuple(dt.time.fromisoformat(part) for part in text.split())


def due(
    session: Session, now: dt.datetime, only: uuid.UUID | None = None
) -> Iterator[tuple[context.TenantInfo, Schedule, dt.datetime]]:
    """Return which schedules are due for which tenants, with the moment; the session sees all tenants."""
    statement = select(ScheduleRun.tenant_id, ScheduleRun.name, ScheduleRun.due_at)
    served = {(row.tenant_id, row.name): row.due_at for row in session.execute(statement)}
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    for tenant in hooks.first("kehu_active_tenants") or ():
        if only is not None and tenant.id != only:
            continue
        live = hooks.host().live(tenant.plugins)
        with context.use(tenant=tenant):  # Known already, so that nobody looks it up again.
            state = hooks.first("kehu_billing_state", tenant_id=tenant.id)
        reading = state is not None and state.read_only
        for schedule in _schedules.values():
            if (schedule.plugin and schedule.plugin not in live) or (schedule.rests and reading):
                continue
            moment = schedule.last_due(now, tenant.tz)
            if served.get((tenant.id, schedule.name), never) < moment:
                yield tenant, schedule, moment


def enqueue_due(only: uuid.UUID | None = None) -> int:
    """Enqueue what is due and return how many jobs that were.

    :param only: look at this tenant alone (tests, commands).
    """
    count = 0
    with db.cross_tenant("look which tenants' scheduled work is due") as session:
        for tenant, schedule, moment in due(session, clock.now(), only):
            jobs.enqueue(
                session,
                schedule.task,
                tenant_id=str(tenant.id),
                queueing_lock=f"{schedule.name} {tenant.id}",
                **schedule.arguments,
            )
            _note(session, tenant.id, schedule.name, moment)
            count += 1
            if count == MOST_AT_ONCE:
                break
    return count


def _note(session: Session, tenant_id: uuid.UUID, name: str, moment: dt.datetime) -> None:
    statement = insert(ScheduleRun).values(tenant_id=tenant_id, name=name, due_at=moment)
    table = ScheduleRun.__table__
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.tenant_id, table.c.name], set_={"due_at": statement.excluded.due_at}
        )
    )


@jobs.platform_task("kehu.schedule.tick", cron="*/5 * * * *")
def tick() -> None:
    """Enqueue what is due, one worker at a time."""
    count = enqueue_due()
    if count:
        log.info("scheduled_work_enqueued", jobs=count)
