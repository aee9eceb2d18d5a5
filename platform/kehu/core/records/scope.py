"""Own, team or all: the one place where a record's scope becomes a condition (SAS-21)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, or_, select, true
from sqlalchemy.orm import Session, aliased

from kehu.core.context import Actor, Scope
from kehu.core.records.types import RecordType
from kehu.core.tables import RecordRow, metadata


def _team_members(actor: Actor) -> Any:
    members = metadata.tables["members"]
    from kehu.core.db import tenant_id

    return select(members.c.id).where(members.c.tenant_id == tenant_id(), members.c.team_id == actor.team_id)


def condition(record_type: RecordType, entity: Any, actor: Actor, scope: Scope | None) -> ColumnElement[bool]:
    """Return the condition that keeps a query within a scope.

    Own: the actor is the owner. Team: somebody of the actor's team is, or nobody yet. A record that bears the name of
    another one is seen by who sees that one.
    """
    if scope is None:
        # Never true, and never folded: a plain false would take the tenant out of the statement as well.
        return entity.id.is_(None)  # type: ignore[no-any-return]
    found = _owned(record_type, entity, actor, scope)
    namer = _namer(record_type, actor)
    if namer is None:
        return found
    other: Any = aliased(namer.model)
    named = select(other.id).where(link(namer.name, other, entity, record_type.named_by, actor))
    return and_(found, named.correlate(_table_of(entity)).exists())


def _table_of(entity: Any) -> Any:
    """Return what a condition on an entity, an alias of it or the columns of a table refers to."""
    return entity.id.table if hasattr(entity.id, "table") else inspect(entity).selectable


def _namer(record_type: RecordType, actor: Actor) -> RecordType | None:
    """Return the type that gives records of a type their names, if the actor does not see all of it."""
    from kehu.core.records.types import get

    if not record_type.named_by:
        return None
    namer = get(record_type.by_key[record_type.named_by].ref)
    return None if actor.scope(f"{namer.name}:read") == "all" else namer


def _owned(record_type: RecordType, entity: Any, actor: Actor, scope: Scope) -> ColumnElement[bool]:
    if scope == "all" or not record_type.owner:
        return true()
    owner = getattr(entity, record_type.owner)
    mine: ColumnElement[bool] = owner == actor.member_id
    if scope == "own":
        return mine
    if actor.team_id is None:
        return or_(mine, owner.is_(None))
    return or_(mine, owner.is_(None), owner.in_(_team_members(actor)))


def seen(type_name: str, entity: Any, actor: Actor) -> ColumnElement[bool]:
    """Return the condition under which the name of a linked record may be told to the actor.

    It belongs into the join by which the name comes: what lies out of his scope then has none.
    """
    from kehu.core.records.types import get

    return condition(get(type_name), entity, actor, actor.scope(f"{type_name}:read"))


def link(type_name: str, entity: Any, row: Any, key: str, actor: Actor) -> ColumnElement[bool]:
    """Return the join from a row to the record that its column `key` points at, if that may be named to the actor.

    :param entity: the linked model, an alias of it, or a table's columns.
    :param row: the model or columns of the row that points.
    """
    return and_(
        entity.tenant_id == row.tenant_id, entity.id == _pointer(row, key), seen(type_name, entity, actor)
    )


def _pointer(row: Any, key: str) -> Any:
    """Return the column of a row that points, which may be a firm's own field."""
    from kehu.core.records import own

    return (
        own.column(row, own.field_of(inspect(row).mapper.class_, key))
        if own.is_own(key)
        else getattr(row, key)
    )


@dataclass(frozen=True)
class Verdict:
    """Whether a record lies within a scope, and why.

    :param why: `none` (no right), `all`, `own`, `team`, `unowned`, `other` (somebody else's), `named` (whose name it
        bears may not be seen).
    """

    allowed: bool
    why: str


def explain(
    record_type: RecordType, record: RecordRow, actor: Actor, scope: Scope | None, session: Session
) -> Verdict:
    """Tell whether a loaded record lies within a scope, and why."""
    found = _owned_within(record_type, record, actor, scope, session)
    if not found.allowed:
        return found
    namer = _namer(record_type, actor)
    if namer is None:
        return found
    model: Any = namer.model
    named = select(model.id).where(
        model.id == getattr(record, record_type.named_by), seen(namer.name, model, actor)
    )
    return found if session.execute(named).first() is not None else Verdict(False, "named")


def within(
    record_type: RecordType, record: RecordRow, actor: Actor, scope: Scope | None, session: Session
) -> bool:
    """Tell whether a loaded record lies within a scope."""
    return explain(record_type, record, actor, scope, session).allowed


def _owned_within(
    record_type: RecordType, record: RecordRow, actor: Actor, scope: Scope | None, session: Session
) -> Verdict:
    if scope is None:
        return Verdict(False, "none")
    if scope == "all" or not record_type.owner:
        return Verdict(True, "all")
    owner = getattr(record, record_type.owner)
    if owner == actor.member_id:
        return Verdict(True, "own")
    if scope == "own":
        return Verdict(False, "other")
    if owner is None:
        return Verdict(True, "unowned")
    if actor.team_id is None:
        return Verdict(False, "other")
    members = metadata.tables["members"]
    same = session.execute(_team_members(actor).where(members.c.id == owner)).first() is not None
    return Verdict(same, "team" if same else "other")


def visible(session: Session, record_type: RecordType, record_id: uuid.UUID, actor: Actor) -> bool:
    """Tell whether a live record exists and the actor may see it."""
    reach = actor.scope(f"{record_type.name}:read")
    if reach is None:
        return False
    cache: dict[Any, bool] = session.info.setdefault("visible", {})
    key = (record_type.name, record_id, actor.member_id)
    if key not in cache:
        model: Any = record_type.model
        statement = select(model.id).where(
            model.id == record_id, model.deleted_at.is_(None), condition(record_type, model, actor, reach)
        )
        cache[key] = session.execute(statement).first() is not None
    return cache[key]


def member_exists(session: Session, member_id: uuid.UUID) -> bool:
    """Tell whether a member of this tenant has an id."""
    from kehu.core.db import tenant_id

    cache: dict[Any, bool] = session.info.setdefault("visible", {})
    key = ("members", member_id)
    if key not in cache:
        members = metadata.tables["members"]
        statement = select(members.c.id).where(members.c.tenant_id == tenant_id(), members.c.id == member_id)
        cache[key] = session.execute(statement).first() is not None
    return cache[key]
