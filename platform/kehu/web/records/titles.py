"""Names of members and records by their ids: one statement for all kinds that a page shows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Text, cast, literal, select, union_all
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.db import tenant_id
from kehu.core.ids import parse_id
from kehu.core.records import scope
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType, registered
from kehu.core.tables import metadata

MEMBERS = "members"


def target_of(field: Field) -> str:
    """Return what a pointer points at: `members` or a record type."""
    return MEMBERS if field.kind == "member" else field.ref


def titles(session: Session, wanted: Mapping[str, Iterable[uuid.UUID]]) -> dict[uuid.UUID, str]:
    """Return the names of members and records; those that do not exist, or that the reader may not see, are left out.

    :param wanted: `members` or a record type's name -> ids.
    """
    parts: list[Any] = []
    actor = context.actor()
    for kind, ids in wanted.items():
        some = list(set(ids))
        if not some:
            continue
        table, column = _source(kind)
        if table is None:
            continue
        named = select(
            table.c.id.label("id"),
            cast(table.c[column], Text).label("title"),
            literal(kind).label("kind"),
        ).where(table.c.tenant_id == tenant_id(), table.c.id.in_(some))
        parts.append(named if kind == MEMBERS else named.where(scope.seen(kind, table.c, actor)))
    if not parts:
        return {}
    # Any: the type checker fails on the union of both kinds of statement.
    statement: Any = union_all(*parts) if len(parts) > 1 else parts[0]
    return {row.id: row.title for row in session.execute(statement)}


def _source(kind: str) -> tuple[Any, str]:
    if kind == MEMBERS:
        return metadata.tables[MEMBERS], "name"
    record_type = registered().get(kind)
    if record_type is None:
        return None, ""
    model: Any = record_type.model
    return model.__table__, record_type.title


def pointers(record_type: RecordType, record: Any) -> dict[str, list[uuid.UUID]]:
    """Return the ids that a record points at, by what they are."""
    found: dict[str, list[uuid.UUID]] = {}
    for field in record_type.fields:
        if field.kind in ("member", "ref") and (value := parse_id(getattr(record, field.key, None))):
            found.setdefault(target_of(field), []).append(value)
    return found
