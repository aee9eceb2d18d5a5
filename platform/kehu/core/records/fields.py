"""Fields of a record type and the kinds of values that they hold.

A kind knows how a value is read from a form, a file or JSON (`load`), written as JSON (`dump`),
shown as plain text (`text`), and which filters make sense for it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kehu.core.i18n import _


class FieldError(ValueError):
    """Raised by a kind for a value that it can't hold; the text says the remedy."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """A choice of a `choice` field; `tone` names a badge colour (ok, warn, bad, info, neutral or a hue).

    :param also: other words for it in files that people import, in small letters.
    """

    value: str
    label: Any
    tone: str = "neutral"
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Own:
    """How the values of a firm's own field are kept: in the record's `custom`, and in index rows where it is found.

    :param id: of the definition.
    :param slot: the key under which the value lies, which a change of the field's type changes.
    :param indexed: "word" or "number", the column of the index row; empty for what is neither filtered nor sorted.
    :param currency: of amounts, ISO 4217.
    :param searchable: its texts are search terms of the record.
    :param formula: how the value is reckoned from other fields; empty for what people write.
    """

    id: uuid.UUID
    slot: str
    indexed: str = ""
    currency: str = ""
    searchable: bool = False
    formula: str = ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One value of a record, from its declaration to each place where it shows.

    :param key: name in code, URL, API, import and audit; also the model's attribute.
    :param kind: `text`, `long_text`, `number`, `decimal`, `percent`, `money`, `date`, `datetime`, `bool`, `choice`,
        `choices`, `email`, `phone`, `link`, `hours`, `emails`, `phones`, `addresses`, `tags`, `member` or `ref`.
    :param ref: for kind `ref`, the record type that it points at.
    :param sortable: lists may be sorted by it (an index leads with tenant and column).
    :param filterable: lists may be filtered by it.
    :param column: shown in the list by default.
    :param quick: asked for when a record is created.
    :param readonly: never set by a person, a program or an import: `create` and `update` refuse it. Code sets the
        attribute in the service's `prepare`, or the column with `update_rows`.
    :param unique: identifies a record for imports (a match, not a constraint).
    :param section: heading under which forms and records show it.
    :param options: the choices; a callable is asked at each use (stages, queues).
    :param tidy: brings a text into its form before it is kept, matched or looked for (capital letters, no blanks).
    :param hint: endpoint of a fragment that says what is known of the value while it is typed; it gets what the form
        holds. A button in it with `data-fill` (a field's key) and `data-value` fills a field in.
    :param own: set for a field that the firm made itself: how its values are kept.
    :param also: other names for its column in files that people import, the likeliest first.
    """

    key: str
    label: Any
    kind: str = "text"
    required: bool = False
    readonly: bool = False
    sortable: bool = False
    filterable: bool = False
    column: bool = False
    quick: bool = False
    unique: bool = False
    multiple: bool = False
    ref: str = ""
    max_length: int = 200
    minimum: int | None = None
    maximum: int | None = None
    section: str = "main"
    help: Any = ""
    options: Sequence[Option] | Callable[[], Sequence[Option]] = ()
    default: Any = None
    currency_from: str = "currency"
    example: Any = None
    tidy: Callable[[str], str] | None = None
    hint: str = ""
    also: tuple[str, ...] = ()
    own: Own | None = None

    def choices(self) -> Sequence[Option]:
        """Return the choices of a `choice` field at this moment."""
        return self.options() if callable(self.options) else self.options

    def currency_in(self, row: Mapping[str, Any]) -> str:
        """Return the currency of an amount in a row: the field's own, or the one that stands beside it."""
        return (self.own.currency if self.own else "") or row.get(self.currency_from) or ""

    def currency_on(self, record: Any) -> str:
        """Return the currency of an amount of a loaded record: the field's own, or the record's."""
        return (self.own.currency if self.own else "") or getattr(record, self.currency_from, "") or ""

    def option(self, value: str | None) -> Option | None:
        """Return the choice with a value."""
        return next((option for option in self.choices() if option.value == value), None)


@dataclass(frozen=True, kw_only=True)
class LoadContext:
    """What reading a value may depend on."""

    country: str = ""
    currency: str = "EUR"
    zone: dt.tzinfo = dt.UTC
    day_first: bool = True


def need_text(raw: object) -> str:
    """Return a scalar as text.

    :raises FieldError: for lists and objects.
    """
    if isinstance(raw, bool | list | dict | tuple):
        raise FieldError(_("Write a text here."))
    return str(raw)


def need_id(raw: object) -> uuid.UUID:
    """Return an identifier.

    :raises FieldError: when it is none.
    """
    from kehu.core.ids import parse_id

    found = parse_id(raw)
    if found is None:
        raise FieldError(_("Choose one from the list."))
    return found
