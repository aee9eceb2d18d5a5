"""The language of formulas: numbers, texts, days and yes or no, a few functions, and the names of fields.

`simpleeval` evaluates; what comes to it was parsed here and holds only the parts that are allowed: no attributes, no
indexes, no powers, no calls but of the functions below. Numbers are decimal, so that 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any, Final, NoReturn

from simpleeval import InvalidExpression, SimpleEval

from kehu.core.i18n import _
from kehu.core.text import fold

LONGEST: Final = 1_000
"""Characters of a formula."""
MOST_PARTS: Final = 300
DEEPEST: Final = 60
LONGEST_TEXT: Final = 500
LARGEST: Final = Decimal(10) ** 15
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_UP)


class FormulaError(ValueError):
    """Raised for a formula that can't be understood; the text says where and what to do."""


class Unreckonable(ValueError):
    """Raised where a formula has no value for a record; the text says why."""


@dataclass(frozen=True)
class Empty:
    """The value of a field that holds nothing; what reckons with it has no value, and says which field it was."""

    label: str

    def __bool__(self) -> bool:
        raise _missing(self)


@dataclass(frozen=True)
class Formula:
    """A formula that was understood: its tree, and the fields that it names, in their order."""

    source: str
    tree: ast.expr
    names: tuple[str, ...]


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


_OPERATORS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = {
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

# Reading ----------------------------------------------------------------------------------

_WORDS: Final = {"and": "and", "or": "or", "not": "not", "true": "True", "false": "False", "else": "else"}
_IF = "if_"


@lru_cache(maxsize=4096)
def understand(source: str) -> Formula:
    """Return a formula as it is reckoned.

    :raises FormulaError: says what can't be understood.
    """
    if len(source) > LONGEST:
        raise FormulaError(_("A formula has up to %(num)s characters.", num=LONGEST))
    if "\\" in source or "\0" in source:
        raise FormulaError(_("“%(sign)s” is not possible in a formula.", sign="\\"))
    try:
        tree: ast.expr = ast.parse(_spelled(source), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise FormulaError(_("This can't be understood; look at brackets, commas and quotes.")) from error
    reader = _Reader()
    tree = reader.read(tree, 0)
    return Formula(source, tree, tuple(dict.fromkeys(reader.names)))


def _spelled(source: str) -> str:
    """Return a formula as Python spells it: `if(…)`, `=`, `<>`, `;` and words in capital letters are people's ways."""
    found: list[tuple[int, str]] = []
    tokens = list(tokenize.generate_tokens(io.StringIO(f"({source}\n)").readline))
    for at, token in enumerate(tokens):
        kind, text = token.type, token.string
        if kind == tokenize.COMMENT:
            raise SyntaxError(text)
        if kind == tokenize.NAME:
            text = _WORDS.get(text.lower(), text)
            if text.lower() == "if":
                before = (
                    found[-1][0] in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING) or found[-1][1] == ")"
                )
                called = tokens[at + 1].string == "(" and not (before and found[-1][1] not in _WORDS.values())
                text = _IF if called else "if"
        elif kind == tokenize.OP and text == ">" and found[-1][1] == "<":
            found.pop()
            text = "!="
        elif text in ("=", "<>", ";"):
            kind, text = tokenize.OP, {"=": "==", "<>": "!=", ";": ","}[text]
        found.append((kind, text))
    return tokenize.untokenize(found)


class _Reader:
    """Goes through a tree, lets through what is allowed, and brings numbers and `if` into their form."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parts = 0

    def read(self, node: ast.AST, depth: int) -> Any:
        """Return a part of a formula.

        :raises FormulaError: for one that is not allowed.
        """
        self.parts += 1
        if depth > DEEPEST or self.parts > MOST_PARTS:
            raise FormulaError(_("This is too long to be one formula; make two fields of it."))
        name = f"_{type(node).__name__.lower()}"
        if type(node) not in _READ:
            raise self._refused(node)
        return getattr(self, name)(node, depth + 1)

    @staticmethod
    def _refused(node: ast.AST) -> FormulaError:
        written = ast.unparse(node)[:60] if not isinstance(node, ast.operator) else ""
        return FormulaError(_("“%(part)s” is not possible in a formula.", part=written))

    def _operator(self, sign: ast.AST, node: ast.AST) -> None:
        if type(sign) not in _OPERATORS:
            raise self._refused(node)

    def _binop(self, node: ast.BinOp, depth: int) -> ast.expr:
        self._operator(node.op, node)
        return ast.BinOp(self.read(node.left, depth), node.op, self.read(node.right, depth))

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> ast.expr:
        self._operator(node.op, node)
        return ast.UnaryOp(node.op, self.read(node.operand, depth))

    def _boolop(self, node: ast.BoolOp, depth: int) -> ast.expr:
        return ast.BoolOp(node.op, [self.read(one, depth) for one in node.values])

    def _compare(self, node: ast.Compare, depth: int) -> ast.expr:
        for sign in node.ops:
            self._operator(sign, node)
        others = [self.read(one, depth) for one in node.comparators]
        return ast.Compare(self.read(node.left, depth), node.ops, others)

    def _ifexp(self, node: ast.IfExp, depth: int) -> ast.expr:
        return ast.IfExp(*(self.read(one, depth) for one in (node.test, node.body, node.orelse)))

    def _name(self, node: ast.Name, _depth: int) -> ast.expr:
        self.names.append(node.id)
        return node

    def _constant(self, node: ast.Constant, _depth: int) -> ast.expr:
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = Decimal(repr(value))
            if not number.is_finite() or abs(number) > LARGEST:
                raise FormulaError(_("This number is too large."))
            return ast.Constant(number)  # type: ignore[arg-type]
        if not isinstance(value, str | bool):
            raise self._refused(node)
        return node

    def _call(self, node: ast.Call, depth: int) -> ast.expr:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self._refused(node)
        name = node.func.id.lower()
        known = FUNCTIONS.get(name)
        if name != _IF and known is None:
            raise FormulaError(
                _(
                    "There is no function “%(name)s”; there are %(known)s.",
                    name=node.func.id[:40],
                    known=", ".join(("if", *FUNCTIONS)),
                )
            )
        values = [self.read(one, depth) for one in node.args]
        if known is None:
            return ast.IfExp(*values) if len(values) == 3 else self._miscounted(IF)
        if not known.least <= len(values) <= known.most:
            self._miscounted(known.form)
        return ast.Call(ast.Name(name, ast.Load()), values, [])

    @staticmethod
    def _miscounted(form: str) -> NoReturn:
        raise FormulaError(_("Write it as %(form)s.", form=form))


_READ: Final = frozenset(
    {ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Name, ast.Constant, ast.Call}
)

# Reckoning --------------------------------------------------------------------------------

_CALLS: Final = {name: one.call for name, one in FUNCTIONS.items()}


def reckon(formula: Formula, values: Mapping[str, Any]) -> Any:
    """Return what a formula gives: a decimal number, text, day or truth.

    :param values: of each field that it names; `Empty` for one that holds nothing.
    :raises Unreckonable: says why it has none.
    """
    missing = next((name for name in formula.names if name not in values), "")
    if missing:
        raise Unreckonable(_("There is no field “%(name)s”.", name=missing))
    evaluator = SimpleEval(operators=_OPERATORS, functions=_CALLS, names=values)
    try:
        with localcontext(_CONTEXT):
            found = evaluator.eval(formula.source, previously_parsed=formula.tree)
            return +found if isinstance(found, Decimal) else found
    except Unreckonable:
        raise
    except (
        InvalidExpression,
        InvalidOperation,
        ArithmeticError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:
        raise Unreckonable(_("It can't be reckoned with these values.")) from error
