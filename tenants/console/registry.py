"""What other floors add to the console: columns and filters of the list, parts and actions of a firm, health.

Each is registered once by name when the application is made; a second registration replaces the first.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from kehu.core.context import TenantInfo


def always() -> bool:
    """Tell that a part is offered whatever the mode of the installation."""
    return True


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What stands in a column of a firm; with a tone it is a badge."""

    text: str = "–"
    tone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns of the list of firms.

    :param heads: key -> label (lazy) and whether the column holds numbers.
    :param cells: for the firms of one page, asked in one statement of a cross-tenant session.
    """

    key: str
    heads: Mapping[str, tuple[Any, bool]]
    cells: Callable[[Session, Sequence[uuid.UUID]], Mapping[uuid.UUID, Mapping[str, Cell]]]
    offered: Callable[[], bool] = always


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A choice that narrows the list.

    :param condition: turns a value of `options` into a condition on `Tenant`.
    """

    key: str
    label: Any
    options: Callable[[], Sequence[tuple[str, str]]]
    condition: Callable[[str], ColumnElement[bool]]
    offered: Callable[[], bool] = always


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a firm's page.

    :param load: what the template needs, as `part`; runs in a unit of work of the firm, as the operator.
    """

    key: str
    title: Any
    template: str
    load: Callable[[Session, TenantInfo], Mapping[str, Any]]
    order: int = 50
    offered: Callable[[], bool] = always


@dataclass(frozen=True, kw_only=True)
class Field:
    """An answer that an action asks for; `kind` is text, number, date, checkbox or select."""

    name: str
    label: Any
    kind: str = "text"
    required: bool = True
    help: Any = ""
    options: Callable[[], Sequence[tuple[str, str]]] | None = None


REASON = "reason"
"""The field that every action has: it stands in the firm's trail."""


REQUEST = "request_id"
"""A hidden field that every action has: a second press of the button is the same request."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that an operator does to a firm, with a reason.

    :param run: does it in a unit of work of the firm, as the operator, and returns the sentence to show.
    :param fits: tells whether it makes sense for a firm as it is now.
    """

    key: str
    label: Any
    text: Any
    run: Callable[[Session, Mapping[str, str]], str]
    fields: Sequence[Field] = ()
    danger: bool = False
    order: int = 50
    offered: Callable[[], bool] = always
    fits: Callable[[TenantInfo], bool] = field(default=lambda _tenant: True)


@dataclass(frozen=True, kw_only=True)
class Health:
    """A part of the page of health.

    :param load: what the template needs, as `part`; opens the units of work that it needs itself.
    """

    key: str
    title: Any
    template: str
    load: Callable[[], Mapping[str, Any]]
    order: int = 50
    offered: Callable[[], bool] = always


Part = Columns | Filter | Section | Action | Health
P = TypeVar("P", Columns, Filter, Section, Action, Health)
_parts: dict[tuple[type[Any], str], Any] = {}


def add(*parts: Part) -> None:
    """Register parts of the console."""
    for part in parts:
        _parts[type(part), part.key] = part


def all_of(kind: type[P]) -> list[P]:
    """Return the parts of a kind that are offered now, in their order."""
    found = [part for (known, _key), part in _parts.items() if known is kind and part.offered()]
    return sorted(found, key=lambda part: getattr(part, "order", 0))
