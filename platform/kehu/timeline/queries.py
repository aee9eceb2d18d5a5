"""One statement for one page of a time line: each source in its own order and bound, then merged by time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Text,
    and_,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core.context import Actor
from kehu.core.kept import TENANT, slot
from kehu.core.records import scope
from kehu.core.records.types import registered
from kehu.core.tables import metadata
from kehu.timeline.entries import table_of
from kehu.timeline.kinds import LineKind

LONGEST_TEXT = 1500
"""Longer texts are shown to this length; the record has the whole."""

TOLD_BY_MESSAGES = ("replied", "noted", "received")
"""Entries of the trail whose message stands on the line itself."""

LINKS = {
    "customers": "customer_id",
    "contacts": "contact_id",
    "deals": "deal_id",
    "tickets": "ticket_id",
    "owned_items": "owned_item_id",
}
"""Record type -> the column by which others point at it."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose time line it is: a customer, contact, deal or ticket that the reader may see."""

    object: str
    record_id: uuid.UUID
    customer_id: uuid.UUID | None


_ALONG = {"contacts": ("deals", "tickets"), "owned_items": ("owned_item_terms", "tickets")}
"""Record type -> types whose trail stands on its line too."""

Cursor = tuple[dt.datetime, uuid.UUID]

RECORD = slot("record")
CUSTOMER = slot("customer")
_AT = slot("before_at", DateTime(timezone=True))
_ID = slot("before_id")


def values(subject: Subject, before: Cursor | None = None) -> dict[str, Any]:
    """Return what fills in a statement about a subject."""
    found: dict[str, Any] = {"record": subject.record_id, "customer": subject.customer_id}
    return {**found, "before_at": before[0], "before_id": before[1]} if before else found


def page_statement(subject: Subject, actor: Actor, kind: LineKind, older: bool, limit: int) -> Any | None:
    """Return the statement for the latest entries, or those before a cursor; None when nothing may be seen.

    `values` fills it in.
    """
    parts = [
        part
        for part in (
            _activities(subject, actor, kind),
            _messages(subject, actor, kind),
            _trail(subject, actor, kind),
            _files(subject, actor, kind),
            *(source(subject, actor, kind) for source in _more),
        )
        if part is not None
    ]
    if not parts:
        return None
    bounded = []
    for statement, at, row_id in parts:
        earlier = [tuple_(at, row_id) < tuple_(_AT, _ID)] if older else []
        bounded.append(statement.where(*earlier).order_by(at.desc(), row_id.desc()).limit(limit))
    merged = union_all(*bounded).subquery("line")
    return select(merged).order_by(merged.c.at.desc(), merged.c.id.desc()).limit(limit)


Part = tuple[Select[Any], ColumnElement[Any], ColumnElement[Any]]

_more: list[Callable[[Subject, Actor, LineKind], Part | None]] = []


def add_source(build: Callable[[Subject, Actor, LineKind], Part | None]) -> None:
    """Let rows of a further table stand on time lines; `kehu.timeline.entries.add_reader` says how they are told.

    :param build: returns a select of `line_columns` with its moment and id, or None when it has no place there. It
        sees to the reader's rights.
    """
    _more.append(build)


def _columns(source: str, **given: Any) -> list[Any]:
    plain: dict[str, Any] = {
        "id": None,
        "at": None,
        "sub": cast(null(), Text),
        "object": cast(null(), Text),
        "record_id": None,
        "title": cast(null(), Text),
        "body": cast(null(), Text),
        "who": cast(null(), Text),
        "more": cast(null(), JSONB),
        "number": cast(null(), BigInteger),
        "version": cast(null(), BigInteger),
    }
    plain.update(given)
    return [literal(source, Text).label("source"), *(value.label(key) for key, value in plain.items())]


line_columns = _columns
"""The columns of every part, those that are given filled in: for sources of other features."""


def _activities(subject: Subject, actor: Actor, kind: LineKind) -> Part | None:
    reach = actor.scope("activities:read")
    if not kind.activities or reach is None:
        return None
    row = metadata.tables["activities"].alias("a")
    member, contact = metadata.tables["members"].alias("am"), metadata.tables["contacts"].alias("ac")
    statement = (
        select(
            *_columns(
                "activity",
                id=row.c.id,
                at=row.c.done_at,
                sub=row.c.kind,
                object=literal("activities", Text),
                record_id=row.c.id,
                title=row.c.subject,
                body=func.left(row.c.body, LONGEST_TEXT),
                who=member.c.name,
                more=func.jsonb_build_object("outcome", row.c.outcome, "contact", contact.c.name),
                number=row.c.minutes,
                version=row.c.version,
            )
        )
        .select_from(row)
        .outerjoin(member, and_(member.c.tenant_id == TENANT, member.c.id == row.c.owner_id))
        .outerjoin(
            contact,
            and_(
                contact.c.tenant_id == TENANT,
                contact.c.id == row.c.contact_id,
                scope.seen("contacts", contact.c, actor),
            ),
        )
        .where(
            row.c.tenant_id == TENANT,
            row.c[LINKS[subject.object]] == RECORD,
            row.c.deleted_at.is_(None),
            row.c.done_at.is_not(None),
            scope.condition(registered()["activities"], row.c, actor, reach),
        )
    )
    if len(kind.activities) < 6:
        statement = statement.where(row.c.kind.in_(kind.activities))
    return statement, row.c.done_at, row.c.id


def _messages(subject: Subject, actor: Actor, kind: LineKind) -> Part | None:
    reach = actor.scope("tickets:read")
    if not kind.messages or reach is None or subject.object == "deals":
        return None
    row, ticket = metadata.tables["ticket_messages"].alias("m"), metadata.tables["tickets"].alias("t")
    member = metadata.tables["members"].alias("mm")
    statement = (
        select(
            *_columns(
                "message",
                id=row.c.id,
                at=row.c.at,
                sub=row.c.kind,
                object=literal("tickets", Text),
                record_id=ticket.c.id,
                title=ticket.c.subject,
                body=func.left(row.c.body, LONGEST_TEXT),
                who=func.coalesce(member.c.name, func.nullif(row.c.author_name, ""), row.c.author_email),
                number=ticket.c.number,
            )
        )
        .select_from(ticket)
        .join(row, and_(row.c.tenant_id == TENANT, row.c.ticket_id == ticket.c.id))
        .outerjoin(member, and_(member.c.tenant_id == TENANT, member.c.id == row.c.author_id))
        .where(
            ticket.c.tenant_id == TENANT,
            ticket.c.deleted_at.is_(None),
            _about(subject, "tickets", ticket),
            scope.condition(registered()["tickets"], ticket.c, actor, reach),
        )
    )
    return statement, row.c.at, row.c.id


def _trail(subject: Subject, actor: Actor, kind: LineKind) -> Part | None:
    names = trail_types(subject, actor, kind)
    if not names:
        return None
    row = metadata.tables["audit_entries"].alias("e")
    about: ColumnElement[bool]
    if subject.object == "customers":
        about = row.c.customer_id == RECORD
    else:
        about = and_(row.c.object == subject.object, row.c.record_id == RECORD)
        if subject.customer_id is not None:
            along = [name for name in _ALONG.get(subject.object, ()) if name in names]
            about = or_(about, *(_linked(row, name, subject) for name in along))
    statement = select(
        *_columns(
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
    ).where(
        row.c.tenant_id == TENANT,
        about,
        row.c.action.not_in(TOLD_BY_MESSAGES),
        readable_trail(row.c.object, row.c.record_id, names, actor),
    )
    return statement, row.c.at, row.c.id


def line_types() -> list[str]:
    """Return the record types whose trail stands on a time line."""
    return [
        name
        for name, record_type in registered().items()
        if record_type.customer and name not in ("activities", "files")
    ]


def trail_types(subject: Subject, actor: Actor, kind: LineKind) -> list[str]:
    """Return the record types whose trail a reader sees on a line."""
    known = [name for name in line_types() if actor.may(f"{name}:read")]
    if subject.object in ("deals", "tickets"):
        known = [name for name in known if name == subject.object]
    return known if kind.trail is None else [name for name in known if name in kind.trail]


def _linked(row: Any, name: str, subject: Subject) -> ColumnElement[bool]:
    table = metadata.tables[name]
    mine = select(table.c.id).where(table.c.tenant_id == TENANT, _about(subject, name, table))
    return and_(row.c.customer_id == CUSTOMER, row.c.object == name, row.c.record_id.in_(mine))


def _files(subject: Subject, actor: Actor, kind: LineKind) -> Part | None:
    if not kind.files or not actor.may("files:read"):
        return None
    row, member = metadata.tables["files"].alias("f"), metadata.tables["members"].alias("fm")
    names = [
        name
        for name in ("customers", "contacts", "deals", "owned_items", "tickets", "activities")
        if actor.may(f"{name}:read")
    ]
    if subject.object == "customers":
        about: ColumnElement[bool] = and_(
            row.c.customer_id == RECORD, readable_trail(row.c.object, row.c.record_id, names, actor)
        )
    else:
        about = and_(row.c.object == subject.object, row.c.record_id == RECORD)
    statement = (
        select(
            *_columns(
                "file",
                id=row.c.id,
                at=row.c.created_at,
                sub=row.c.media_type,
                object=row.c.object,
                record_id=row.c.id,
                title=row.c.name,
                who=member.c.name,
                number=row.c.size,
            )
        )
        .select_from(row)
        .outerjoin(member, and_(member.c.tenant_id == TENANT, member.c.id == row.c.created_by))
        .where(
            row.c.tenant_id == TENANT,
            row.c.deleted_at.is_(None),
            about,
            scope.condition(registered()["files"], row.c, actor, actor.scope("files:read")),
        )
    )
    return statement, row.c.created_at, row.c.id


def _about(subject: Subject, name: str, table: Any) -> ColumnElement[bool]:
    """Return the condition that rows of deals, tickets or terms belong to a subject."""
    if subject.object == name:
        return table.c.id == RECORD  # type: ignore[no-any-return]
    if subject.object == "customers":
        return table.c.customer_id == RECORD  # type: ignore[no-any-return]
    mine = table.c["item_id" if name == "owned_item_terms" else LINKS[subject.object]] == RECORD
    # The customer has the index; a contact without one is rare.
    return and_(table.c.customer_id == CUSTOMER, mine) if subject.customer_id else mine


def readable_trail(kind: Any, record_id: Any, names: Iterable[str], actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a row about some record is one that the actor may see."""
    wide: list[str] = []
    narrow: list[ColumnElement[bool]] = []
    for name in names:
        reach = actor.scope(f"{name}:read")
        if reach == "all":
            wide.append(name)
        elif reach is not None:
            record_type = registered()[name]
            table = metadata.tables[table_of(record_type)]
            own = select(table.c.id).where(
                table.c.tenant_id == TENANT, scope.condition(record_type, table.c, actor, reach)
            )
            narrow.append(and_(kind == name, record_id.in_(own)))
    if wide:
        narrow.append(kind.in_(wide))
    return or_(*narrow) if narrow else false()
