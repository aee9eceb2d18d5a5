"""Countries, currencies and time zones: what to offer, and what to propose to a new firm."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies, list_currencies

from kehu.core import clock
from kehu.core.i18n import LOCALES, match_locale

_DEFAULTS = {
    "en": ("GB", "Europe/London"),
    "zh_Hans": ("CN", "Asia/Shanghai"),
    "zh_Hant": ("TW", "Asia/Taipei"),
    "ru": ("RU", "Europe/Moscow"),
}
"""Language -> country and zone that are proposed when the browser says no more."""

_NO_COUNTRIES = frozenset(
    ("ZZ", "EU", "EZ", "UN", "AC", "CP", "DG", "IC", "EA", "TA", "SU", "YU", "DD", "ZR", "CS")
)

_OLD_CURRENCIES = frozenset(
    ["XAU", "XAG", "XPT", "XPD", "XXX", "XTS", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA"]
)


@functools.cache
def _available() -> frozenset[str]:
    # Asking the library reads a folder of hundreds of files.
    return frozenset(available_timezones())


def countries(locale: str) -> list[tuple[str, str]]:
    """Return all countries as (code, name in a language), by name."""
    names = Locale.parse(locale).territories
    found = [(code, str(names[code])) for code in _territories() if code in names]
    return sorted(found, key=lambda pair: pair[1].casefold())


def _territories() -> list[str]:
    return [
        code for code in get_global("territory_currencies") if len(code) == 2 and code not in _NO_COUNTRIES
    ]


def currencies(locale: str) -> list[tuple[str, str]]:
    """Return the currencies that are in use, as (code, "EUR – Euro"), by code."""
    today = clock.now().date()
    live: set[str] = set()
    for code in _territories():
        live.update(get_territory_currencies(code, today, today))
    names = Locale.parse(locale).currencies
    return [
        (code, f"{code} – {names.get(code, code)}")
        for code in sorted(live & list_currencies() - _OLD_CURRENCIES)
    ]


@functools.cache
def zones() -> list[str]:
    """Return the time zones that carry the name of a place."""
    return sorted(
        name for name in _available() if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    )


def propose(tags: Sequence[str], zone: str = "", locale: str = "") -> dict[str, str]:
    """Return country, currency, zone and language for a browser.

    :param tags: its languages, as `en-GB`, best first.
    :param zone: its time zone, as `Europe/London`, if it told.
    :param locale: the language of the page.
    """
    language = (
        locale if locale in LOCALES else next((found for tag in tags if (found := match_locale(tag))), "en")
    )
    country, default_zone = _DEFAULTS[language]
    zone_known = zone in _available()
    spoken = next((tag.replace("_", "-").split("-")[-1].upper() for tag in tags if _has_region(tag)), "")
    of_zone = str(get_global("zone_territories").get(zone, "")) if zone_known else ""
    country = of_zone or spoken or country
    if not zone_known:
        zone = zone_of(country) or default_zone
    return {"country": country, "currency": currency_of(country), "zone": zone, "locale": language}


def _has_region(tag: str) -> bool:
    last = tag.replace("_", "-").split("-")[-1]
    return (
        "-" in tag.replace("_", "-") and len(last) == 2 and last.upper() in get_global("territory_currencies")
    )


def zone_of(country: str) -> str:
    """Return a country's zone, if it has but one name for it, else the one that people know."""
    for home, zone in _DEFAULTS.values():
        if home == country:
            return zone
    known = {
        "US": "America/New_York",
        "AU": "Australia/Sydney",
        "CA": "America/Toronto",
        "DE": "Europe/Berlin",
        "ES": "Europe/Madrid",
        "BR": "America/Sao_Paulo",
        "PT": "Europe/Lisbon",
        "NZ": "Pacific/Auckland",
    }
    if country in known:
        return known[country]
    available, homes = _available(), sorted(get_global("zone_territories").items())
    return next((zone for zone, home in homes if home == country and zone in available), "")


def currency_of(country: str, on: dt.date | None = None) -> str:
    """Return the currency of a country."""
    day = on or clock.now().date()
    found = get_territory_currencies(country, day, day)
    return str(found[0]) if found else "EUR"


def is_zone(zone: str) -> bool:
    """Tell whether a time zone is known here."""
    return zone in _available()
