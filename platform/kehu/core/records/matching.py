"""Asks one record in memory what a list's query asks of the database, and gets the same answer.

The language is that of filters (`?status=won&amount.gte=1000`). Words, further filters that stand behind no field, and
related records can't be asked here: rules are looked at before a record is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from kehu.core import text
from kehu.core.context import Actor, TenantInfo
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import filters, own_index
from kehu.core.records.fields import Field, FieldError
from kehu.core.records.kinds import KINDS
from kehu.core.records.periods import Span
from kehu.core.records.types import RecordType

Test = Callable[[Any], bool]

_IGNORED = frozenset({"sort", "view", "columns", "limit", "at", "after", "before", "page", "period"})
"""Keys of a list's address that ask nothing of a record."""


def tests(
    record_type: RecordType, query: Mapping[str, str], actor: Actor, tenant: TenantInfo
) -> list[tuple[str, Test]]:
    """Return the questions of a query: the field's key, and whether a record meets it.

    :raises InvalidInput: names what can't be asked of a single record.
    """
    found: list[tuple[str, Test]] = []
    for name, raw in query.items():
        if name in _IGNORED or not raw.strip():
            continue
        key, _dot, operator = name.partition(".")
        spec = record_type.by_key.get(key)
        if spec is None or not spec.filterable or (operator or "eq") not in filters.OPERATORS:
            message = _(
                "A rule can't ask for “%(name)s”; use a field that lists can be filtered by.", name=name
            )
            raise InvalidInput(message, fields={name: [message]})
        try:
            found.append((key, _test(spec, operator or "eq", raw.strip(), actor, tenant)))
        except FieldError as error:
            raise InvalidInput(str(error), fields={name: [str(error)]}) from error
    return found


def meets(
    record_type: RecordType, query: Mapping[str, str], record: Any, actor: Actor, tenant: TenantInfo
) -> bool:
    """Tell whether a record meets all of a query."""
    return all(test(record) for _key, test in tests(record_type, query, actor, tenant))


def _test(spec: Field, operator: str, raw: str, actor: Actor, tenant: TenantInfo) -> Test:
    key = spec.key
    if spec.kind == "tags":
        wanted_tag = text.fold(raw)
        return lambda record: wanted_tag in {text.fold(tag) for tag in getattr(record, key) or ()}
    span = filters._span(spec, operator, raw, tenant)
    if span is not None:
        return _within(spec, operator, span, actor, tenant)
    known = KINDS[spec.kind].filters
    if operator not in known and not (operator == "eq" and known):
        raise FieldError(_("“%(label)s” can't be filtered in this way.", label=spec.label))
    if spec.own is not None:
        asked, wanted = filters._asked(spec, operator, raw, actor, tenant)
        return lambda record: own_index.meets(spec, getattr(record, key), asked, wanted)
    if operator == "empty":
        empty = raw in ("1", "true", "yes")
        return lambda record: _is_none(getattr(record, key)) == empty
    if operator == "starts":
        return lambda record: _begins(getattr(record, key), raw, spec)
    parts = raw.split(",") if spec.kind in filters.SETS else [raw]
    values = [filters._value(spec, part, actor, tenant) for part in parts]
    if None in values:
        return lambda record: _is_none(getattr(record, key))
    return _compared(spec, operator, raw, values)


def _within(spec: Field, operator: str, span: Span, actor: Actor, tenant: TenantInfo) -> Test:
    ends = (("gte", span.first), ("lte", span.last))
    wanted = [
        _test(spec, side, day.isoformat(), actor, tenant)
        for side, day in ends
        if day is not None and operator in ("eq", side)
    ]
    if not wanted:
        raise FieldError(_("“%(value)s” has no end on this side.", value=span))
    return lambda record: all(one(record) for one in wanted)


def _compared(spec: Field, operator: str, raw: str, values: list[Any]) -> Test:
    key, first = spec.key, values[0]
    if operator in ("eq", "in"):
        wanted = set(values) if operator == "in" or len(values) > 1 else {first}
        return lambda record: getattr(record, key) in wanted
    if operator == "ne":
        excluded = set(values)
        return lambda record: getattr(record, key) is not None and getattr(record, key) not in excluded
    if operator == "gte":
        return lambda record: getattr(record, key) is not None and getattr(record, key) >= first
    if spec.kind == "datetime" and not filters._TIME.search(raw):
        beyond = first + dt.timedelta(days=1)
        return lambda record: getattr(record, key) is not None and getattr(record, key) < beyond
    return lambda record: getattr(record, key) is not None and getattr(record, key) <= first


def _is_none(value: Any) -> bool:
    return value is None


def _begins(value: Any, raw: str, _spec: Field) -> bool:
    return value is not None and str(value).startswith(raw)
