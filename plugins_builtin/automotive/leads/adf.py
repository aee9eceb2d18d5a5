"""What an ADF document says: prospects with person, wanted cars, trade-ins, source. No database, no settings.

The order of vehicles is no meaning: which one is wanted stands in `interest`. To quote a customer his own trade-in is
the classic fault (AUTOMOTIVE.md 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from plugins_builtin.automotive.leads.adf_text import LARGEST, Unreadable, decode, read_tree
from plugins_builtin.automotive.vehicles.odometer import KM_PER_MILE

LONGEST = 4_000
"""Characters of one comment that are kept beside the raw message."""
MOST = 50
"""Prospects of one document, vehicles of one prospect."""
_SPACE = re.compile(r"\s+")
_LINE = re.compile(r"^\s*([A-Za-z][\w /()-]{1,40}?)\s*[:=]\s*(\S.{0,300}?)\s*$")
_TRADE = frozenset({"tradein", "trade", "sell", "appraisal", "partexchange"})
_MILES = frozenset({"mi", "mile", "miles", "m"})


@dataclass
class Car:
    """A vehicle of a prospect. `km` is reckoned from miles where these are said."""

    interest: str = ""
    condition: str = ""
    year: int | None = None
    make: str = ""
    model: str = ""
    trim: str = ""
    vin: str = ""
    stock: str = ""
    km: int | None = None
    odometer: str = ""
    price: str = ""
    currency: str = ""
    details: dict[str, str] = field(default_factory=dict)
    comments: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return " ".join(str(part) for part in (self.year, self.make, self.model, self.trim) if part)

    @property
    def empty(self) -> bool:
        """Whether nothing tells which car it is."""
        return not (self.make or self.model or self.vin or self.stock)


@dataclass
class Phone:
    """A number as it was written. `kind` is mobile, home, work, fax, pager or empty."""

    number: str
    kind: str = ""
    time: str = ""
    preferred: bool = False


@dataclass
class Prospect:
    """One person's request, as it was written."""

    ids: list[str] = field(default_factory=list)
    status: str = "new"
    requested: str = ""
    first: str = ""
    last: str = ""
    full: str = ""
    business: str = ""
    emails: list[str] = field(default_factory=list)
    preferred: str = ""
    phones: list[Phone] = field(default_factory=list)
    address: dict[str, str] = field(default_factory=dict)
    wanted: list[Car] = field(default_factory=list)
    trade_ins: list[Car] = field(default_factory=list)
    provider: str = ""
    service: str = ""
    vendor: str = ""
    vendor_country: str = ""
    timeframe: str = ""
    comments: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The person's name, first name first."""
        return " ".join(part for part in (self.first, self.last) if part) or self.full


def read(raw: bytes, charset: str = "") -> list[Prospect]:
    """Read a document, strictly first and then with repairs.

    :raises Unreadable: `too_large`, `not_adf`, `no_prospect` or `unreadable`.
    """
    if len(raw) > LARGEST:
        raise Unreadable("too_large")
    text, repairs = decode(raw, charset)
    root, more = read_tree(text)
    found = list(root.iter("prospect"))
    if len(found) > MOST:
        raise Unreadable("too_many")
    return [_prospect(one, [*repairs, *more]) for one in found]


def _prospect(one: ET.Element, repairs: list[str]) -> Prospect:
    made = Prospect(repairs=list(repairs))
    made.ids = [_text(part) for part in one.findall("id") if _text(part)]
    made.status = "resend" if one.get("status", "").strip().lower() == "resend" else "new"
    made.requested = _of(one, "requestdate")
    _vehicles(one, made)
    customer = one.find("customer")
    if customer is None:
        customer = one
    _person(customer, made)
    made.timeframe = _of(customer, "timeframe/description") or _of(customer, "timeframe/earliestdate")
    notes = [_long(part) for part in (*one.findall("comments"), *customer.findall("comments"))]
    made.comments = "\n".join(dict.fromkeys(note for note in notes if note))[:LONGEST]
    made.facts = dict(_facts(made.comments))
    provider = one.find("provider")
    if provider is not None:
        made.provider = _of(provider, "name") or _of(provider, "contact/name") or _of(provider, "service")
        made.service = _of(provider, "service")
    vendor = one.find("vendor")
    if vendor is not None:
        made.vendor = _of(vendor, "vendorname") or _of(vendor, "contact/name")
        made.vendor_country = _of(vendor, "contact/address/country") or _of(vendor, "address/country")
    return made


def _vehicles(one: ET.Element, made: Prospect) -> None:
    for part in [*one.iter("vehicle")][:MOST]:
        car = _car(part)
        if car.empty and not car.year and not car.comments:
            continue
        (made.trade_ins if car.interest == "trade-in" else made.wanted).append(car)
    # One that is named comes before one of which only a year or a remark is known.
    made.wanted.sort(key=lambda car: car.empty)


def _car(one: ET.Element) -> Car:
    interest = re.sub(r"[^a-z]", "", one.get("interest", "").lower())
    odometer = one.find("odometer")
    price = one.find("price")
    car = Car(
        interest="trade-in"
        if interest in _TRADE
        else {"testdrive": "test-drive"}.get(interest, interest or "buy"),
        condition=one.get("status", "").strip().lower(),
        year=_year(_of(one, "year")),
        make=_of(one, "make")[:200],
        model=_of(one, "model")[:200],
        trim=_of(one, "trim")[:200],
        vin=re.sub(r"[\s-]", "", _of(one, "vin")).upper()[:40],
        stock=_of(one, "stock")[:200],
    )
    if odometer is not None and _text(odometer):
        car.odometer = " ".join(part for part in (_text(odometer), odometer.get("units", "")) if part)
        car.km = _km(_text(odometer), odometer.get("units", ""))
    if price is not None:
        car.price, car.currency = _text(price)[:40], price.get("currency", "").strip().upper()[:3]
    car.comments = "\n".join(filter(None, (_long(part) for part in one.findall("comments"))))[:LONGEST]
    car.details = dict(_car_details(one))
    return car


def _car_details(one: ET.Element) -> Iterator[tuple[str, str]]:
    for key in ("doors", "bodystyle", "transmission", "condition"):
        if _of(one, key):
            yield key, _of(one, key)[:200]
    colours = sorted(one.findall("colorcombination"), key=lambda part: _of(part, "preference") or "9")
    said = [
        " / ".join(filter(None, (_of(part, "exteriorcolor"), _of(part, "interiorcolor")))) for part in colours
    ]
    if any(said):
        yield "colours", "; ".join(filter(None, said))[:400]
    options = [_of(part, "optionname") for part in one.findall("option")]
    if any(options):
        yield "options", ", ".join(filter(None, options))[:400]
    for part in one.findall("finance/*"):
        kind, amount = part.get("type", part.tag), _text(part)
        if part.tag in ("amount", "balance", "method") and amount:
            yield f"finance {kind}", " ".join(filter(None, (amount, part.get("currency", ""))))[:60]


def _person(customer: ET.Element, made: Prospect) -> None:
    contacts = customer.findall("contact") or [customer]
    for contact in contacts:
        _names(contact, made)
        for part in contact.findall("email"):
            address = re.sub(r"^mailto:", "", _text(part), flags=re.IGNORECASE)
            if address and address not in made.emails:
                made.emails.insert(0 if _yes(part.get("preferredcontact")) else len(made.emails), address)
                made.preferred = "email" if _yes(part.get("preferredcontact")) else made.preferred
        for part in contact.findall("phone"):
            if _text(part):
                kind = _PHONES.get(part.get("type", "").strip().lower(), "")
                preferred = _yes(part.get("preferredcontact"))
                made.phones.append(
                    Phone(_text(part)[:60], kind, part.get("time", "").strip().lower(), preferred)
                )
                made.preferred = "phone" if preferred else made.preferred
        lives = contact.find("address")
        if lives is not None and not made.address:
            made.address = _address(lives)
    made.phones.sort(key=lambda one: (one.kind in ("fax", "pager"), not one.preferred))


_PHONES = {
    "cell": "mobile", "cellphone": "mobile", "mobile": "mobile", "home": "home", "evening": "home", "work": "work",
    "business": "work", "day": "work", "fax": "fax", "pager": "pager",
}  # fmt: skip


def _names(contact: ET.Element, made: Prospect) -> None:
    for part in contact.findall("name"):
        value, kind = _text(part)[:200], part.get("part", "").strip().lower()
        if not value:
            continue
        if part.get("type", "").strip().lower() == "business" and kind not in ("first", "last", "surname"):
            made.business = made.business or value
        elif kind == "first":
            made.first = made.first or value
        elif kind == "middle":
            made.first = f"{made.first} {value}".strip()
        elif kind in ("last", "surname", "family"):
            made.last = made.last or value
        elif kind == "suffix":
            made.last = f"{made.last} {value}".strip()
        else:
            made.full = made.full or value


def _address(one: ET.Element) -> dict[str, str]:
    street = ", ".join(
        filter(None, (_text(part) for part in (*one.findall("street"), *one.findall("apartment"))))
    )
    found = {"street": street, "city": _of(one, "city"), "region": _of(one, "regioncode")}
    return {**found, "postcode": _of(one, "postalcode"), "country": _of(one, "country")}


def _facts(comments: str) -> Iterator[tuple[str, str]]:
    """Give the lines of a comment that say something as `Budget: 20000`."""
    for line in comments.splitlines():
        found = _LINE.match(line)
        if found and not found[2].startswith("//"):
            yield found[1].strip(), found[2]


def _of(one: ET.Element, path: str) -> str:
    found = one.find(path)
    return _text(found) if found is not None else ""


def _text(one: ET.Element) -> str:
    return _SPACE.sub(" ", "".join(one.itertext())).strip()


def _long(one: ET.Element) -> str:
    lines = (_SPACE.sub(" ", line).strip() for line in "".join(one.itertext()).splitlines())
    return "\n".join(line for line in lines if line)


def _yes(value: str | None) -> bool:
    return (value or "").strip().lower() in ("1", "yes", "true")


def _year(written: str) -> int | None:
    found = re.fullmatch(r"(?:19|20)\d\d", written)
    return int(written) if found else None


def _km(written: str, units: str) -> int | None:
    digits = re.sub(
        r"[^\d]", "", written.split(".", maxsplit=1)[0] if re.search(r"\.\d{1,2}$", written) else written
    )
    if not digits or len(digits) > 7:
        return None
    unit = re.sub(r"[^a-z]", "", (units or re.sub(r"[\d.,\s]", "", written)).lower())
    return round(int(digits) * KM_PER_MILE) if unit in _MILES else int(digits)


def as_dict(car: Car) -> dict[str, Any]:
    """Return a car as it is kept; what is empty is left out."""
    return {key: value for key, value in vars(car).items() if value not in ("", None, {})}


__all__ = ["Car", "Phone", "Prospect", "Unreadable", "as_dict", "read"]
