"""When two people may live in one household: pure rules, no database.

The same normalised address including the number of the flat, and the same surname or a shared phone or mail.
Business addresses, post boxes and houses with many surnames are no proof of anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

MOST_SURNAMES = 8
"""More surnames at one address are a block of flats, a home or an office."""
_CJK = re.compile(r"^[\u3400-\u9fff]")
_DOUBLE = frozenset(
    "欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 东方 東方 皇甫 尉迟 尉遲 公孙 公孫 慕容 司徒 夏侯 端木".split()
)
_BOX = re.compile(
    r"\bp\.?\s*o\.?\s*box\b|\bpostfach\b|\bpost\s*box\b|\bа/я\b|абонентский ящик|信箱|邮箱|郵箱",
    re.IGNORECASE,
)
_WORDS = {
    "street": "st",
    "str": "st",
    "straße": "st",
    "strasse": "st",
    "road": "rd",
    "avenue": "ave",
    "apartment": "flat",
    "apt": "flat",
    "unit": "flat",
    "квартира": "кв",
    "улица": "ул",
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """A customer who is a person, with what the rule looks at."""

    id: Any
    name: str
    addresses: Sequence[Mapping[str, str]] = ()
    phones: Iterable[str] = ()
    emails: Iterable[str] = ()

    @property
    def address(self) -> str:
        """The normalised first address; empty when it proves nothing."""
        return address_key(self.addresses[0]) if self.addresses else ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two people who may be a household, and why."""

    first: Person
    second: Person
    reasons: tuple[str, ...]


def address_key(address: Mapping[str, str]) -> str:
    """Return an address in one way of writing; empty without street and number, and for post boxes."""
    street = _plain(address.get("street", ""))
    if not street or _BOX.search(address.get("street", "")) or not re.search(r"\d", street):
        return ""
    words = [_WORDS.get(word, word) for word in re.findall(r"\w+", street)]
    town = _plain(address.get("postcode", "")).replace(" ", "") or _plain(address.get("city", ""))
    return f"{' '.join(words)}|{town}" if town else ""


def _plain(value: str) -> str:
    return unicodedata.normalize("NFKC", value or "").casefold().strip()


def surname(name: str) -> str:
    """Return the family name: the first sign of a Chinese name, else the last word; a comma puts it first."""
    plain = _plain(name)
    if _CJK.match(plain):
        return plain[:2] if plain[:2] in _DOUBLE else plain[:1]
    if "," in plain:
        return plain.split(",")[0].strip()
    words = plain.split()
    return words[-1] if words else ""


def pairs_at(people: Sequence[Person]) -> list[Pair]:
    """Return who of the people at one address may be a household; none where more than 8 surnames live."""
    if len({surname(one.name) for one in people}) > MOST_SURNAMES:
        return []
    return [pair for first, second in combinations(people, 2) if (pair := judge(first, second))]


def judge(first: Person, second: Person) -> Pair | None:
    """Return two people as a pair when the rule holds."""
    if not first.address or first.address != second.address:
        return None
    reasons = []
    if surname(first.name) and surname(first.name) == surname(second.name):
        reasons.append("surname")
    if set(first.phones) & set(second.phones):
        reasons.append("phone")
    if {one.casefold() for one in first.emails} & {one.casefold() for one in second.emails}:
        reasons.append("email")
    return Pair(first=first, second=second, reasons=tuple(reasons)) if reasons else None
