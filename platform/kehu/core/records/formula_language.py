"""The language of formulas: numbers, texts, days and yes or no, a few functions, and the names of fields.

`simpleeval` evaluates; what comes to it was parsed here and holds only the parts that are allowed: no attributes, no
indexes, no powers, no calls but of the functions below. Numbers are decimal, so that 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any, Final, NoReturn

from simpleeval import InvalidExpression, SimpleEval

from kehu.core.i18n import _
from kehu.core.records.formula_functions import FUNCTIONS, IF, LARGEST, OPERATORS, ROLL_UPS, Unreckonable

LONGEST: Final = 1_000
"""Characters of a formula."""
MOST_PARTS: Final = 300
DEEPEST: Final = 60
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_UP)


class FormulaError(ValueError):
    """Raised for a formula that can't be understood; the text says where and what to do."""


@dataclass(frozen=True)
class Far:
    """A value from other records: of the one that a field points at, or of all that point here.

    :param how: `look`, or `count`, `sum`, `smallest`, `largest`.
    :param link: name of the way to them: `customer` for a pointer, `deals` for what points here.
    :param key: the field that is read there; none for `count`.
    :param only: `field=value` that counts only some of them.
    """

    how: str
    link: str
    key: str = ""
    only: str = ""

    @property
    def name(self) -> str:
        """How it is written."""
        path = f"{self.link}.{self.key}" if self.key else self.link
        if self.how == "look":
            return path
        return f"{self.how}({path}, '{self.only}')" if self.only else f"{self.how}({path})"


@dataclass(frozen=True)
class Formula:
    """A formula that was understood: its tree, the fields that it names and what it reads elsewhere, in their order."""

    source: str
    tree: ast.expr
    names: tuple[str, ...]
    far: tuple[Far, ...] = ()


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
    return Formula(source, tree, tuple(dict.fromkeys(reader.names)), tuple(dict.fromkeys(reader.far)))


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
        self.far: list[Far] = []
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
        if type(sign) not in OPERATORS:
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

    def _attribute(self, node: ast.Attribute, _depth: int) -> ast.expr:
        return self._elsewhere(Far("look", *self._path(node)))

    def _path(self, node: ast.AST) -> tuple[str, str]:
        """Return the parts of `customer.city`, where nothing is hidden or goes further."""
        if isinstance(node, ast.Name):
            return node.id, ""
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            raise self._refused(node)
        if node.attr.startswith("_") or node.value.id.startswith("_"):
            raise self._refused(node)
        return node.value.id, node.attr

    def _elsewhere(self, far: Far) -> ast.expr:
        self.far.append(far)
        return ast.Name(far.name, ast.Load())

    def _roll_up(self, how: str, values: list[ast.expr]) -> ast.expr:
        only = values[1] if len(values) == 2 else ast.Constant("")
        if len(values) not in (1, 2) or not isinstance(only, ast.Constant) or not isinstance(only.value, str):
            self._miscounted(ROLL_UPS[how])
        link, key = self._path(values[0])
        if bool(key) == (how == "count"):
            self._miscounted(ROLL_UPS[how])
        return self._elsewhere(Far(how, link, key, only.value.replace(" ", "").replace("'", "")))

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
        if name in ROLL_UPS:
            return self._roll_up(name, node.args)
        known = FUNCTIONS.get(name)
        if name != _IF and known is None:
            raise FormulaError(
                _(
                    "There is no function “%(name)s”; there are %(known)s.",
                    name=node.func.id[:40],
                    known=", ".join(("if", *FUNCTIONS, *ROLL_UPS)),
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
    {
        ast.Attribute,
        ast.BinOp,
        ast.UnaryOp,
        ast.BoolOp,
        ast.Compare,
        ast.IfExp,
        ast.Name,
        ast.Constant,
        ast.Call,
    }
)

# Reckoning --------------------------------------------------------------------------------

_CALLS: Final = {name: one.call for name, one in FUNCTIONS.items()}


def reckon(formula: Formula, values: Mapping[str, Any]) -> Any:
    """Return what a formula gives: a decimal number, text, day or truth.

    :param values: of each field that it names; `Empty` for one that holds nothing.
    :raises Unreckonable: says why it has none.
    """
    wanted = (*formula.names, *(one.name for one in formula.far))
    missing = next((name for name in wanted if name not in values), "")
    if missing:
        raise Unreckonable(_("There is no field “%(name)s”.", name=missing))
    evaluator = SimpleEval(operators=OPERATORS, functions=_CALLS, names=values)
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
