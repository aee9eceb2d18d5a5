"""Texts in the language of the reader, by gettext through Flask-Babel."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from babel.support import LazyProxy
from flask_babel import format_decimal, get_locale, gettext, lazy_gettext, ngettext

LOCALES: dict[str, str] = {
    "en": "English",
    "zh_Hans": "简体中文",
    "zh_Hant": "繁體中文",
    "ru": "Русский",
}
"""Locale code -> its name in its own language; the first is the source language."""

LazyText = str | LazyProxy


def _(text: str, **values: Any) -> str:
    """Translate a text now; values fill `%(name)s` placeholders."""
    return str(gettext(text, **values))


def _l(text: str, **values: Any) -> Any:
    """Translate a text each time that it is shown; for module-level declarations."""
    return lazy_gettext(text, **values)


def _n(one: str, many: str, num: int, **values: Any) -> str:
    """Translate a text with a plural; `%(num)s` is the number, with separators."""
    return str(ngettext(one, many, num, **values))


def whole(number: int) -> int | str:
    """Return a count as people write it: from a thousand on with the separators of the reader's language."""
    return number if -1000 < number < 1000 else str(format_decimal(number))


def day_text(day: dt.date | None) -> str:
    """Return a day as sentences hold it, in the reader's language; … for one that nobody knows."""
    return "…" if day is None else _day(day, str(get_locale() or "en"))


@lru_cache(maxsize=4096)
def _day(day: dt.date, locale: str) -> str:
    # Nightly work writes the same days for many thousand records.
    return str(format_date(day, "medium", locale=locale))


def match_locale(code: str | None) -> str | None:
    """Return our code for a locale or language tag (zh-CN, zh_TW, ru-RU …), or None."""
    if not code:
        return None
    tag = code.replace("-", "_").lower()
    if tag.startswith("zh"):
        return "zh_Hant" if any(part in tag for part in ("hant", "tw", "hk", "mo")) else "zh_Hans"
    language = tag.split("_")[0]
    return language if language in LOCALES else None


def html_lang(code: str) -> str:
    """Return the language tag for an HTML `lang` attribute."""
    return code.replace("_", "-")
