"""The condition of a workflow: read as it was typed, asked in SQL, shown in words, asked of a record as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement

from kehu.core import context
from kehu.core.context import Actor
from kehu.core.errors import InvalidInput
from kehu.core.records import asking, filters, matching, periods, where
from kehu.core.records.fields import FieldError
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.web.records import filtering, pages_of, query, where_text

Check = Callable[[Any], bool]

_QUERY = re.compile(r"[A-Za-z][\w.~]*=")
_KEPT = frozenset({"created_at", "created_by"})
"""Fields that nobody sets, which hold what they held."""


def written(object_name: str, typed: str, actor: Actor) -> str | None:
    """Return a condition in its one form: the query of a list, without sort; “me” becomes the member who wrote it.

    :param typed: the address of a list, its query, or a filter alone (`status:open`).
    """
    typed = typed.strip()
    if "://" in typed or typed.startswith(("/", "?")):
        typed = urlsplit(typed).query
    elif typed and not _QUERY.match(typed):
        typed = query.write({where.KEY: typed})
    args = {key: value for key, value in query.filters_only(query.parse(typed)).items() if key != "sort"}
    mine = str(actor.member_id) if actor.member_id else "none"
    members = {one.key for one in get_type(object_name).fields if one.kind == "member"}
    for key, value in args.items():
        if key.partition(".")[0] in members:
            args[key] = ",".join(mine if part == "me" else part for part in value.split(","))
    if given := args.get(where.KEY):
        with suppress(InvalidInput):  # The service refuses what can't be read.
            args[where.KEY] = asking.without_me(get_type(object_name), given, actor)
    return query.write(args) or None


def asked(record_type: RecordType, condition: str | None, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions in SQL.

    :raises InvalidInput: names what can't be asked, such as a field that is gone.
    """
    args = query.parse(condition or "")
    return filters.conditions(record_type, record_type.model, args, actor, context.tenant(), strict=True)


def words(record_type: RecordType, condition: str | None) -> list[str]:
    """Return a condition as people read it, part by part."""
    args = query.parse(condition or "")
    pages = pages_of(record_type.name)
    if pages is None:
        return [condition] if condition else []
    found = [f"{chip.label}: {chip.text}" for chip in filtering.chips(pages, args) if chip.on]
    if typed := args.get("q"):
        found.append(f"“{typed}”")
    shown = where_text.shown(record_type, args)
    return [*found, shown.text] if shown else found


def as_it_was(record_type: RecordType, condition: str | None, actor: Actor) -> tuple[Check, set[str]] | None:
    """Return how the condition is asked of a record as it was, and which fields it reads.

    None where the trail can't tell: words, related records, segments, days counted from today, derived values.
    """
    args = query.parse(condition or "")
    given = args.pop(where.KEY, "")
    keys: set[str] = set()
    try:
        plain = [
            _test(record_type, *name.partition(".")[::2], raw, actor, keys) for name, raw in args.items()
        ]
        groups = list(_groups(record_type, given, actor, keys))
    except (InvalidInput, FieldError, _Unknown):
        return None
    one_of = bool(given) and where.parse(given).join == "or"
    return lambda record: all(test(record) for test in plain) and _joined(groups, one_of)(record), keys


class _Unknown(Exception):
    """Raised for what the trail can't tell."""


def _groups(record_type: RecordType, given: str, actor: Actor, keys: set[str]) -> Iterator[Check]:
    for group in where.parse(given).groups:
        if group.relation:
            raise _Unknown
        tests = [_test(record_type, one.key, one.operator, one.value, actor, keys) for one in group.tests]
        yield _joined(tests, group.join == "or")


def _joined(tests: list[Check], one_of: bool) -> Check:
    if not tests:
        return lambda _record: True
    return lambda record: (any if one_of else all)(test(record) for test in tests)


def _test(record_type: RecordType, key: str, operator: str, raw: str, actor: Actor, keys: set[str]) -> Check:
    field, tenant = record_type.by_key.get(key), context.tenant()
    if field is None or not field.filterable or (field.readonly and key not in _KEPT):
        raise _Unknown
    if field.kind in asking.DAYS and (
        periods.span_of(raw, tenant) is not None or filters.relative_day(raw, tenant) is not None
    ):
        raise _Unknown
    keys.add(key)
    raw = raw.replace("|", ",") if field.kind in filters.SETS else raw
    if operator == "ne":
        equal = _one(record_type, key, "", raw, actor)
        empty = _one(record_type, key, ".empty", "1", actor) if field.kind not in ("bool", "tags") else None
        return lambda record: not equal(record) or (empty is not None and empty(record))
    if operator not in ("", "eq", "in", "gte", "lte", "empty", "starts"):
        raise _Unknown
    return _one(record_type, key, f".{operator}" if operator not in ("", "eq") else "", raw, actor)


def _one(record_type: RecordType, key: str, operator: str, raw: str, actor: Actor) -> Check:
    asks: Mapping[str, str] = {f"{key}{operator}": raw}
    tests = matching.tests(record_type, asks, actor, context.tenant())
    if not tests:
        raise _Unknown
    return tests[0][1]
