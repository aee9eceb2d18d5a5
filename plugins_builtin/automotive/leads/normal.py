"""From what a sender wrote to values that can be compared and kept: names, numbers, addresses, moments."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from kehu.api import InvalidInput, clean, fold, normal_email, normal_phone
from plugins_builtin.automotive.leads.adf import Car, Prospect

SEARCHED = 8_000
"""Characters of comments in which a number or an address is looked for."""
_MAIL = re.compile(r"[^@\s,;<>\"'()]+@[A-Za-z0-9\u0080-\uffff-]+(?:\.[A-Za-z0-9\u0080-\uffff-]+)+")
_NUMBER = re.compile(r"(?<![\w.@/-])\+?\(?\d[\d ()./-]{6,18}\d(?![\w@/-])")
_COUNTRIES = {
    "usa": "US", "united states": "US", "united states of america": "US", "uk": "GB", "united kingdom": "GB",
    "great britain": "GB", "england": "GB", "canada": "CA", "deutschland": "DE", "germany": "DE", "france": "FR",
    "россия": "RU", "russia": "RU", "中国": "CN", "china": "CN",
}  # fmt: skip
_BY_CURRENCY = {"USD": "US", "CAD": "CA", "GBP": "GB", "CNY": "CN", "RUB": "RU", "CHF": "CH"}
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"
"""Codes of model years from 1980 (49 CFR 565.15, table VII), which begin anew in 2010."""
_US = re.compile(
    r"(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4}|\d{2})(?:[ T,]+(?P<t>\d{1,2}:\d{2}(?::\d{2})?)\s*"
    r"(?P<h>[AaPp]\.?[Mm]\.?)?)?.*"
)
_ISO = re.compile(
    r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"(?:[T ]+(?P<t>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?)?\s*(?P<z>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{1,2})?)?",
    re.IGNORECASE,
)


@dataclass
class Person:
    """Whom a prospect names, in the form in which people are compared."""

    name: str = ""
    firm: str = ""
    emails: list[str] = field(default_factory=list)
    phones: list[dict[str, str]] = field(default_factory=list)
    address: dict[str, str] = field(default_factory=dict)
    unusable: list[str] = field(default_factory=list)

    @property
    def reachable(self) -> bool:
        """Whether there is a way to answer."""
        return bool(self.emails or self.phones)

    @property
    def numbers(self) -> list[str]:
        """The numbers by which the person is found; a fax tells who shares it, not who it is."""
        return [one["number"] for one in self.phones if one["label"] not in ("fax", "pager")]


def person_of(prospect: Prospect, home: str) -> tuple[Person, list[str]]:
    """Return the person of a prospect and what was mended.

    :param home: the country of the dealer, by which numbers without country code are read last.
    """
    repairs: list[str] = []
    made = Person(name=full_name(prospect), firm=clean(prospect.business)[:200])
    made.address, wrong = _address(prospect.address)
    repairs += wrong
    country = country_of(prospect, made.address.get("country", ""), home)
    for written in prospect.emails:
        _add_mail(made, written)
    for phone in prospect.phones:
        _add_phone(made, phone.number, phone.kind, country)
    if not made.reachable and _search(made, prospect, country):
        repairs.append("reach_from_comments")
    if not made.name:
        made.name = made.firm or (made.emails[0] if made.emails else "")
    return made, repairs


def _search(person: Person, prospect: Prospect, country: str) -> bool:
    """Look for a number or an address in the comments, where senders put what their form had no place for."""
    cars = (*prospect.wanted, *prospect.trade_ins)
    comments = "\n".join([prospect.comments, *(car.comments for car in cars)])[:SEARCHED]
    for written in _MAIL.findall(comments):
        _add_mail(person, written)
    for written in _NUMBER.findall(comments):
        _add_phone(person, written, "", country)
    person.unusable = [one for one in person.unusable if one not in comments]
    return person.reachable


def full_name(prospect: Prospect) -> str:
    """Return the name as people write it; one in capitals alone is written as a name."""
    name = clean(prospect.name)[:200]
    if name.isupper() and len(name) > 3:
        name = re.sub(r"[^\W\d_]+", lambda word: word[0].capitalize(), name)
    return name


def country_of(prospect: Prospect, said: str, home: str) -> str:
    """Return by which country's rules a number is read: the person's, the vendor's, the currency's, the dealer's."""
    vendor = _country(prospect.vendor_country)
    money = next((car.currency for car in (*prospect.wanted, *prospect.trade_ins) if car.currency), "")
    return said or vendor or _BY_CURRENCY.get(money, "") or home


def _country(written: str) -> str:
    plain = fold(written)
    if re.fullmatch(r"[a-z]{2}", plain):
        return {"uk": "GB"}.get(plain, plain.upper())
    return _COUNTRIES.get(plain.replace(".", ""), "")


def _address(written: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    found = {key: clean(value)[:200] for key, value in written.items() if clean(value)}
    if not found.get("country"):
        return found, []
    country = _country(found["country"])
    if country:
        return {**found, "country": country}, []
    del found["country"]
    return found, ["country"]


def _add_mail(person: Person, written: str) -> None:
    found = _MAIL.search(clean(written))
    address = normal_email(found[0]).rstrip(".") if found else ""
    if not address or len(address) > 254:
        person.unusable.append(clean(written)[:80])
    elif address not in person.emails:
        person.emails.append(address)


def _add_phone(person: Person, written: str, kind: str, country: str) -> None:
    try:
        number = normal_phone(written, country)
    except InvalidInput:
        person.unusable.append(clean(written)[:60])
        return
    if number not in {one["number"] for one in person.phones}:
        person.phones.append({"number": number, "label": kind})


def requested_at(written: str, zone: ZoneInfo) -> tuple[dt.datetime | None, list[str]]:
    """Return the moment of a request, read in the dealer's zone where none is said, and what was mended.

    ADF says ISO 8601; senders also write `-08:0`, no zone, or the American 12/31/2026 5:04 PM.
    """
    text = written.strip()
    if not text:
        return None, []
    iso, other = _ISO.fullmatch(text), _US.fullmatch(text)
    try:
        if iso:
            return _iso_moment(iso, zone)
        if other:
            return _us_moment(other, zone)
    except ValueError:
        pass
    return None, ["date_unreadable"]


def _iso_moment(found: re.Match[str], zone: ZoneInfo) -> tuple[dt.datetime, list[str]]:
    moment = dt.datetime.combine(
        dt.date(int(found["y"]), int(found["m"]), int(found["d"])), _time(found["t"])
    )
    written = (found["z"] or "").upper()
    if not written:
        return moment.replace(tzinfo=zone).astimezone(dt.UTC), ["date_zone"]
    if written in ("Z", "UTC", "GMT"):
        return moment.replace(tzinfo=dt.UTC), []
    sign, digits = (-1 if written[0] == "-" else 1), re.findall(r"\d{1,2}", written)
    hours, minutes = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    if hours > 14 or minutes > 59:
        raise ValueError(written)
    offset = dt.timezone(sign * dt.timedelta(hours=hours, minutes=minutes))
    odd = [] if re.fullmatch(r"[+-]\d\d:?\d\d", written) else ["date_zone"]
    return moment.replace(tzinfo=offset).astimezone(dt.UTC), odd


def _us_moment(found: re.Match[str], zone: ZoneInfo) -> tuple[dt.datetime, list[str]]:
    month, day, year = int(found["a"]), int(found["b"]), int(found["y"])
    if month > 12:
        month, day = day, month
    time = _time(found["t"])
    half = (found["h"] or "").lower()
    if half:
        time = time.replace(hour=time.hour % 12 + (12 if half.startswith("p") else 0))
    moment = dt.datetime.combine(dt.date(year + 2000 if year < 100 else year, month, day), time, zone)
    return moment.astimezone(dt.UTC), ["date_form"]


def _time(written: str | None) -> dt.time:
    hour, minute, second = (int(part) for part in f"{written or '0:0'}:0".split(":")[:3])
    return dt.time(hour, minute, second)


def model_year(vin: str) -> int | None:
    """Return the model year that a VIN of North America says, None for another or a wrong one.

    Position 10 holds the year; a letter at position 7 means 2010 and later (49 CFR 565.15).
    """
    if not _VIN.fullmatch(vin) or vin[0] not in "12345" or vin[9] not in _YEARS:
        return None
    return _YEARS.index(vin[9]) + (2010 if vin[6].isalpha() else 1980)


def doubts(cars: Iterable[Car]) -> list[dict[str, Any]]:
    """Return where a car contradicts itself: a VIN of another year than the one that was written."""
    found = []
    for car in cars:
        year = model_year(car.vin)
        if car.year and year and abs(year - car.year) > 1:
            found.append({"code": "vin_year", "vin": car.vin, "by_vin": year, "written": car.year})
        elif car.vin and not _VIN.fullmatch(car.vin):
            found.append({"code": "vin_form", "vin": car.vin})
    return found


def car_key(car: Car | None) -> str:
    """Return by what two requests are for the same car: make and model, else stock number or VIN."""
    if car is None:
        return ""
    named = re.sub(r"[^\w]+", "", fold(f"{car.make} {car.model}")) if car.make or car.model else ""
    return named or fold(car.stock) or car.vin.lower()


def same_person(one: str, other: str) -> bool:
    """Tell whether two names may be one person's: each word of the shorter is a word, or the initial, in the longer.

    A shared number or mailbox is a sign of a household, not of identity (AUTOMOTIVE.md 14).
    """
    first, second = (re.findall(r"\w+", fold(name)) for name in (one, other))
    if not first or not second:
        return True
    short, long = sorted((first, second), key=len)
    left = list(long)
    for word in sorted(short, key=len, reverse=True):
        match = next((item for item in left if item == word), None) or next(
            (item for item in left if min(len(item), len(word)) == 1 and item[0] == word[0]), None
        )
        if match is None:
            return False
        left.remove(match)
    return True
