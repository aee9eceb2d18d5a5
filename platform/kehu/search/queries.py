"""One statement that finds records of all kinds by the beginnings of words, in the reader's rights.

The inner part of each kind touches only the index of the terms (DATABASE.md 1.4) and is bounded, so that a single
letter costs as little as a whole name; titles are read for the few that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from kehu.core.context import Actor
from kehu.core.kept import TENANT, slot
from kehu.core.records import scope
from kehu.core.records.types import RecordType, get
from kehu.core.search import SearchTerm, end_of
from kehu.core.tables import metadata

FIRST_TERMS = 120
"""Terms read for one word when everything may be seen: enough for six records, since one has several."""

SHARED_TERMS = 10_000
"""Terms read for each of several words, which a record must all have."""

BY_CUSTOMER = frozenset({"deals", "tickets", "owned_items"})
"""Kinds whose records are found by their customer too; people know the customer's name, not the deal's."""

_terms: Any = SearchTerm.__table__
_TERM = Text(collation="C")


def hits_statement(types: Sequence[RecordType], words: int, actor: Actor, limit: int) -> Any | None:
    """Return the statement for the best hits of each kind; None when there is nothing to ask.

    :param words: how many there are; `word_values` fills them in.
    """
    parts = [
        part
        for record_type in types
        if words and actor.may(f"{record_type.name}:read")
        for part in [_hits(record_type, words, actor, limit)]
    ]
    return union_all(*parts) if parts else None


def recent_statement(types: dict[str, tuple[RecordType, list[Any]]], actor: Actor) -> Any | None:
    """Return the statement for the titles of records by their ids, as far as they live and may be seen."""
    parts = []
    for record_type, ids in types.values():
        if ids and actor.may(f"{record_type.name}:read"):
            table = _table(record_type)
            columns = _columns(record_type, table, literal("", Text), actor)
            parts.append(_described(record_type, table, actor, columns).where(table.c.id.in_(ids)))
    return union_all(*parts) if parts else None


def _table(record_type: RecordType) -> Any:
    model: Any = record_type.model
    return model.__table__


def word_values(words: Sequence[str], *, whole: bool = False) -> dict[str, str]:
    """Return the values of the words: where the range of each begins and ends.

    :param whole: only the words themselves count, not what begins with them (`#2` is not 2025).
    """
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        found[f"from_{at}"] = word
        found[f"to_{at}"] = f"{word}\x01" if whole else end_of(word)
    return found


def _range(alias: Any, kind: str, at: int) -> ColumnElement[bool]:
    start, end = slot(f"from_{at}", _TERM), slot(f"to_{at}", _TERM)
    return and_(alias.c.tenant_id == TENANT, alias.c.kind == kind, alias.c.term >= start, alias.c.term < end)


def _candidates(record_type: RecordType, words: int, actor: Actor, limit: int) -> Any:
    """Return a sub-select of record ids with the term that stands first in the order of the index.

    When everything may be seen, the best are chosen here already, so that only their titles are read.
    """
    wide = actor.scope(f"{record_type.name}:read") == "all"
    first, *others = [_word(record_type, at, words, None if wide else actor) for at in range(words)]
    source: Any = first
    for other in others:
        source = source.join(other, other.c.record_id == first.c.record_id)
    statement = select(first.c.record_id, func.min(first.c.term).label("term"))
    statement = statement.select_from(source).group_by(first.c.record_id)
    if wide:
        # Records in the trash have no terms, so hardly one of these is lost when the titles are read.
        statement = statement.order_by(func.min(first.c.term), first.c.record_id).limit(limit + 3)
    return statement.subquery()


def _word(record_type: RecordType, at: int, words: int, actor: Actor | None) -> Any:
    """Return the first terms of one word's range.

    :param actor: when he sees only some records, theirs alone count; whether to go through the terms or through
        his records is the planner's choice.
    """
    alias = _terms.alias()
    statement = select(alias.c.record_id, alias.c.term).where(_range(alias, record_type.name, at))
    if actor is not None and words == 1:
        table = _table(record_type).alias()
        reach = actor.scope(f"{record_type.name}:read")
        statement = statement.join(
            table, and_(table.c.tenant_id == TENANT, table.c.id == alias.c.record_id)
        ).where(table.c.deleted_at.is_(None), scope.condition(record_type, table.c, actor, reach))
    bound = FIRST_TERMS if words == 1 else SHARED_TERMS
    return statement.order_by(alias.c.term, alias.c.record_id).limit(bound).subquery()


def _columns(record_type: RecordType, table: Any, term: Any, actor: Actor) -> list[Any]:
    number = (
        table.c.number
        if record_type.name != "customers"
        and isinstance(getattr(table.c.get("number"), "type", None), BigInteger)
        else cast(null(), BigInteger)
    )
    note: Any = cast(null(), Text)
    if record_type.customer == "customer_id":
        customers = metadata.tables["customers"].alias("cu")
        note = (
            select(customers.c.name)
            .where(
                customers.c.tenant_id == TENANT,
                customers.c.id == table.c.customer_id,
                scope.seen("customers", customers.c, actor),
            )
            .scalar_subquery()
        )
    elif record_type.name == "customers":
        note = table.c.industry
    return [
        literal(record_type.name, Text).label("kind"),
        table.c.id.label("id"),
        table.c[record_type.title].label("title"),
        note.label("note"),
        number.label("number"),
        term.label("term"),
    ]


def _described(record_type: RecordType, table: Any, actor: Actor, columns: list[Any]) -> Select[Any]:
    reach = actor.scope(f"{record_type.name}:read")
    return select(*columns).where(
        table.c.tenant_id == TENANT,
        table.c.deleted_at.is_(None),
        scope.condition(record_type, table.c, actor, reach),
    )


def _hits(record_type: RecordType, words: int, actor: Actor, limit: int) -> Select[Any]:
    found, table = _found(record_type, words, actor, limit), _table(record_type)
    statement = _described(record_type, table, actor, _columns(record_type, table, found.c.term, actor))
    return (
        statement.select_from(found)
        .join(table, table.c.id == found.c.record_id)
        .order_by(found.c.term, table.c.id)
        .limit(limit)
    )


def _found(record_type: RecordType, words: int, actor: Actor, limit: int) -> Any:
    """Return a sub-select of record ids with what decides their order: own terms before those of the customer."""
    own = _candidates(record_type, words, actor, limit)
    if record_type.name not in BY_CUSTOMER or not actor.may("customers:read"):
        return own
    theirs = _of_customers(record_type, words, actor, limit).subquery()
    both = union_all(
        select(own.c.record_id, own.c.term), select(theirs.c.record_id, theirs.c.term)
    ).subquery()
    return select(both.c.record_id, func.min(both.c.term).label("term")).group_by(both.c.record_id).subquery()


def _of_customers(record_type: RecordType, words: int, actor: Actor, limit: int) -> Any:
    """Return the latest records of customers that are found and may be seen."""
    customers = get("customers")
    found, customer, table = (
        _candidates(customers, words, actor, limit),
        _table(customers).alias(),
        _table(record_type).alias(),
    )
    reach = actor.scope(f"{record_type.name}:read")
    # The last character of all puts them behind the records that carry the words themselves.
    term = literal("\U0010ffff", _TERM).concat(found.c.term)
    return (
        select(table.c.id.label("record_id"), term.label("term"))
        .select_from(found)
        .join(customer, and_(customer.c.tenant_id == TENANT, customer.c.id == found.c.record_id))
        .join(table, and_(table.c.tenant_id == TENANT, table.c.customer_id == customer.c.id))
        .where(customer.c.deleted_at.is_(None), scope.seen("customers", customer.c, actor))
        .where(table.c.deleted_at.is_(None), scope.condition(record_type, table.c, actor, reach))
        .order_by(table.c.id.desc())
        .limit(limit + 3)
    )
