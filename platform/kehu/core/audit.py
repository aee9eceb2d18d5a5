"""The append-only trail of changes, written in the same transaction as the change.

An entry is also the event: `kehu.core.events` delivers it to plugins and webhooks by a job.
Entries of one unit of work share a `batch_id`, by which they are undone together.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, DateTime, Text, func
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, Session, mapped_column

from kehu.core import bulk, clock, context, hooks
from kehu.core.ids import new_id, parse_id
from kehu.core.tables import Base, Json, TenantRow, tenant_args, tenant_index
from plugins.relay import running


class AuditEntry(TenantRow, Base):
    """Who changed what from what to what, when and from where."""

    __tablename__ = "audit_entries"
    __table_args__ = tenant_args(
        "audit_entries",
        tenant_index("audit_entries", "record", "object", "record_id", "id"),
        tenant_index("audit_entries", "customer", "customer_id", "at", "id"),
        tenant_index("audit_entries", "batch", "batch_id", "id"),
        tenant_index("audit_entries", "member", "member_id", "id"),
    )

    at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )
    batch_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    actor_kind: Mapped[str] = mapped_column(Text)
    member_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    actor_name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    request_id: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    record_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    action: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    changes: Mapped[Json]
    version: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


def batch_id(session: Session) -> uuid.UUID:
    """Return the id that the entries of this unit of work share."""
    found: uuid.UUID | None = session.info.get("audit_batch")
    if found is None:
        found = session.info["audit_batch"] = new_id()
    return found


def use_batch(session: Session, batch: uuid.UUID) -> None:
    """File the entries of this unit of work under a given batch (imports span many units)."""
    session.info["audit_batch"] = batch


def write(
    session: Session,
    *,
    object: str,
    record_id: uuid.UUID,
    action: str,
    title: str,
    changes: dict[str, list[Any]] | None = None,
    version: int = 0,
    customer_id: uuid.UUID | None = None,
) -> AuditEntry:
    """Add an entry to the trail of the running transaction.

    :param changes: field key -> [old value, new value], both as JSON.
    :param customer_id: the customer on whose time line the entry shows.
    """
    entry = AuditEntry(**_row(session, object, record_id, action, title, changes, version, customer_id))
    session.add(entry)
    return entry


def note(session: Session, **entry: Any) -> None:
    """Add an entry as `write` does; within `gathered` it waits for the others."""
    rows = session.info.get("audit_rows")
    if rows is None:
        write(session, **entry)
    else:
        rows.append(_row(session, **{"changes": None, "version": 0, "customer_id": None, **entry}))


@contextmanager
def gathered(session: Session) -> Iterator[None]:
    """Write the entries that are noted within the block in one statement at its end."""
    if session.info.get("audit_rows") is not None:
        yield
        return
    rows = session.info["audit_rows"] = []
    try:
        yield
    finally:
        del session.info["audit_rows"]
    if len(rows) <= bulk.FEW:
        session.add_all(AuditEntry(**row) for row in rows)
    else:
        bulk.insert_rows(session, AuditEntry.__table__, rows)  # type: ignore[arg-type]


def source_of(entry: Any) -> tuple[str, str]:
    """Return by which way an entry's change came, and the name of what it came through: a rule, a token, a plugin."""
    kind, _colon, name = entry.source.partition(":")
    return kind, name


def _source(now: context.Context) -> str:
    """Return what is kept of the way: `web`, `import`, `rule:Ask for papers`, `api:Shop`, `plugin:Dealer`."""
    kind, name = now.source, now.via
    slug = running.get()
    if now.actor is not None and now.actor.kind == "plugin":
        kind, name = "plugin", now.actor.name
    elif slug is not None and kind != "import" and slug in hooks.enabled():
        # A hook or a job of a plugin runs in somebody's name; that it wrote must be seen all the same.
        record = hooks.host().installed.get(slug)
        kind, name = "plugin", record.manifest.name if record is not None and record.manifest else slug
    return f"{kind}:{name}"[:200] if name else kind


def _row(
    session: Session,
    object: str,
    record_id: uuid.UUID,
    action: str,
    title: str,
    changes: dict[str, list[Any]] | None,
    version: int,
    customer_id: uuid.UUID | None,
) -> dict[str, Any]:
    now = context.current()
    who = now.actor
    session.info.setdefault("audit_actions", set()).add((object, action))
    return {
        "tenant_id": now.tenant.id if now.tenant else None,
        "id": new_id(),
        "at": clock.now(),
        "batch_id": batch_id(session),
        "actor_kind": who.kind if who else "system",
        # What support does is not the owner's doing who let it in.
        "member_id": who.member_id if who and who.kind != "support" else None,
        "actor_name": who.name if who else "",
        "source": _source(now),
        "request_id": now.request_id,
        "object": object,
        "record_id": record_id,
        "action": action,
        "title": title[:200],
        "changes": changes or {},
        "version": version,
        "customer_id": parse_id(customer_id),
    }
