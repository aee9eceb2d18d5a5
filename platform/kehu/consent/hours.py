"""When a person may be written to: in the hours of the firm and of the person, on the person's own clock."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel.core import get_global
from phonenumbers.timezone import time_zones_for_number

from kehu.core.business_hours import BusinessHours, parse_hours

ROUNDS = 100


@functools.cache
def _by_country() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for zone, country in get_global("zone_territories").items():
        if "/" in zone:
            found.setdefault(str(country), []).append(str(zone))
    return {country: tuple(zones) for country, zones in found.items()}


@functools.lru_cache(maxsize=4096)
def _by_phone(number: str) -> tuple[str, ...]:
    try:
        return tuple(time_zones_for_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return ()


@functools.lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def zones_of(country: str | None, phones: Iterable[str], home: ZoneInfo) -> tuple[ZoneInfo, ...]:
    """Return the time zones that a person may live in: those of the country, else of the phone number, else the firm's.

    A country of several zones is narrowed by the phone number where that says more.
    """
    by_country = _by_country().get((country or "").upper(), ())
    by_phone = next((found for number in phones if (found := _by_phone(number))), ())
    both = tuple(name for name in by_phone if name in by_country)
    names = both or by_country or by_phone
    zones = tuple(zone for name in names if (zone := _zone(name)) is not None)
    return zones or (home,)


def next_moment(at: dt.datetime, hours: Sequence[str | None], zones: Sequence[ZoneInfo]) -> dt.datetime:
    """Return the first moment from `at` on that lies in all of these hours, wherever the person lives.

    Hours that leave no common moment are given up from the last on: the firm's own come first.

    :param hours: hours of every day, as "08:00–20:00"; empty ones hold nothing back.
    """
    written = [text for text in hours if text]
    while written:
        found = _common(at, [_clock(text, zone) for text in written for zone in _distinct(zones, at)])
        if found is not None:
            return found
        written.pop()
    return at


def _distinct(zones: Sequence[ZoneInfo], at: dt.datetime) -> list[ZoneInfo]:
    # A country has dozens of zones of which most show the same time.
    month = at + dt.timedelta(days=30)
    known = {(at.astimezone(zone).utcoffset(), month.astimezone(zone).utcoffset()): zone for zone in zones}
    return list(known.values())


@functools.lru_cache(maxsize=1024)
def _clock(text: str, zone: ZoneInfo) -> BusinessHours:
    return BusinessHours(zone=zone, week=(parse_hours(text),) * 7)


def _common(at: dt.datetime, clocks: Sequence[BusinessHours]) -> dt.datetime | None:
    moment = at
    for _round in range(ROUNDS):
        closed = [one for one in clocks if not one.is_open(moment)]
        if not closed:
            return moment
        later = [one.next_open(moment) for one in closed]
        if None in later:
            return None
        moment = max(one for one in later if one is not None)
    return None
