"""Where merges meet the rest: old addresses, undo, the time line."""

from __future__ import annotations

import uuid
from typing import Any

from markupsafe import Markup
from sqlalchemy import Text, and_, literal, select
from sqlalchemy.orm import Session

from kehu.core.audit import AuditEntry
from kehu.core.context import Actor
from kehu.core.errors import Conflict
from kehu.core.i18n import _, _l
from kehu.core.kept import TENANT
from kehu.core.records import moved
from kehu.core.records.undo import register_action
from kehu.core.tables import metadata
from kehu.merging.finding import OBJECTS
from kehu.merging.services import MergeService, successor
from kehu.timeline import entries
from kehu.timeline.kinds import LineKind
from kehu.timeline.queries import (
    RECORD,
    TOLD_BY_MESSAGES,
    Part,
    Subject,
    add_source,
    line_columns,
    readable_trail,
    trail_types,
)


def _take_back(session: Session, entry: AuditEntry) -> None:
    MergeService(session, entry.object).undo(uuid.UUID(entry.changes["merged"][1]))


def _went_along(session: Session, entry: AuditEntry) -> None:
    """Do nothing when the merge itself was taken back in this undo; else say where to do that."""
    if successor(session, entry.object, entry.record_id) is not None:
        raise Conflict(
            _("“%(name)s” was merged into another record; undo the merge there.", name=entry.title)
        )


def _earlier(subject: Subject, actor: Actor, kind: LineKind) -> Part | None:
    """Return what the trail says of customers that went into this one: the trail itself is never rewritten."""
    names = trail_types(subject, actor, kind)
    if subject.object != "customers" or not names:
        return None
    row, merge = metadata.tables["audit_entries"].alias("me"), metadata.tables["merges"].alias("mg")
    statement = (
        select(
            *line_columns(
                "trail",
                id=row.c.id,
                at=row.c.at,
                sub=row.c.action,
                object=row.c.object,
                record_id=row.c.record_id,
                title=row.c.title,
                who=row.c.actor_name,
                more=row.c.changes,
            )
        )
        .select_from(merge)
        .join(row, and_(row.c.tenant_id == TENANT, row.c.customer_id == merge.c.drop_id))
        .where(
            merge.c.tenant_id == TENANT,
            merge.c.object == literal("customers", Text),
            merge.c.now_id == RECORD,
            merge.c.state == "done",
            row.c.action.not_in((*TOLD_BY_MESSAGES, "merged_away")),
            readable_trail(row.c.object, row.c.record_id, names, actor),
        )
    )
    return statement, row.c.at, row.c.id


def _teller(sentence: Any) -> Any:
    def tell(row: Any, _what: Any) -> Markup:
        return entries.say(sentence, who=row.who, what=row.title)

    return tell


for _name in OBJECTS:
    moved.register(_name, successor)
register_action("merged", _take_back)
register_action("merged_away", _went_along)
entries.register_action("merged", _teller(_l("%(who)s merged %(what)s into this")))
entries.register_action("unmerged", _teller(_l("%(who)s parted %(what)s from this again")))
add_source(_earlier)
