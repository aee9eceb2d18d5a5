"""Amounts: integer minor units with an ISO 4217 currency beside them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision, list_currencies

COMMON_CURRENCIES = (
    "EUR",
    "USD",
    "GBP",
    "CHF",
    "CNY",
    "TWD",
    "HKD",
    "RUB",
    "KZT",
    "JPY",
    "PLN",
    "SEK",
    "NOK",
    "DKK",
)
"""Offered first at sign-up."""


def is_currency(code: str) -> bool:
    """Tell whether a code is an ISO 4217 currency."""
    return code in _codes()


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


def digits(currency: str) -> int:
    """Return the number of decimal digits of a currency (ISO 4217 through CLDR)."""
    return int(get_currency_precision(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units, rounded half up."""
    scaled = amount.scaleb(digits(currency))
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def from_minor(minor: int, currency: str) -> Decimal:
    """Return an amount in major units."""
    return Decimal(minor).scaleb(-digits(currency))


def show(minor: int, currency: str, locale: str, *, whole: bool = False) -> str:
    """Return an amount as people of a locale write it.

    :param whole: leave out an empty fraction (lists, boards).
    """
    value = from_minor(minor, currency)
    if whole and value == value.to_integral_value():
        return str(
            format_currency(
                value, currency, locale=Locale.parse(locale), currency_digits=False, format=_whole(locale)
            )
        )
    return str(format_currency(value, currency, locale=Locale.parse(locale)))


_patterns: dict[str, str] = {}


def _whole(locale: str) -> str:
    if locale not in _patterns:
        pattern = Locale.parse(locale).currency_formats["standard"].pattern
        _patterns[locale] = pattern.replace(".00", "")
    return _patterns[locale]
