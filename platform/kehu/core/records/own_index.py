"""Index rows of own fields: written with each record, asked by filters and sorts (DATABASE.md 1.4)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from kehu.core import bulk
from kehu.core.db import tenant_id
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.core.records import own
from kehu.core.records.fields import Field
from kehu.core.records.own_tables import CustomIndex
from kehu.core.search import end_of
from kehu.core.text import fold

LONGEST = 200


def word_of(spec: Field, value: Any) -> str:
    """Return a value of a text-like field as its index row holds it."""
    written = str(value)
    return fold(written)[:LONGEST] if spec.kind in ("text", "email", "link") else written[:LONGEST]


def number_of(value: Any) -> float:
    """Return a value of a number-like field as its index row holds it: days and seconds as numbers."""
    if isinstance(value, dt.datetime):
        return value.timestamp()
    if isinstance(value, dt.date):
        return float(value.toordinal())
    return float(value)


def _entries(spec: Field, value: Any) -> Iterable[Any]:
    if spec.kind == "choices":
        return value or ()
    return () if value is None or value == "" else (value,)


def write(
    session: Session,
    fields: Sequence[Field],
    records: Sequence[Any],
    *,
    new: bool = False,
    changed: Mapping[uuid.UUID, set[str]] | None = None,
) -> None:
    """Write the index rows of records.

    :param new: they have none yet.
    :param changed: record -> keys of the fields whose rows are written anew; all fields when not given.
    :raises Conflict: when a value that may stand once was taken at the same moment.
    """
    indexed = [one for one in fields if one.own is not None and one.own.indexed]
    rows: list[dict[str, Any]] = []
    gone: dict[uuid.UUID, list[uuid.UUID]] = {}
    for record in records:
        keys = None if changed is None else changed.get(record.id, set())
        for one in indexed:
            if keys is None or one.key in keys:
                assert one.own is not None
                gone.setdefault(one.own.id, []).append(record.id)
                rows += _rows(record.id, one, own.value_of(record, one))
    if not new:
        _remove(session, gone)
    if not rows:
        return
    try:
        bulk.insert_rows(session, CustomIndex.__table__, rows)  # type: ignore[arg-type]
    except IntegrityError as error:
        if "custom_values_sole_key" not in str(error.orig):
            raise
        raise Conflict(
            _("Somebody else gave another record the same value at this moment; it may stand only once.")
        ) from error


def _rows(record_id: uuid.UUID, spec: Field, value: Any) -> list[dict[str, Any]]:
    assert spec.own is not None
    by_word = spec.own.indexed == "word"
    found = []
    for place, entry in enumerate(_entries(spec, value)):
        word = word_of(spec, entry) if by_word else None
        number = None if by_word else number_of(entry)
        found.append(
            {
                "tenant_id": str(tenant_id()),
                "field_id": str(spec.own.id),
                "record_id": str(record_id),
                "place": place,
                "word": word,
                "number": number,
                "sole": (word if by_word else repr(number)) if spec.unique and place == 0 else None,
            }
        )
    return found


def _remove(session: Session, gone: Mapping[uuid.UUID, Sequence[uuid.UUID]]) -> None:
    """Remove the rows of fields of records; fields that lose those of the same records go in one statement."""
    together: dict[tuple[uuid.UUID, ...], list[uuid.UUID]] = {}
    for field_id, record_ids in gone.items():
        together.setdefault(tuple(record_ids), []).append(field_id)
    for ids, field_ids in together.items():
        session.execute(
            delete(CustomIndex).where(
                CustomIndex.tenant_id == tenant_id(),
                bulk.among(CustomIndex.field_id, field_ids),
                bulk.among(CustomIndex.record_id, ids),
            ),
            execution_options={"synchronize_session": False},
        )


def forget(session: Session, fields: Sequence[Field], record_ids: Sequence[uuid.UUID]) -> None:
    """Remove the rows of records (trash)."""
    ids = [one.own.id for one in fields if one.own is not None and one.own.indexed]
    if ids:
        _remove(session, dict.fromkeys(ids, record_ids))


def taken(session: Session, fields: Sequence[Field], records: Sequence[Any]) -> dict[uuid.UUID, list[str]]:
    """Return which records bear a value that may stand only once and another one has: record -> field keys."""
    unique = [one for one in fields if one.own is not None and one.own.indexed and one.unique]
    wanted: dict[tuple[uuid.UUID, str], list[tuple[uuid.UUID, str]]] = {}
    for record in records:
        for one in unique:
            for row in _rows(record.id, one, own.value_of(record, one))[:1]:
                assert one.own is not None
                wanted.setdefault((one.own.id, row["sole"]), []).append((record.id, one.key))
    found: dict[uuid.UUID, list[str]] = {}
    for claims in wanted.values():
        for record_id, key in claims[1:]:
            found.setdefault(record_id, []).append(key)
    for field_id, sole, holder in _holders(session, wanted):
        for record_id, key in wanted.get((field_id, sole), ()):
            if holder != record_id and key not in found.get(record_id, ()):
                found.setdefault(record_id, []).append(key)
    return found


def _holders(session: Session, wanted: Iterable[tuple[uuid.UUID, str]]) -> Sequence[Any]:
    pairs = list(wanted)
    if not pairs:
        return ()
    statement = select(CustomIndex.field_id, CustomIndex.sole, CustomIndex.record_id).where(
        bulk.among(CustomIndex.field_id, list({field_id for field_id, _sole in pairs})),
        CustomIndex.sole.in_([sole for _field, sole in pairs]),
    )
    with session.no_autoflush:
        return session.execute(statement).all()


# Asking -----------------------------------------------------------------------------------


def rows_of(spec: Field) -> Any:
    """Return an alias of the index rows, with the condition that they are those of a field."""
    assert spec.own is not None
    found = aliased(CustomIndex)
    return found, and_(found.tenant_id == tenant_id(), found.field_id == spec.own.id)


def value_column(spec: Field, rows: Any) -> Any:
    """Return the column of index rows that holds a field's values."""
    assert spec.own is not None
    return rows.word if spec.own.indexed == "word" else rows.number


def condition(entity: Any, spec: Field, operator: str, values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a record's value of an own field meets.

    :param operator: eq, ne, in, gte, lte, lt, starts or empty (values: [True] or [False]).
    """
    rows, mine = rows_of(spec)
    has = exists().where(mine, rows.record_id == entity.id)
    if operator == "empty":
        return ~has if values[0] else has
    if None in values:
        known = [one for one in values if one is not None]
        none = ~has if operator != "ne" else has
        if not known or operator == "ne":
            return none if not known else condition(entity, spec, operator, known)
        return or_(none, condition(entity, spec, operator, known))
    if operator == "ne":  # As of all fields: what has no value is not different.
        return and_(has, ~exists().where(mine, rows.record_id == entity.id, _meets(spec, rows, "in", values)))
    # Asked as a set of ids, so that a rare value is found by the index and a frequent one by a hash.
    return entity.id.in_(  # type: ignore[no-any-return]
        select(rows.record_id).where(mine, _meets(spec, rows, operator, values))
    )


def _meets(spec: Field, rows: Any, operator: str, values: Sequence[Any]) -> Any:
    kept = value_column(spec, rows)
    if spec.own is not None and spec.own.indexed == "word":
        wanted: list[Any] = [word_of(spec, one) for one in values]
    else:
        wanted = [number_of(one) for one in values]
    if operator == "starts":
        return and_(kept >= wanted[0], kept < end_of(wanted[0])) if wanted[0] else kept.is_not(None)
    if operator == "gte":
        return kept >= wanted[0]
    if operator == "lte":
        return kept <= wanted[0]
    if operator == "lt":
        return kept < wanted[0]
    return kept == wanted[0] if len(wanted) == 1 else kept.in_(wanted)


def meets(spec: Field, value: Any, operator: str, values: Sequence[Any]) -> bool:
    """Tell whether a value in memory meets what `condition` asks of the database."""
    kept = list(_entries(spec, value))
    if operator == "empty":
        return bool(kept) != bool(values[0])
    if operator == "ne":
        known = [one for one in values if one is not None]
        return bool(kept) and not meets(spec, value, "in", known)
    if not kept:
        return None in values
    by_word = spec.own is not None and spec.own.indexed == "word"
    turn: Any = (lambda one: word_of(spec, one)) if by_word else number_of
    wanted = [turn(one) for one in values if one is not None]
    return any(_compare(operator, turn(one), wanted) for one in kept)


def _compare(operator: str, kept: Any, wanted: Sequence[Any]) -> bool:
    if operator in ("eq", "in"):
        return bool(kept in wanted)
    first = wanted[0]
    if operator == "starts":
        return bool(kept.startswith(first))
    return bool({"gte": kept >= first, "lte": kept <= first, "lt": kept < first}[operator])
