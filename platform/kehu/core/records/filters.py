"""From a URL's query to conditions: `?owner_id=me&amount.gte=100&stage_id=<id>,<id>&q=text`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, true
from sqlalchemy.orm import aliased

from kehu.core import clock, search
from kehu.core.context import Actor, TenantInfo
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import criteria, own_index, scope, where
from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import KINDS, load_value
from kehu.core.records.periods import Span, span_of
from kehu.core.records.types import RecordType, get
from kehu.core.search_terms import query_terms

RESERVED = frozenset(
    {
        "sort",
        "after",
        "before",
        "limit",
        "view",
        "columns",
        "q",
        "at",
        "shape",
        "period",
        "page",
        "count",
        "where",
    }
)
"""Query keys that are no filters."""

OPERATORS = frozenset({"eq", "ne", "in", "gte", "lte", "empty", "starts"})


def conditions(
    record_type: RecordType,
    entity: Any,
    query: Mapping[str, str],
    actor: Actor,
    tenant: TenantInfo,
    *,
    strict: bool,
) -> list[ColumnElement[bool]]:
    """Return the conditions of a list's query.

    :param query: the URL's arguments; empty values are ignored.
    :param strict: refuse unknown names (REST) instead of ignoring them (HTML, old bookmarks).
    :raises InvalidInput: names the filter and the remedy.
    """
    found: list[ColumnElement[bool]] = []
    text = query.get("q", "").strip()
    if text:
        found += words(record_type, entity, text, actor)
    beside = _Beside(record_type, query)
    for name, raw in query.items():
        if name in RESERVED or not raw.strip():
            continue
        key, _dot, operator = name.partition(".")
        spec = record_type.by_key.get(key)
        operator = operator or "eq"
        if spec is None and beside.takes(key, operator, raw):
            continue
        if spec is None or not spec.filterable or operator not in OPERATORS:
            if strict:
                raise InvalidInput(
                    _("There is no filter “%(name)s”.", name=name), fields={name: [_("Unknown filter.")]}
                )
            continue
        try:
            found.append(condition(record_type, entity, spec, operator, raw, actor, tenant))
        except FieldError as error:
            raise InvalidInput(str(error), fields={name: [str(error)]}) from error
    if written := query.get(where.KEY, "").strip():
        from kehu.core.records import asking  # Asks back here for its single questions.

        found += asking.conditions(record_type, entity, written, actor, tenant)
    return found + beside.conditions(entity, actor, tenant)


class _Beside:
    """The filters of a query that stand behind no field; looked up only when there are any."""

    def __init__(self, record_type: RecordType, query: Mapping[str, str]) -> None:
        keys = {name.partition(".")[0] for name in query} - RESERVED - record_type.by_key.keys()
        self.known = criteria.of(record_type.name) if keys else {}
        self.given: dict[str, dict[str, str]] = {}

    def takes(self, key: str, operator: str, raw: str) -> bool:
        """Tell whether there is such a filter, and remember what it is asked."""
        if key in self.known:
            self.given.setdefault(key, {})[operator] = raw
        return key in self.known

    def conditions(self, entity: Any, actor: Actor, tenant: TenantInfo) -> list[ColumnElement[bool]]:
        """Return the conditions of what was asked."""
        found = []
        for key, given in self.given.items():
            try:
                found.append(criteria.condition(self.known[key], entity, given, actor, tenant))
            except FieldError as error:
                raise InvalidInput(str(error), fields={key: [str(error)]}) from error
        return found


def words(record_type: RecordType, entity: Any, text: str, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions under which a record is found by what was typed: one for each word.

    A record is also found by its customer's terms. These are looked up at the customer, as he stands now and as
    far as the actor may see him, and never copied to the record (SAS-21).
    """
    if not query_terms(text):
        return [entity.id.is_(None)]
    linked = record_type.customer == "customer_id" and actor.may("customers:read")
    if not linked:
        return [entity.id.in_(part) for part in search.matching(record_type.name, text)]
    known = _customer_known(entity, actor)
    # Questions of the form EXISTS under an OR: the planner answers them from a hash or row by row, and never
    # joins, which with old statistics (just after an import) took minutes.
    return [
        or_(
            search.carries(record_type.name, entity.id, word),
            and_(search.carries("customers", entity.customer_id, word), known),
        )
        for word in query_terms(text)
    ]


def _customer_known(entity: Any, actor: Actor) -> ColumnElement[bool]:
    if actor.scope("customers:read") == "all":
        return true()
    customer = aliased(get("customers").model)
    return exists().where(scope.link("customers", customer, entity, "customer_id", actor))


def condition(
    record_type: RecordType,
    entity: Any,
    spec: Field,
    operator: str,
    raw: str,
    actor: Actor,
    tenant: TenantInfo,
) -> ColumnElement[bool]:
    """Return the condition of one question about a field; days may be named from today on (this-month).

    :raises FieldError: when the field can't be asked so.
    """
    span = _span(spec, operator, raw, tenant)
    if span is None:
        return _condition(record_type, entity, spec, operator, raw, actor, tenant)
    ends = (("gte", span.first), ("lte", span.last))
    wanted = [end for end in ends if end[1] is not None and operator in ("eq", end[0])]
    if not wanted:
        raise FieldError(_("“%(value)s” has no end on this side.", value=raw))
    return and_(
        *(
            _condition(record_type, entity, spec, side, day.isoformat(), actor, tenant)
            for side, day in wanted
            if day is not None
        )
    )


def _span(spec: Field, operator: str, raw: str, tenant: TenantInfo) -> Span | None:
    """Return the days that a question about a day means, if it means several or the whole of one."""
    if spec.kind not in ("date", "datetime") or operator not in ("eq", "gte", "lte"):
        return None
    raw = raw.strip()
    found = span_of(raw, tenant)
    if (
        found is None
        and spec.kind == "datetime"
        and operator == "eq"
        and raw != "none"
        and not _TIME.search(raw)
    ):
        day = relative_day(raw, tenant) or load_value(replace(spec, kind="date"), raw, LoadContext())
        found = Span(day, day)
    return found


def _condition(
    record_type: RecordType,
    entity: Any,
    spec: Field,
    operator: str,
    raw: str,
    actor: Actor,
    tenant: TenantInfo,
) -> ColumnElement[bool]:
    if spec.kind == "tags":
        return entity.id.in_(search.tagged(record_type.name, raw))  # type: ignore[no-any-return]
    if operator not in KINDS[spec.kind].filters and not (operator == "eq" and KINDS[spec.kind].filters):
        raise FieldError(_("“%(label)s” can't be filtered in this way.", label=spec.label))
    if spec.own is not None:
        return own_index.condition(entity, spec, *_asked(spec, operator, raw, actor, tenant))
    column = getattr(entity, spec.key)
    if operator == "empty":
        wanted: ColumnElement[bool] = column.is_(None) if raw in ("1", "true", "yes") else column.is_not(None)
        return wanted
    if operator == "starts":
        return column.startswith(raw, autoescape=True)  # type: ignore[no-any-return]
    values = [_value(spec, part, actor, tenant) for part in (raw.split(",") if spec.kind in SETS else [raw])]
    if None in values:
        return column.is_(None)  # type: ignore[no-any-return]
    if operator in ("eq", "in"):
        equal: ColumnElement[bool] = column == values[0]
        return equal if len(values) == 1 else column.in_(values)
    if operator == "ne":
        return column.not_in(values)  # type: ignore[no-any-return]
    if operator == "gte":
        return column >= values[0]  # type: ignore[no-any-return]
    if spec.kind == "datetime" and not _TIME.search(raw):
        # "Up to a day" holds the whole day.
        return column < values[0] + dt.timedelta(days=1)  # type: ignore[no-any-return]
    return column <= values[0]  # type: ignore[no-any-return]


def _asked(spec: Field, operator: str, raw: str, actor: Actor, tenant: TenantInfo) -> tuple[str, list[Any]]:
    """Return what is asked of a firm's own field: the operator and its values."""
    if operator == "empty":
        return operator, [raw in ("1", "true", "yes")]
    if operator == "starts":
        return operator, [raw]
    values = [_value(spec, part, actor, tenant) for part in (raw.split(",") if spec.kind in SETS else [raw])]
    values = [one for value in values for one in (value if isinstance(value, list) else [value])]
    if spec.kind == "datetime" and operator == "lte" and not _TIME.search(raw):
        return "lt", [values[0] + dt.timedelta(days=1)]
    return operator, values


_TIME = re.compile(r"\d:\d")
SETS = frozenset({"choice", "choices", "member", "ref"})
"""Kinds of which several values may be asked for, with commas between them."""


def _value(spec: Field, raw: str, actor: Actor, tenant: TenantInfo) -> Any:
    raw = raw.strip()
    if raw == "none":
        return None
    if spec.kind == "member" and raw == "me":
        return actor.member_id
    ctx = LoadContext(country=tenant.country, currency=tenant.currency, zone=tenant.tz)
    if spec.kind in ("date", "datetime") and (relative := relative_day(raw, tenant)) is not None:
        return relative if spec.kind == "date" else dt.datetime.combine(relative, dt.time(), tenant.tz)
    value = load_value(spec, raw, ctx)
    if spec.kind == "datetime" and not _TIME.search(raw):
        return value.astimezone(tenant.tz).replace(hour=0, minute=0)
    return value


def relative_day(raw: str, tenant: TenantInfo) -> dt.date | None:
    """Return the day that a word means (today, today-7, today+30), or None when it is no such word.

    :raises FieldError: when it begins like one and is none.
    """
    if not raw.startswith("today"):
        return None
    shift = raw.removeprefix("today").replace(" ", "+") or "0"
    try:
        return clock.today(tenant.tz) + dt.timedelta(days=int(shift))
    except (ValueError, OverflowError) as error:
        raise FieldError(
            _("“%(value)s” is no day; write today, today-7 or 2026-11-22.", value=raw[:40])
        ) from error
