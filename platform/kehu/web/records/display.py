"""Values as people read them: in lists, on records, in histories and files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import format_decimal
from markupsafe import Markup, escape

from kehu.core.i18n import _
from kehu.core.money import from_minor, show
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS, show_address
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.core.text import show_phone
from kehu.web import widgets
from kehu.web.records.times import Clockwork

NONE = Markup('<span class="k-none">–</span>')
LINKS = frozenset({"ref", "email", "phone", "link", "emails", "phones"})
"""Kinds whose display holds links, so that a button can't stand around it."""
_HUES = {"180": 1, "60": 2, "262": 3, "15": 4, "135": 5, "310": 6, "225": 7, "350": 8}
_TONES = frozenset({"ok", "warn", "bad", "info"})
_GROUPED_FROM = 10_000  # Years, numbers of customers and the like stay without separators.


@lru_cache(maxsize=4096)
def money_text(minor: int, currency: str, locale: str) -> str:
    """Write an amount; an empty fraction is left out."""
    return show(minor, currency, locale, whole=True)


@lru_cache(maxsize=4096)
def number_text(value: int, locale: str) -> str:
    """Write a number with separators where it is long."""
    return str(format_decimal(value, locale=locale)) if abs(value) >= _GROUPED_FROM else str(value)


def badge_of(label: object, tone: str) -> Markup:
    """Draw a choice in its colour; plain text for those without one."""
    if tone.startswith("hue-"):
        return widgets.badge(label, hue=_HUES.get(tone.removeprefix("hue-"), 7))
    return widgets.badge(label, tone if tone in _TONES else "")


class Displayer:
    """Writes the values of one record type for one page.

    :param short: as lists do: the first of several, no more than three tags.
    """

    def __init__(self, record_type: RecordType, *, short: bool = False, linked: bool = True) -> None:
        self.type = record_type
        self.short = short
        self.linked = linked
        self.times = Clockwork()
        self._badges: dict[str, dict[str, Markup]] = {}
        self._tag_lists: dict[tuple[str, ...], Markup] = {}

    def html(self, field: Field, value: Any, *, title: str | None = None, currency: str = "") -> Markup:
        """Write one value; `title` is the name of the member or record that it points at."""
        if value is None or value == "" or value == []:
            return Markup("") if self.short and field.kind == "tags" else NONE
        writer = getattr(self, f"_{field.kind}", None)
        if field.kind == "money":
            return escape(money_text(value, currency, self.times.locale))
        if field.kind in ("member", "ref"):
            return self._pointer(field, value, title)
        if field.kind == "choice":
            return self.choice(field, value)
        if field.kind == "choices":
            badges = Markup("").join(self.choice(field, one) for one in value)
            return Markup('<span class="k-tags">{}</span>').format(badges)
        return writer(value) if writer is not None else escape(KINDS[field.kind].show(value))

    def choice(self, field: Field, value: str) -> Markup:
        """Write a choice as a badge, kept for the other rows."""
        badges = self._badges.get(field.key)
        if badges is None:
            badges = {one.value: badge_of(one.label, one.tone) for one in field.choices()}
            self._badges[field.key] = badges
        return badges.get(value) or escape(value)

    def _pointer(self, field: Field, value: Any, title: str | None) -> Markup:
        text = escape(title) if title else Markup("<span class='k-none'>{}</span>").format(absent(field))
        if field.kind == "ref" and self.linked and title:
            return Markup('<a href="{}">{}</a>').format(get_type(field.ref).url(value), text)
        return text

    def _number(self, value: int) -> Markup:
        return escape(number_text(value, self.times.locale))

    def _decimal(self, value: Decimal) -> Markup:
        return escape(format_decimal(value, locale=self.times.locale, decimal_quantization=False))

    def _percent(self, value: Decimal) -> Markup:
        return Markup("{}\u00a0%").format(self._decimal(value))

    def _date(self, value: dt.date) -> Markup:
        return self.times.day(value)

    def _datetime(self, value: dt.datetime) -> Markup:
        return self.times.moment(value)

    def _bool(self, value: bool) -> Markup:
        return escape(_("Yes") if value else _("No"))

    def _long_text(self, value: str) -> Markup:
        return escape(value[:200]) if self.short else Markup('<span class="k-lines">{}</span>').format(value)

    def _email(self, value: str) -> Markup:
        return Markup('<a href="mailto:{0}">{0}</a>').format(value) if self.linked else escape(value)

    def _phone(self, value: str) -> Markup:
        shown = show_phone(value)
        return Markup('<a href="tel:{}">{}</a>').format(value, shown) if self.linked else escape(shown)

    def _link(self, value: str) -> Markup:
        parts = urlsplit(value)
        text = parts.netloc.removeprefix("www.") + (
            parts.path if len(parts.path) > 1 and not self.short else ""
        )
        if not self.linked or parts.scheme not in ("http", "https"):
            return escape(text)
        return Markup(
            '<a href="{}" target="_blank" rel="noopener noreferrer" hx-boost="false">{}</a>'
        ).format(value, text)

    def _emails(self, value: list[dict[str, str]]) -> Markup:
        return self._each(value, lambda item: self._email(item["address"]))

    def _phones(self, value: list[dict[str, str]]) -> Markup:
        return self._each(value, lambda item: self._phone(item["number"]))

    def _addresses(self, value: list[dict[str, str]]) -> Markup:
        return self._each(value, lambda item: escape(show_address(item)))

    def _each(self, value: list[dict[str, str]], one: Any) -> Markup:
        if self.short:
            return one(value[0])  # type: ignore[no-any-return]
        lines = [
            Markup("<span>{}{}</span>").format(
                one(item), Markup(" <small>{}</small>").format(item["label"]) if item.get("label") else ""
            )
            for item in value
        ]
        return Markup('<span class="k-values">{}</span>').format(Markup("").join(lines))

    def _tags(self, value: list[str]) -> Markup:
        if not self.short:
            return self._all_tags(value)
        known = self._tag_lists.get(key := tuple(value))
        if known is None:
            known = self._tag_lists[key] = self._all_tags(value)
        return known

    def _all_tags(self, value: list[str]) -> Markup:
        shown = value[:3] if self.short else value
        more = (
            Markup('<span class="k-tag">+{}</span>').format(len(value) - 3) if len(shown) < len(value) else ""
        )
        return Markup('<span class="k-tags">{}{}</span>').format(
            Markup("").join(widgets.tag(name) for name in shown), more
        )


def absent(field: Field) -> str:
    """Return what stands for the name of a pointer that has none for this reader.

    A record keeps what it points at, so its name is missing where it lies out of the reader's scope.
    """
    return _("Not visible to you") if field.kind == "ref" else _("Gone")


def plain_text(
    field: Field,
    value: Any,
    *,
    title: str | None = None,
    currency: str = "",
    labels: Mapping[str, str] | None = None,
) -> Any:
    """Return a value for a file: numbers stay numbers, choices and pointers become names."""
    if value is None:
        return ""
    if field.kind == "money":
        return from_minor(value, currency) if currency else Decimal(value)
    if field.kind in ("member", "ref"):
        return title or (absent(field) if field.kind == "ref" else "")
    if field.kind == "choice":
        return (labels or {}).get(value, value)
    if field.kind == "choices":
        return [(labels or {}).get(one, one) for one in value]
    if field.kind in ("number", "decimal", "percent", "bool", "date", "datetime"):
        return value
    return KINDS[field.kind].show(value)
