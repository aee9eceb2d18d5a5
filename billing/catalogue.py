"""The checked-in catalogue: plans with their versions, prices, features and minimum seats, and fixed tax rates."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from kehu.config import ConfigError
from kehu.core.i18n import _l
from kehu.core.money import digits, is_currency, to_minor

FILE = Path(__file__).parent / "data" / "catalogue.toml"
INTERVALS = {"month": 1, "year": 12}
"""How a plan can be paid -> months of a period."""

NAMES: Mapping[str, tuple[Any, Any]] = {
    "team": (_l("Team"), _l("Customers, deals, tickets and the plugins of your trade.")),
    "business": (_l("Business"), _l("For firms that connect other programs and write their own roles.")),
}
"""What people read of a plan: its name, and what it is for."""

FEATURES: Mapping[str, Any] = {
    "plugins": _l("Plugins of your trade"),
    "webhooks": _l("Webhooks to other programs"),
    "custom_roles": _l("Roles of your own"),
    "viewers": _l("Viewers, free of charge"),
}
"""What people read of a feature."""


class CatalogueError(ConfigError):
    """Raised when the catalogue can't be used; names the place and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One version of a plan; a firm keeps the version that it chose.

    :param prices: (interval, currency) -> minor units for one seat.
    """

    key: str
    version: int
    minimum_seats: int
    features: Mapping[str, bool | int]
    prices: Mapping[tuple[str, str], int]

    @property
    def ref(self) -> str:
        """What rows hold of it."""
        return f"{self.key}@{self.version}"

    @property
    def name(self) -> str:
        """What people call it."""
        return str(NAMES[self.key][0]) if self.key in NAMES else self.key.capitalize()

    @property
    def summary(self) -> str:
        """What it is for."""
        return str(NAMES[self.key][1]) if self.key in NAMES else ""

    def price(self, interval: str, currency: str) -> int:
        """Return what a seat costs for a period."""
        return self.prices[interval, currency]

    def lookup_key(self, interval: str, currency: str) -> str:
        """Return the name by which the provider knows a price."""
        return f"kehu_{self.key}_v{self.version}_{interval}_{currency.lower()}"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a firm may try: so many days and seats, with the features of a plan."""

    days: int
    seats: int
    plan: str


@dataclass(frozen=True, kw_only=True)
class Tax:
    """Fixed rates in percent by country."""

    seller: str = ""
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    reverse_charge: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Coupon:
    """So many percent off each bill for so many months; nought for as long as the subscription runs.

    :param until: the last day on which it can be used.
    """

    code: str
    percent: int
    months: int
    until: dt.date | None = None

    @property
    def provider_id(self) -> str:
        """The name by which the provider knows it: other terms are another coupon."""
        return f"kehu_{self.code.lower()}_{self.percent}_{self.months}"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All that can be rented."""

    trial: Trial
    features: Mapping[str, str]
    plans: Mapping[str, Plan]
    tax: Tax
    coupons: Mapping[str, Coupon] = field(default_factory=dict)

    def newest(self) -> list[Plan]:
        """Return the newest version of each plan, in the order of the file."""
        found: dict[str, Plan] = {}
        for plan in self.plans.values():
            if plan.key not in found or found[plan.key].version < plan.version:
                found[plan.key] = plan
        return list(found.values())

    def current(self, key: str) -> Plan | None:
        """Return the newest version of a plan."""
        return next((plan for plan in self.newest() if plan.key == key), None)

    def plan(self, ref: str | None) -> Plan | None:
        """Return a plan by what a row holds of it."""
        return self.plans.get(ref or "")

    @property
    def currencies(self) -> list[str]:
        """The currencies in which everything has a price."""
        first = next(iter(self.plans.values()))
        return list(dict.fromkeys(currency for _interval, currency in first.prices))

    def currency_for(self, wanted: str) -> str:
        """Return a currency of the catalogue: the one that is wanted, else the first."""
        return wanted if wanted in self.currencies else self.currencies[0]


@cache
def catalogue() -> Catalogue:
    """Return the catalogue of this installation, read and checked once."""
    return read(FILE)


def read(path: Path) -> Catalogue:
    """Read and check a catalogue.

    :raises CatalogueError: names the place and the remedy.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name} can't be read: {error}") from error
    kinds = {key: str(value.get("kind")) for key, value in _table(raw, "features").items()}
    for key, kind in kinds.items():
        _require(kind in ("yes_no", "number"), f"features.{key}: kind is {kind!r}; write yes_no or number.")
    plans = [_plan(one, kinds) for one in raw.get("plans", [])]
    _require(bool(plans), "There is no plan; write at least one [[plans]].")
    by_ref = {plan.ref: plan for plan in plans}
    _require(len(by_ref) == len(plans), "Two plans have the same key and version; raise one version.")
    for plan in plans:
        _require(
            set(plan.prices) == set(plans[0].prices),
            f"{plan.ref}: its currencies differ from those of {plans[0].ref}; every plan has a price in each.",
        )
    coupons = [_coupon(one) for one in raw.get("coupons", [])]
    _require(len({one.code for one in coupons}) == len(coupons), "Two coupons have the same code.")
    made = Catalogue(
        trial=_trial(_table(raw, "trial")),
        features=kinds,
        plans=by_ref,
        tax=_tax(raw),
        coupons={one.code: one for one in coupons},
    )
    _require(made.current(made.trial.plan) is not None, f"trial.plan: there is no plan {made.trial.plan!r}.")
    return made


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise CatalogueError(f"catalogue.toml: {message}")


def _table(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = raw.get(key)
    _require(isinstance(found, dict), f"[{key}] is missing.")
    return found  # type: ignore[return-value]


def _trial(raw: Mapping[str, Any]) -> Trial:
    _require(_whole(raw.get("days"), 1), "trial.days: write a whole number of days.")
    _require(_whole(raw.get("seats"), 1), "trial.seats: write a whole number of seats.")
    return Trial(days=raw["days"], seats=raw["seats"], plan=str(raw.get("plan")))


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _plan(raw: Mapping[str, Any], kinds: Mapping[str, str]) -> Plan:
    key, version = raw.get("key", ""), raw.get("version")
    _require(isinstance(key, str) and key.isidentifier(), f"plans: the key {key!r} is no plain word.")
    _require(_whole(version, 1), f"{key}: version is {version!r}; write a whole number.")
    least = raw.get("minimum_seats", 1)
    _require(_whole(least, 1), f"{key}: minimum_seats is {least!r}; write a whole number from 1.")
    features = raw.get("features", {})
    _require(set(features) == set(kinds), f"{key}: features must name each of: {', '.join(kinds)}.")
    for name, value in features.items():
        fits = isinstance(value, bool) if kinds[name] == "yes_no" else _whole(value, 0)
        _require(fits, f"{key}: the feature {name} is {value!r}, which is no {kinds[name]}.")
    prices = {
        (interval, currency): _amount(key, interval, currency, amount)
        for interval in INTERVALS
        for currency, amount in raw.get(interval, {}).items()
    }
    named = [{currency for interval, currency in prices if interval == one} for one in INTERVALS]
    _require(bool(named[0]) and named[0] == named[1], f"{key}: month and year need the same currencies.")
    return Plan(key=key, version=int(version or 0), minimum_seats=least, features=features, prices=prices)


def _coupon(raw: Mapping[str, Any]) -> Coupon:
    code, percent, months, until = raw.get("code"), raw.get("percent"), raw.get("months"), raw.get("until")
    fits = isinstance(code, str) and code.isascii() and code.isalnum() and code == code.upper()
    _require(fits, f"coupons: the code is {code!r}; write capital letters and digits.")
    _require(
        _whole(percent, 1) and int(percent or 0) <= 100, f"{code}: percent is {percent!r}; write 1 to 100."
    )
    _require(_whole(months, 0), f"{code}: months is {months!r}; write a whole number, 0 for always.")
    _require(until is None or type(until) is dt.date, f"{code}: until is {until!r}; write a day: 2027-01-31.")
    return Coupon(code=str(code), percent=int(percent or 0), months=int(months or 0), until=until)


def _amount(key: str, interval: str, currency: str, amount: object) -> int:
    where = f"{key}.{interval}.{currency}"
    _require(is_currency(currency), f"{where}: {currency} is no ISO 4217 currency.")
    try:
        value = Decimal(str(amount))
    except InvalidOperation as error:
        raise CatalogueError(f'catalogue.toml: {where}: write an amount as "15.00".') from error
    minor = to_minor(value, currency)
    exact = value > 0 and Decimal(minor) == value.scaleb(digits(currency))
    _require(exact, f"{where}: {amount} is no whole number of the smallest unit of {currency}.")
    return minor


def _tax(raw: Mapping[str, Any]) -> Tax:
    given = raw.get("tax", {})
    try:
        rates = {country: Decimal(str(rate)) for country, rate in given.get("rates", {}).items()}
    except InvalidOperation as error:
        raise CatalogueError('catalogue.toml: tax.rates: write percent as "19".') from error
    for country, rate in rates.items():
        _require(len(country) == 2 and 0 <= rate < 100, f"tax.rates.{country}: {rate} is no rate in percent.")
    return Tax(
        seller=str(given.get("seller", "")),
        rates=rates,
        reverse_charge=frozenset(given.get("reverse_charge", [])),
    )
