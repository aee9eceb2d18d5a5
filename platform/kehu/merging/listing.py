"""The list of merges: who merged what when, and until when it can be parted again."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from kehu.core import clock, context
from kehu.core.records import scope
from kehu.core.records.types import get as get_type
from kehu.merging.finding import need_object
from kehu.merging.models import Merge
from kehu.merging.parting import DAYS

PAGE = 50


@dataclass(frozen=True, kw_only=True)
class Line:
    """One merge of the list.

    :param kept: the name of the record in which the dropped one is now.
    :param until: when it can't be parted any more.
    :param open: whether it can be parted now.
    """

    id: uuid.UUID
    at: dt.datetime
    by: uuid.UUID | None
    how: str
    now_id: uuid.UUID
    kept: str
    dropped: str
    until: dt.date
    undone_at: dt.datetime | None
    open: bool
    later: bool
    trashed: bool


def lines(
    session: Session, object_name: str, after: uuid.UUID | None = None
) -> tuple[Sequence[Line], uuid.UUID | None]:
    """Return a page of merges into records that the actor sees, the latest first, and where the next page begins."""
    record_type, actor = get_type(need_object(object_name)), context.actor()
    reach = actor.require(f"{object_name}:read")
    kept: Any = aliased(record_type.model)
    dropped: Any = aliased(record_type.model)
    statement = (
        select(
            Merge.id,
            Merge.at,
            Merge.by,
            Merge.how,
            Merge.state,
            Merge.keep_id,
            Merge.now_id,
            Merge.undone_at,
            kept.name.label("kept"),
            kept.deleted_at.label("gone"),
            dropped.name.label("dropped"),
        )
        .join(kept, and_(kept.tenant_id == Merge.tenant_id, kept.id == Merge.now_id))
        .join(dropped, and_(dropped.tenant_id == Merge.tenant_id, dropped.id == Merge.drop_id))
        .where(Merge.object == object_name, scope.condition(record_type, kept, actor, reach))
        .order_by(Merge.id.desc())
        .limit(PAGE + 1)
    )
    if after is not None:
        statement = statement.where(Merge.id < after)
    rows = session.execute(statement).all()
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return [_line(row) for row in rows[:PAGE]], more


def _line(row: Any) -> Line:
    until = row.at + dt.timedelta(days=DAYS)
    later = row.state == "done" and row.now_id != row.keep_id
    trashed = row.gone is not None
    return Line(
        id=row.id,
        at=row.at,
        by=row.by,
        how=row.how,
        now_id=row.now_id,
        kept=row.kept,
        dropped=row.dropped,
        until=until.astimezone(context.tenant().tz).date(),
        undone_at=row.undone_at,
        open=row.state == "done" and until >= clock.now() and not later and not trashed,
        later=later,
        trashed=trashed,
    )
