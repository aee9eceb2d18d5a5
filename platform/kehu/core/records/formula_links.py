"""What formulas read of other records: look-ups of what a field points at, roll-ups of what points here.

Both are kept like all values of formulas. When the other record changes, a job reckons those that read it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Numeric, cast, func, inspect, select
from sqlalchemy.dialects.postgresql import array_agg
from sqlalchemy.orm import Session

from kehu.core import bulk, context, jobs, shape
from kehu.core.money import from_minor
from kehu.core.records import own, own_index
from kehu.core.records.fields import Field
from kehu.core.records.formula_functions import Empty
from kehu.core.records.formula_language import Far
from kehu.core.records.formulas import FarValue, far_of, seen_value
from kehu.core.records.types import RecordType, key_of, registered, whole

ADDED = frozenset({"number", "decimal", "percent", "money"})
ORDERED = ADDED | {"date", "datetime"}
_AGGREGATES: dict[str, Any] = {
    "count": func.count,
    "sum": func.sum,
    "smallest": func.min,
    "largest": func.max,
}
AT_ONCE = 500
"""Records that a job is told of."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way from records of a type to others.

    :param pointer: the field that points, here or (`back`) there.
    """

    target: str
    pointer: Field
    back: bool


def ways(type_name: str) -> dict[str, Way]:
    """Return the ways from a type by the names that formulas give them: `customer`, `deals`."""
    names = registered()
    found: dict[str, Way] = {}
    for one in whole(type_name).fields:
        if one.kind == "ref" and one.ref in names:
            found[one.key.removesuffix("_id")] = Way(target=one.ref, pointer=one, back=False)
    for name in names:
        for one in whole(name).fields:
            # Without an index on the pointer a roll-up would read the whole table of a firm.
            if one.kind == "ref" and one.ref == type_name and one.own is None and one.filterable:
                found.setdefault(key_of(name), Way(target=name, pointer=one, back=True))
    return found


def condition(target: RecordType, only: str) -> tuple[Field, Any] | None:
    """Return field and value of `status=open`, or None when the type has no such choice."""
    key, _sign, written = only.partition("=")
    spec = target.by_key.get(key)
    if spec is None or not has_column(target, spec):
        return None
    if spec.kind == "bool" and written in ("1", "0"):
        return spec, written == "1"
    return (spec, written) if spec.kind == "choice" and spec.option(written) is not None else None


def has_column(target: RecordType, spec: Field) -> bool:
    """Tell whether the database can reckon with a field: a plugin's values can only be read record by record."""
    model: Any = target.model
    return spec.own is not None or spec.key in model.__table__.c


# Values -----------------------------------------------------------------------------------


def values(
    session: Session, type_name: str, specs: Iterable[Field], records: Sequence[Any]
) -> dict[uuid.UUID, dict[str, FarValue]]:
    """Return what formulas read of other records, by record and by how it is written; one statement for each."""
    wanted = dict.fromkeys(far for one in specs if one.own for far in far_of(one.own.formula))
    found: dict[uuid.UUID, dict[str, FarValue]] = {one.id: {} for one in records}
    if not wanted:
        return found
    known = ways(type_name)
    with session.no_autoflush:
        for far in wanted:
            way = known.get(far.link)
            if way is None or way.back != (far.how != "look"):
                continue
            read = _rolled if way.back else _looked
            for record_id, value in read(session, way, far, records).items():
                found[record_id][far.name] = value
    return found


def _looked(session: Session, way: Way, far: Far, records: Sequence[Any]) -> dict[uuid.UUID, FarValue]:
    target = whole(way.target)
    spec = target.by_key.get(far.key)
    if spec is None:
        return {}
    ids = {one.id: getattr(one, way.pointer.key) for one in records}
    others = _loaded(session, target, {one for one in ids.values() if one is not None})
    zone, nothing = context.tenant().tz, Empty(f"{way.pointer.label}: {spec.label}")
    found: dict[uuid.UUID, FarValue] = {}
    for record_id, other_id in ids.items():
        other = others.get(other_id)
        value = nothing if other is None else seen_value(spec, other, zone)
        if isinstance(value, Empty):
            value = nothing
        amount = spec.kind == "money" and value is not nothing
        found[record_id] = value, (spec.currency_on(other),) if amount else ()
    return found


def _loaded(session: Session, target: RecordType, ids: set[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """Return records that are not in the trash by id; those that the session has are not read again."""
    model: Any = target.model
    mapper: Any = inspect(model)
    tenant = context.tenant().id
    found = {}
    for one in ids:
        key = mapper.identity_key_from_primary_key(
            [tenant if column.name == "tenant_id" else one for column in mapper.primary_key]
        )
        if key in session.identity_map:
            found[one] = session.identity_map[key]
    missing = ids - found.keys()
    if missing:
        for other in session.execute(select(model).where(bulk.among(model.id, missing))).scalars():
            found[other.id] = other
    session.info["looked_up"] = (
        found  # Held, so that the session still has them for the next record of a batch.
    )
    return {one: other for one, other in found.items() if other.deleted_at is None}


def _rolled(session: Session, way: Way, far: Far, records: Sequence[Any]) -> dict[uuid.UUID, FarValue]:
    target = whole(way.target)
    spec = target.by_key.get(far.key)
    model: Any = target.model
    where: list[ColumnElement[bool]] = []
    if far.only:
        asked = condition(target, far.only)
        if asked is None:
            return {}
        where.append(_is(model, *asked))
    if far.key and (spec is None or spec.kind not in (ADDED if far.how == "sum" else ORDERED)):
        return {}  # The field is gone, or holds something else since.
    pointer = getattr(model, way.pointer.key)
    column = model.id if spec is None else _column(model, spec)
    reckoned = _AGGREGATES[far.how](column)
    statement = select(pointer.label("here"), reckoned.label("value")).group_by(pointer)
    if spec is not None and spec.kind == "money" and spec.own is None and hasattr(model, spec.currency_from):
        currency = getattr(model, spec.currency_from)
        statement = statement.add_columns(
            array_agg(currency.distinct()).filter(column.is_not(None)).label("monies")
        )
    ids = [one.id for one in records if not inspect(one).transient]
    rows = {}
    if ids:
        statement = statement.where(bulk.among(pointer, ids), model.deleted_at.is_(None), *where)
        rows = {row.here: row for row in session.execute(statement)}
    nothing = Empty(str(spec.label if spec is not None else target.plural))
    return {one.id: _result(far, spec, rows.get(one.id), nothing) for one in records}


def _column(model: Any, spec: Field) -> Any:
    if spec.own is None:
        return getattr(model, spec.key)
    kept = model.custom[own.PLACE][spec.own.slot].astext
    return cast(kept, Numeric) if spec.kind in ADDED else kept


def _is(model: Any, spec: Field, value: Any) -> ColumnElement[bool]:
    if spec.own is not None:
        return own_index.condition(model, spec, "eq", [value])
    return getattr(model, spec.key) == value  # type: ignore[no-any-return]


def _result(far: Far, spec: Field | None, row: Any, nothing: Empty) -> FarValue:
    value = None if row is None else row.value
    if far.how == "count":
        return Decimal(value or 0), ()
    assert spec is not None
    if value is None:
        return Decimal(0) if far.how == "sum" else nothing, ()
    if spec.kind == "money":
        monies = (
            [spec.own.currency]
            if spec.own is not None
            else sorted(filter(None, row._mapping.get("monies") or ()))
        )
        return from_minor(int(value), monies[0]) if monies else nothing, monies
    if spec.kind in ("date", "datetime"):
        moment = own.read(spec.kind, value) if isinstance(value, str) else value
        return moment.astimezone(context.tenant().tz).date() if isinstance(
            moment, dt.datetime
        ) else moment, ()
    return Decimal(value), ()


# Keeping fresh ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """A type whose formulas read records of another, and the way on which they do."""

    type: str
    way: Way


def _readers(type_name: str) -> list[_Reader]:
    found: dict[tuple[str, str, bool], _Reader] = {}
    fields: Mapping[str, Sequence[Field]] = shape.part("own_fields") or {}
    for name, mine in fields.items():
        links = {far.link for one in mine if one.own is not None for far in far_of(one.own.formula)}
        if not links or name not in registered():
            continue
        known = ways(name)
        for way in (known[link] for link in links if link in known):
            if way.target == type_name:
                found[name, way.pointer.key, way.back] = _Reader(type=name, way=way)
    return list(found.values())


def readers_of(type_name: str) -> list[str]:
    """Return the types whose formulas read records of a type."""
    return [one.type for one in _readers(type_name)]


def left(record_type: RecordType, record: Any, changed: set[str]) -> list[tuple[str, uuid.UUID]]:
    """Return the records that a changed one pointed at before, as (pointer, id); their roll-ups change, too."""
    found = []
    for key in changed:
        spec = record_type.by_key.get(key)
        if spec is None or spec.kind != "ref" or spec.own is not None:
            continue
        attributes = inspect(record).attrs
        before = attributes[key].history.deleted if key in attributes else ()
        found += [(key, one) for one in before or () if one is not None]
    return found


def follow(
    session: Session,
    type_name: str,
    records: Sequence[Any],
    before: Sequence[tuple[str, uuid.UUID]],
    *,
    new: bool,
    whole: bool,
) -> None:
    """Let jobs reckon what reads of records that were written.

    :param before: what they pointed at until then.
    :param new: nothing points at them yet.
    :param whole: records came back or were merged, so that others point at them now.
    """
    if not shape.present() or not records:
        return
    ids = [one.id for one in records]
    if whole and any(far_of(one.own.formula) for one in own.fields_of(type_name) if one.own is not None):
        _ask(session, type_name, "", ids)
    for reader in _readers(type_name):
        key = reader.way.pointer.key
        if not reader.way.back:
            if not new:
                _ask(session, reader.type, key, ids)
            continue
        theirs = [getattr(one, key) for one in records] + [one for name, one in before if name == key]
        _ask(session, reader.type, "", [one for one in dict.fromkeys(theirs) if one is not None])


def _ask(session: Session, object_name: str, pointer: str, ids: Sequence[uuid.UUID]) -> None:
    for at in range(0, len(ids), AT_ONCE):
        part = [str(one) for one in ids[at : at + AT_ONCE]]
        jobs.enqueue(session, "fields.reckon_some", object_name=object_name, pointer=pointer, ids=part)
