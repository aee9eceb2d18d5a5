"""What somebody else changed since a person last saw a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core.audit import AuditEntry
from kehu.core.errors import StaleVersion
from kehu.core.i18n import _
from kehu.core.records import rights
from kehu.core.records.kinds import dump_value
from kehu.core.records.types import RecordType
from kehu.core.tables import RecordRow


def stale_error(
    session: Session, record_type: RecordType, record: RecordRow, wanted: Mapping[str, Any], seen: int
) -> StaleVersion:
    """Return the refusal of a stale write: both values of each field, who and when."""
    statement = (
        select(AuditEntry)
        .where(
            AuditEntry.object == record_type.name,
            AuditEntry.record_id == record.id,
            AuditEntry.version > seen,
        )
        .order_by(AuditEntry.id.desc())
        .limit(50)
    )
    entries = list(session.execute(statement).scalars())
    theirs: dict[str, Any] = {}
    was: dict[str, Any] = {}
    for entry in reversed(entries):
        changes = rights.seen_changes(record_type.name, entry.changes)
        theirs.update({key: pair[1] for key, pair in changes.items()})
        was = {**{key: pair[0] for key, pair in changes.items()}, **was}
    conflicts = {
        key: {"yours": dump_value(record_type.by_key[key], value), "theirs": theirs[key]}
        for key, value in wanted.items()
        if key in theirs
    }
    who = entries[0].actor_name if entries else ""
    return StaleVersion(
        _(
            "%(who)s changed this %(thing)s while you had it open. "
            "Nothing was overwritten: look at both values and choose.",
            who=who or _("Somebody else"),
            thing=record_type.label,
        ),
        current=record.version,
        changed_by=who,
        changed_at=entries[0].at if entries else None,
        changed=theirs,
        was=was,
        conflicts=conflicts,
    )
