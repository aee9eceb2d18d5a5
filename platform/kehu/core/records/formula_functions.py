"""What the language of formulas reckons with: values, functions and operators, each with its own refusals."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from kehu.core.i18n import _
from kehu.core.text import fold

LONGEST_TEXT: Final = 500
LARGEST: Final = Decimal(10) ** 15


class Unreckonable(ValueError):
    """Raised where a formula has no value for a record; the text says why."""


@dataclass(frozen=True)
class Empty:
    """The value of a field that holds nothing; what reckons with it has no value, and says which field it was."""

    label: str

    def __bool__(self) -> bool:
        raise _missing(self)


def _missing(value: Empty) -> Unreckonable:
    return Unreckonable(_("“%(name)s” is empty.", name=value.label))


# Functions --------------------------------------------------------------------------------


def _number(value: Any) -> Decimal:
    if isinstance(value, Empty):
        raise _missing(value)
    if not isinstance(value, Decimal):
        raise Unreckonable(_("“%(value)s” is no number.", value=_shown(value)[:60]))
    return value


def _whole(value: Any, most: int) -> int:
    number = _number(value)
    if number != number.to_integral_value() or abs(number) > most:
        raise Unreckonable(_("“%(value)s” is not possible here.", value=_shown(value)))
    return int(number)


def _day(value: Any) -> dt.date:
    if isinstance(value, Empty):
        raise _missing(value)
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    if not isinstance(value, dt.date):
        raise Unreckonable(_("“%(value)s” is no date; write it as 2026-11-22.", value=_shown(value)[:40]))
    return value


def _shown(value: Any) -> str:
    """Return a value as texts hold it; nothing is an empty text."""
    if isinstance(value, Empty):
        return ""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, bool):
        raise Unreckonable(_("Yes or no is no text; say with if(…) what to write."))
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _short(value: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise Unreckonable(_("The text is longer than %(num)s characters.", num=LONGEST_TEXT))
    return value


def _within(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) > LARGEST:
        raise Unreckonable(_("This number is too large."))
    return value


def _is_empty(value: Any) -> bool:
    return isinstance(value, Empty) or value == ""


def _if_empty(value: Any, other: Any) -> Any:
    return other if _is_empty(value) else value


def _round(value: Any, places: Any = Decimal(0)) -> Decimal:
    return _number(value).quantize(Decimal(1).scaleb(-_whole(places, 9)))


def _pick(pick: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*values: Any) -> Any:
        if any(isinstance(one, dt.date) for one in values):
            return pick(_day(one) for one in values)
        return pick(_number(one) for one in values)

    return chosen


def _concat(*values: Any) -> str:
    return _short("".join(_shown(one) for one in values))


def _text(value: Any) -> str:
    if isinstance(value, Empty):
        raise _missing(value)
    return _shown(value)


def _add_days(day: Any, days: Any) -> dt.date:
    try:
        return _day(day) + dt.timedelta(days=_whole(days, 1_000_000))
    except OverflowError as error:
        raise Unreckonable(_("This date is out of range.")) from error


def _date(year: Any, month: Any, day: Any) -> dt.date:
    try:
        return dt.date(_whole(year, 9999), _whole(month, 12), _whole(day, 31))
    except ValueError as error:
        raise Unreckonable(_("There is no such day in the calendar.")) from error


@dataclass(frozen=True)
class Function:
    """A function of the language: what it does, and how many values it takes."""

    call: Callable[..., Any]
    least: int
    most: int
    form: str
    """How it is written, for people."""


FUNCTIONS: Final[Mapping[str, Function]] = {
    "round": Function(_round, 1, 2, "round(number, places)"),
    "min": Function(_pick(min), 1, 20, "min(a, b, …)"),
    "max": Function(_pick(max), 1, 20, "max(a, b, …)"),
    "abs": Function(lambda value: abs(_number(value)), 1, 1, "abs(number)"),
    "concat": Function(_concat, 1, 20, "concat(a, b, …)"),
    "upper": Function(lambda value: _text(value).upper(), 1, 1, "upper(text)"),
    "lower": Function(lambda value: _text(value).lower(), 1, 1, "lower(text)"),
    "left": Function(lambda value, count: _text(value)[: max(_whole(count, 500), 0)], 2, 2, "left(text, n)"),
    "length": Function(lambda value: Decimal(len(_shown(value))), 1, 1, "length(text)"),
    "contains": Function(
        lambda value, part: fold(_shown(part)) in fold(_shown(value)), 2, 2, "contains(text, part)"
    ),
    "is_empty": Function(_is_empty, 1, 1, "is_empty(field)"),
    "if_empty": Function(_if_empty, 2, 2, "if_empty(field, other)"),
    "days_between": Function(
        lambda since, until: Decimal((_day(until) - _day(since)).days), 2, 2, "days_between(from, to)"
    ),
    "add_days": Function(_add_days, 2, 2, "add_days(date, n)"),
    "date": Function(_date, 3, 3, "date(year, month, day)"),
    "year": Function(lambda value: Decimal(_day(value).year), 1, 1, "year(date)"),
    "month": Function(lambda value: Decimal(_day(value).month), 1, 1, "month(date)"),
}
IF: Final = "if(condition, then, otherwise)"
ROLL_UPS: Final[Mapping[str, str]] = {
    "count": "count(deals, 'status=open')",
    "sum": "sum(deals.amount, 'status=open')",
    "smallest": "smallest(deals.amount)",
    "largest": "largest(deals.amount)",
}
"""What is reckoned over the records that point here, and how it is written."""


# Operators --------------------------------------------------------------------------------


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, dt.date):
        return _add_days(left, right)
    if isinstance(left, str) or isinstance(right, str):
        raise Unreckonable(_("“+” adds numbers; put texts together with concat(…)."))
    return _within(_number(left) + _number(right))


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, dt.date):
        if isinstance(right, dt.date | str):
            return Decimal((left - _day(right)).days)
        return _add_days(left, -_number(right))
    return _within(_number(left) - _number(right))


def _divide(left: Any, right: Any) -> Decimal:
    if not _number(right):
        raise Unreckonable(_("It divides by zero."))
    return _within(_number(left) / _number(right))


def _rest(left: Any, right: Any) -> Decimal:
    if not _number(right):
        raise Unreckonable(_("It divides by zero."))
    return _within(_number(left) % _number(right))


def _pair(left: Any, right: Any) -> tuple[Any, Any]:
    """Return two values as they are compared: texts without case and accents, days with texts that are days."""
    if isinstance(left, dt.date) or isinstance(right, dt.date):
        return _day(left), _day(right)
    for one in (left, right):
        if isinstance(one, Empty):
            raise _missing(one)
    if type(left) is not type(right):
        raise Unreckonable(
            _("“%(one)s” and “%(other)s” can't be compared.", one=str(left)[:40], other=str(right)[:40])
        )
    return (fold(left), fold(right)) if isinstance(left, str) else (left, right)


def _same(left: Any, right: Any) -> bool:
    if _is_empty(left) or _is_empty(right):
        return _is_empty(left) and _is_empty(right)
    one, other = _pair(left, right)
    return bool(one == other)


def _before(left: Any, right: Any) -> bool:
    one, other = _pair(left, right)
    return bool(one < other)


def _not(value: Any) -> bool:
    return not value


OPERATORS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Mult: lambda left, right: _within(_number(left) * _number(right)),
    ast.Div: _divide,
    ast.Mod: _rest,
    ast.USub: lambda value: -_number(value),
    ast.UAdd: _number,
    ast.Not: _not,
    ast.Eq: _same,
    ast.NotEq: lambda left, right: not _same(left, right),
    ast.Lt: _before,
    ast.Gt: lambda left, right: _before(right, left),
    ast.LtE: lambda left, right: not _before(right, left),
    ast.GtE: lambda left, right: not _before(left, right),
}
