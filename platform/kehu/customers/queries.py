"""What stands beside a customer or a contact, in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Session

from kehu.core import context, kept
from kehu.core.context import Actor
from kehu.core.kept import TENANT, slot
from kehu.core.records import rights, scope
from kehu.core.records.types import get as get_type
from kehu.core.tables import metadata
from kehu.timeline.queries import CUSTOMER, LINKS, RECORD, Subject, values

AT_MOST = 5
_POINTERS = (("owner_id", "members"), ("parent_id", "customers"), ("customer_id", "customers"))
"""Fields of customers and contacts that point at others, and where their names are."""

DONE_TICKETS = ("resolved", "closed")


@dataclass(frozen=True, kw_only=True)
class Related:
    """What stands at the right of a record's page; None for what the reader may not see."""

    steps: Sequence[Any] = ()
    deals: Sequence[Any] | None = None
    people: Sequence[Any] | None = None
    tickets: Sequence[Any] | None = None
    items: Sequence[Any] | None = None
    files: Sequence[Any] | None = None
    draft: str = ""
    names: dict[str, str] = field(default_factory=dict)
    parts: frozenset[str] = field(default_factory=frozenset)

    @staticmethod
    def total(rows: Sequence[Any] | None) -> int:
        """Return how many there are, of which some are shown."""
        return int(rows[0].total) if rows else 0


def related(
    session: Session,
    subject: Subject,
    *,
    draft: str = "",
    record: Any = None,
    only: frozenset[str] | None = None,
    actor: Actor | None = None,
) -> Related:
    """Read what stands beside a record, in the reader's rights.

    :param draft: key of the composer's draft, read along.
    :param record: the record whose owner's and customer's names are read along.
    :param only: names of the parts that are wanted; all by default.
    """
    who = actor or context.actor()
    wanted = [name for name in _SOURCES if _is_wanted(name, subject, who, only)]
    pointers = [(key, table) for key, table in _POINTERS if record is not None and getattr(record, key, None)]
    draft = draft if who.member_id is not None else ""

    def build() -> Any | None:
        parts = [_SOURCES[name][1](subject, who) for name in wanted]
        parts += [_draft()] if draft else []
        parts += [_name(key, table, who) for key, table in pointers]
        return union_all(*parts) if parts else None

    given = {**values(subject), "member": who.member_id, "draft": draft}
    given |= {f"name_{key}": getattr(record, key) for key, _table in pointers}
    tables = [table for _key, table in pointers]
    known = kept.shape(who, [*(_SOURCES[name][0] for name in wanted), *tables, "owned_item_terms"])
    hidden = rights.hidden("deals")
    shape = (
        subject.object,
        subject.customer_id is not None,
        tuple(wanted),
        bool(draft),
        tuple(pointers),
        hidden,
    )
    found: dict[str, list[Any]] = {name: [] for name in wanted}
    for row in kept.rows(session, ("related", known, *shape), build, given):
        found.setdefault(row.part, []).append(row)
    drafts = found.pop("draft", [])
    named = {key: found.pop(f"name_{key}", []) for key, _table in pointers}
    names = {key: rows[0].title for key, rows in named.items() if rows}
    return Related(**found, draft=drafts[0].note if drafts else "", names=names, parts=frozenset(wanted))


def _is_wanted(name: str, subject: Subject, who: Actor, only: frozenset[str] | None) -> bool:
    if (only is not None and name not in only) or subject.object not in _ONLY_AT.get(name, (subject.object,)):
        return False
    return who.may(f"{_SOURCES[name][0]}:read")


_ONLY_AT = {"people": ("customers",), "items": ("customers", "contacts"), "deals": ("customers", "contacts")}
"""Part of the page -> the types at which alone it stands."""


def _columns(part: str, **given: Any) -> list[Any]:
    plain: dict[str, Any] = {
        "id": cast(null(), UUID(as_uuid=True)),
        "title": cast(null(), Text),
        "note": cast(null(), Text),
        "at": cast(null(), DateTime(timezone=True)),
        "day": cast(null(), Date),
        "amount": cast(null(), BigInteger),
        "currency": cast(null(), Text),
        "state": cast(null(), Text),
        "number": cast(null(), BigInteger),
        "version": cast(null(), BigInteger),
        "total": cast(func.count().over(), BigInteger),
        "sum": cast(null(), BigInteger),
        "sum_currency": cast(null(), Text),
    }
    plain.update(given)
    return [literal(part, Text).label("part"), *(value.label(key) for key, value in plain.items())]


def _link(subject: Subject, table: Any) -> ColumnElement[bool]:
    column = LINKS[subject.object]
    if column not in table.c:
        return false()
    mine: ColumnElement[bool] = table.c[column] == RECORD
    if (
        subject.object == "contacts"
        and table.name in ("deals", "tickets")
        and subject.customer_id is not None
    ):
        return and_(table.c.customer_id == CUSTOMER, mine)  # The customer has the index.
    return mine


def _seen(actor: Actor, name: str, table: Any) -> ColumnElement[bool]:
    return scope.condition(get_type(name), table.c, actor, actor.scope(f"{name}:read"))


def _member(column: Any) -> tuple[Any, ColumnElement[bool]]:
    members = metadata.tables["members"].alias()
    return members, and_(members.c.tenant_id == TENANT, members.c.id == column)


def _steps(subject: Subject, actor: Actor) -> Select[Any]:
    row = metadata.tables["activities"]
    member, on = _member(row.c.owner_id)
    return (
        select(
            *_columns(
                "steps",
                id=row.c.id,
                title=row.c.subject,
                note=member.c.name,
                at=row.c.due_at,
                state=row.c.kind,
                number=cast(case((row.c.due_at < func.now(), 1)), BigInteger),
                version=row.c.version,
            )
        )
        .select_from(row)
        .outerjoin(member, on)
        .where(
            row.c.tenant_id == TENANT,
            _link(subject, row),
            row.c.done_at.is_(None),
            row.c.deleted_at.is_(None),
            _seen(actor, "activities", row),
        )
        .order_by(row.c.due_at.asc().nulls_last(), row.c.id)
        .limit(3)
    )


def _deals(subject: Subject, actor: Actor) -> Select[Any]:
    row, stage = metadata.tables["deals"], metadata.tables["stages"]
    one_currency = func.min(row.c.currency).over() == func.max(row.c.currency).over()
    amount = cast(null(), BigInteger) if "amount" in rights.hidden("deals") else row.c.amount
    return (
        select(
            *_columns(
                "deals",
                id=row.c.id,
                title=row.c.name,
                note=stage.c.name,
                day=row.c.expected_close,
                amount=amount,
                currency=row.c.currency,
                sum=cast(func.sum(amount).over(), BigInteger),
                sum_currency=case((one_currency, row.c.currency)),
            )
        )
        .select_from(row)
        .join(stage, and_(stage.c.tenant_id == TENANT, stage.c.id == row.c.stage_id))
        .where(
            row.c.tenant_id == TENANT,
            _link(subject, row),
            row.c.status == "open",
            row.c.deleted_at.is_(None),
            _seen(actor, "deals", row),
        )
        .order_by(row.c.expected_close.asc().nulls_last(), row.c.id.desc())
        .limit(AT_MOST)
    )


def _people(subject: Subject, actor: Actor) -> Select[Any]:
    row = metadata.tables["contacts"]
    return (
        select(
            *_columns(
                "people", id=row.c.id, title=row.c.name, note=func.coalesce(row.c.job_title, row.c.department)
            )
        )
        .where(
            row.c.tenant_id == TENANT,
            row.c.customer_id == RECORD,
            row.c.deleted_at.is_(None),
            _seen(actor, "contacts", row),
        )
        .order_by(row.c.name_norm, row.c.id)
        .limit(8)
    )


def _tickets(subject: Subject, actor: Actor) -> Select[Any]:
    row = metadata.tables["tickets"]
    is_open = row.c.status.not_in(DONE_TICKETS)
    return (
        select(
            *_columns(
                "tickets",
                id=row.c.id,
                title=row.c.subject,
                at=row.c.updated_at,
                state=row.c.status,
                number=row.c.number,
                total=cast(func.count().filter(is_open).over(), BigInteger),
            )
        )
        .where(
            row.c.tenant_id == TENANT,
            _link(subject, row),
            row.c.deleted_at.is_(None),
            _seen(actor, "tickets", row),
        )
        .order_by(is_open.desc(), row.c.id.desc())
        .limit(AT_MOST)
    )


def _items(subject: Subject, actor: Actor) -> Select[Any]:
    row, term = metadata.tables["owned_items"], metadata.tables["owned_item_terms"]
    end: Any = (
        select(func.min(term.c.effective_end))
        .where(
            term.c.tenant_id == TENANT,
            term.c.item_id == row.c.id,
            term.c.state == "active",
            term.c.deleted_at.is_(None),
        )
        .scalar_subquery()
    )
    return (
        select(
            *_columns(
                "items",
                id=row.c.id,
                title=row.c.name,
                note=row.c.serial,
                day=end if actor.may("owned_item_terms:read") else cast(null(), Date),
                state=row.c.status,
            )
        )
        .where(
            row.c.tenant_id == TENANT,
            _link(subject, row),
            row.c.deleted_at.is_(None),
            _seen(actor, "owned_items", row),
        )
        .order_by((row.c.status == "in_use").desc(), row.c.name_norm, row.c.id)
        .limit(AT_MOST)
    )


def _files(subject: Subject, actor: Actor) -> Select[Any]:
    row = metadata.tables["files"]
    return (
        select(
            *_columns(
                "files",
                id=row.c.id,
                title=row.c.name,
                at=row.c.created_at,
                number=row.c.size,
                state=row.c.media_type,
            )
        )
        .where(
            row.c.tenant_id == TENANT,
            row.c.object == subject.object,
            row.c.record_id == RECORD,
            row.c.deleted_at.is_(None),
            _seen(actor, "files", row),
        )
        .order_by(row.c.id.desc())
        .limit(AT_MOST)
    )


def _name(key: str, table_name: str, actor: Actor) -> Select[Any]:
    row = metadata.tables[table_name]
    columns = _columns(f"name_{key}", title=row.c.name, total=cast(literal(1), BigInteger))
    named = select(*columns).where(row.c.tenant_id == TENANT, row.c.id == slot(f"name_{key}"))
    return named if table_name == "members" else named.where(scope.seen(table_name, row.c, actor))


def _draft() -> Select[Any]:
    row = metadata.tables["drafts"]
    return select(*_columns("draft", note=row.c.body, total=cast(literal(1), BigInteger))).where(
        row.c.tenant_id == TENANT,
        row.c.member_id == slot("member"),
        row.c.key == slot("draft", Text),
    )


_SOURCES: dict[str, tuple[str, Callable[[Subject, Actor], Select[Any]]]] = {
    "steps": ("activities", _steps),
    "deals": ("deals", _deals),
    "people": ("contacts", _people),
    "tickets": ("tickets", _tickets),
    "items": ("owned_items", _items),
    "files": ("files", _files),
}
"""Part of the page -> the record type whose right it needs, and its statement."""
