"""What the settings ask of the trail and of the queue."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from kehu.core import db
from kehu.core.audit import AuditEntry
from kehu.core.ids import first_id_of
from kehu.members.models import Member

PAGE = 50


@dataclass(frozen=True, kw_only=True)
class TrailFilter:
    """What the trail is narrowed to; `after` is the id of the last entry of the page before."""

    member_id: uuid.UUID | None = None
    object: str = ""
    record_id: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    after: uuid.UUID | None = None


def trail(session: Session, wanted: TrailFilter) -> Sequence[AuditEntry]:
    """Return entries of the trail, newest first; one more than the page holds tells that there are more."""
    statement = select(AuditEntry)
    if wanted.member_id is not None:
        statement = statement.where(AuditEntry.member_id == wanted.member_id)
    if wanted.object:
        statement = statement.where(AuditEntry.object == wanted.object)
    if wanted.record_id is not None:
        statement = statement.where(AuditEntry.record_id == wanted.record_id)
    if wanted.since is not None:
        statement = statement.where(AuditEntry.id >= first_id_of(wanted.since))
    if wanted.until is not None:
        statement = statement.where(AuditEntry.id < first_id_of(wanted.until))
    if wanted.after is not None:
        statement = statement.where(AuditEntry.id < wanted.after)
    return session.execute(statement.order_by(AuditEntry.id.desc()).limit(PAGE + 1)).scalars().all()


def member_choices(session: Session) -> list[tuple[str, str]]:
    """Return the members as choices, by name."""
    statement = select(Member.id, Member.name).order_by(Member.name_norm).limit(500)
    return [(str(row.id), row.name) for row in session.execute(statement)]


# --- failed jobs: the queue is procrastinate's own table, so the tenant stands in the arguments ---------------

_FAILED = text(
    "SELECT j.id, j.task_name, j.attempts, "
    "(SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) AS at "
    "FROM procrastinate_jobs j WHERE j.status = 'failed' AND j.args ->> 'tenant_id' = :tenant "
    "ORDER BY j.id DESC LIMIT 200"
)

_REPLAY = text(
    "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL "
    "WHERE id = :id AND status = 'failed' AND args ->> 'tenant_id' = :tenant RETURNING task_name"
)


def failed_jobs(session: Session) -> Sequence[Row[Any]]:
    """Return the present tenant's jobs that gave up, newest first."""
    return session.execute(_FAILED, {"tenant": str(db.tenant_id())}).all()


def replay_job(session: Session, job_id: int) -> str | None:
    """Put a failed job of the present tenant back into the queue; returns its name, or None if there is none."""
    name: str | None = session.execute(_REPLAY, {"id": job_id, "tenant": str(db.tenant_id())}).scalar()
    return name
