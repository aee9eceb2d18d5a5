"""Formula fields: what they read of a record, in which order they are reckoned, and what they put into it.

Their values are kept like those of other own fields, so lists, filters and programs need not know of formulas.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from kehu.core import context, text
from kehu.core.i18n import _
from kehu.core.money import from_minor, to_minor
from kehu.core.records import own
from kehu.core.records.fields import Field
from kehu.core.records.formula_functions import LARGEST, LONGEST_TEXT, Empty, Unreckonable
from kehu.core.records.formula_language import Far, FormulaError, understand
from kehu.core.records.formula_language import reckon as evaluate
from kehu.core.records.kinds import KINDS as HOW
from kehu.core.records.kinds import MOST_PLACES, dump_value

KINDS = ("text", "number", "decimal", "money", "date", "bool")
"""What a formula may give."""
FarValue = tuple[Any, Sequence[str]]
"""A value of other records, and the currencies of the amounts in it."""


def of_type(type_name: str) -> Sequence[Field]:
    """Return the formula fields of a type, each behind those that it reads."""
    found = {one.key: one for one in own.fields_of(type_name) if one.own is not None and one.own.formula}
    if not found:
        return ()
    keys = _in_order(tuple((one.key, one.own.formula) for one in found.values() if one.own is not None))
    return [found[key] for key in keys]


@lru_cache(maxsize=1024)
def _in_order(formulas: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    reads = {key: [one for one in named(source) if one != key] for key, source in formulas}
    found: list[str] = []

    def visit(key: str, under: frozenset[str]) -> None:
        for other in reads[key]:
            if other in reads and other not in found and other not in under:
                visit(other, under | {other})
        if key not in found:
            found.append(key)

    for key in reads:
        visit(key, frozenset({key}))
    return tuple(found)


def named(source: str) -> tuple[str, ...]:
    """Return the keys of the fields that a formula names; none for one that is not understood (any more)."""
    try:
        return understand(source).names
    except FormulaError:
        return ()


def far_of(source: str) -> tuple[Far, ...]:
    """Return what a formula reads of other records."""
    try:
        return understand(source).far
    except FormulaError:
        return ()


def circle(reads: Mapping[str, Iterable[str]], start: str) -> list[str]:
    """Return the way on which a formula leads back to itself (a, b, a), or nothing.

    :param reads: formula -> what it reads.
    """
    seen: set[str] = set()

    def walk(key: str, way: list[str]) -> list[str]:
        for other in reads.get(key, ()):
            if other == start:
                return [*way, other]
            if other in reads and other not in seen:
                seen.add(other)
                found = walk(other, [*way, other])
                if found:
                    return found
        return []

    return walk(start, [start])


def readable(fields: Iterable[Field], title: str = "") -> dict[str, Field]:
    """Return the fields that a formula may name: those that a write of the record itself changes.

    What Kehu reckons by itself at night would leave the formula with an old value.
    """
    return {
        one.key: one
        for one in fields
        if not one.readonly or one.key == title or (one.own is not None and one.own.formula)
    }


def seen_value(spec: Field, record: Any, zone: dt.tzinfo) -> Any:
    """Return what a field holds as formulas see it."""
    value = getattr(record, spec.key)
    if spec.kind == "bool":
        return bool(value)
    if value is None or value == "" or value == []:
        return Empty(str(spec.label))
    if spec.kind == "money":
        return from_minor(value, spec.currency_on(record))
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).date()
    return value if isinstance(value, dt.date | str) else HOW[spec.kind].show(value)


def value_for(type_name: str, spec: Field, record: Any, far: Mapping[str, FarValue]) -> Any:
    """Return what a formula field gives for a record.

    :param far: what it reads of other records, by how it is written.
    :raises Unreckonable: says why it gives nothing.
    """
    from kehu.core.records.types import whole  # It reads own fields, whose values are reckoned here.

    assert spec.own is not None
    record_type = whole(type_name)
    known = readable(record_type.fields, record_type.title)
    try:
        formula = understand(spec.own.formula)
    except FormulaError as error:
        raise Unreckonable(str(error)) from error
    zone = context.tenant().tz
    mine = {key: known[key] for key in formula.names if key in known and key != spec.key}
    values = {key: seen_value(one, record, zone) for key, one in mine.items()}
    monies = {
        one.currency_on(record): None
        for key, one in mine.items()
        if one.kind == "money" and not isinstance(values[key], Empty)
    }
    for name, (value, currencies) in far.items():
        values[name] = value
        if any(one.name == name for one in formula.far):
            monies |= dict.fromkeys(currencies)
    if spec.kind == "money":
        monies[spec.own.currency] = None
    if len(monies) > 1:
        raise Unreckonable(
            _("Amounts in %(names)s can't be reckoned together.", names=", ".join(sorted(monies)))
        )
    return _as_kind(spec, evaluate(formula, values))


def _as_kind(spec: Field, value: Any) -> Any:
    """Return a result as the kind of its field holds it."""
    if isinstance(value, Empty) or value == "":
        empty = (
            _("“%(name)s” is empty.", name=value.label)
            if isinstance(value, Empty)
            else _("The text is empty.")
        )
        raise Unreckonable(empty)
    assert spec.own is not None
    number = isinstance(value, Decimal)
    if number and abs(value) > LARGEST:
        raise Unreckonable(_("This number is too large."))
    if spec.kind == "text" and not isinstance(value, bool):
        written = format(value.normalize(), "f") if number else str(value)
        return text.clean(written)[:LONGEST_TEXT]
    if number and spec.kind == "number":
        return int(round_half_up(value, 0))
    if number and spec.kind == "decimal":
        return round_half_up(value, MOST_PLACES).normalize()
    if number and spec.kind == "money":
        return to_minor(value, spec.own.currency)
    if isinstance(value, bool) if spec.kind == "bool" else spec.kind == "date" and isinstance(value, dt.date):
        return value
    wanted = {
        "bool": _("yes or no"),
        "date": _("a date"),
        "text": _("a text"),
    }.get(spec.kind) or _("a number")
    given = _("yes or no") if isinstance(value, bool) else f"“{_plain(value)}”"
    raise Unreckonable(_("It gives %(given)s, not %(wanted)s.", given=given, wanted=wanted))


def _plain(value: Any) -> str:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)[:40]


def round_half_up(value: Decimal, places: int) -> Decimal:
    """Return a number with so many places at most."""
    return value.quantize(Decimal(1).scaleb(-places), rounding="ROUND_HALF_UP")


def reckon(session: Session, type_name: str, records: Sequence[Any]) -> dict[uuid.UUID, set[str]]:
    """Give records the values of all formulas of their type and return the keys of those that changed, by record."""
    specs = of_type(type_name)
    if not specs or not records:
        return {}
    from kehu.core.records import formula_links  # It reads values as formulas see them.

    far = formula_links.values(session, type_name, specs, records)
    changed: dict[uuid.UUID, set[str]] = {}
    for record in records:
        for spec in specs:
            try:
                value = value_for(type_name, spec, record, far.get(record.id, {}))
            except Unreckonable:
                value = None
            if dump_value(spec, value) != dump_value(spec, own.value_of(record, spec)):
                own.set_value(record, spec, value)
                changed.setdefault(record.id, set()).add(spec.key)
    return changed


def why(session: Session, type_name: str, spec: Field, record: Any) -> str:
    """Return why a formula gives nothing for a record; empty when it gives something."""
    from kehu.core.records import formula_links

    far = formula_links.values(session, type_name, [spec], [record])
    try:
        value_for(type_name, spec, record, far.get(record.id, {}))
    except Unreckonable as error:
        return str(error)
    return ""
