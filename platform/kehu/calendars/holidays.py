"""Public holidays of a country, from the library that keeps them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_LANGUAGES = {
    "en": ("en_US", "en_GB", "en"),
    "zh_Hans": ("zh_CN",),
    "zh_Hant": ("zh_TW", "zh_HK"),
    "ru": ("ru",),
}
"""Our language -> those of the library, the nearest first."""


def _library() -> Any:
    # Imported when it is asked for: it is large, and asked once a year.
    import holidays

    return holidays


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """Return the codes of the countries whose holidays are known."""
    return frozenset(_library().list_supported_countries(include_aliases=False))


def public(country: str, year: int, locale: str) -> Mapping[dt.date, str]:
    """Return the public holidays of a country in a year, named in the reader's language where it is known."""
    if country not in countries():
        return {}
    calendar = _library().country_holidays(country, years=year, language=_language(country, locale))
    return {day: str(name) for day, name in calendar.items()}


def _language(country: str, locale: str) -> str | None:
    known = _library().list_localized_countries().get(country, ())
    return next((one for one in (*_LANGUAGES.get(locale, ()), *_LANGUAGES["en"]) if one in known), None)
