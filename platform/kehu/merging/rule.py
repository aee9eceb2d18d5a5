"""How likely it is that two records are the same: pure weights, no database.

Fellegi and Sunter (1969): a field that agrees adds log2(m/u), one that differs adds log2((1-m)/(1-u)), where m is how
often the field agrees in true doubles and u how often it does by chance. With the prior odds W gives P = 2^W/(1+2^W).
A name that many carry weighs less, and a name, street or day that nearly agrees weighs between the two, both after
Winkler (1990, 2000). A phone or an address that a family shares is no identity: people whose given names differ are
never called doubles, but for those who were born on one day, of whom somebody has to decide.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from sys import intern
from typing import Any

from rapidfuzz.distance import OSA, JaroWinkler

from kehu.core.search_terms import latin
from kehu.core.text import fold

PRIOR = 1 / 5_000
LIKELY = 0.85
CERTAIN = 0.99
_FEW = 500
"""A firm with fewer records says too little of how common a name is."""

WEIGHTS: dict[str, tuple[float, float]] = {
    "phone": (0.9, 0.0002),
    "email": (0.85, 0.0001),
    "given": (0.92, 0.01),
    "surname": (0.85, 0.02),
    "company": (0.9, 0.0005),
    "website": (0.85, 0.0005),
    "postcode": (0.8, 0.01),
    "city": (0.7, 0.1),
    "customer": (0.8, 0.002),
    "born": (0.9, 0.0003),
    "street": (0.85, 0.002),
}
"""Field -> (m, u). Phone, given name, surname and city as published for customer files; the rest in their likeness."""

SAME, OTHER = 0.95, 0.75
"""So alike texts agree, and so alike ones differ; between them the weight rises evenly."""

_LEGAL = frozenset(
    "ag bv co company corp corporation gmbh group inc incorporated kg limited llc llp ltd nv oy plc pty sa sarl spa "
    "srl ооо зао оао пао ао ип ooo zao oao pao ao ip the and und et".split()
)
_LEGAL_HAN = re.compile(r"(股份)?有限(责任|責任)?公司$|公司$|集团$|集團$")
_HAN = re.compile(r"^[\u3400-\u9fff]{2,4}$")
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\D+")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A record with what the rule looks at.

    :param named_alike: how many records of the firm carry this very name.
    """

    id: Any
    name: str
    person: bool = True
    phones: Sequence[str] = ()
    emails: Sequence[str] = ()
    website: str = ""
    postcode: str = ""
    city: str = ""
    customer_id: Any = None
    named_alike: int = 2
    born: dt.date | None = None
    street: str = ""
    shown: Any = field(default=None, compare=False)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the name as they are compared."""
        return tuple(map(intern, name_words(self.name, person=self.person)))

    @cached_property
    def road(self) -> tuple[str, tuple[str, ...]]:
        """The street without its numbers, and the numbers."""
        words = _WORD.findall(latin(self.street))
        numbers = tuple(word for word in words if word[0].isdecimal())
        return " ".join(word for word in words if word not in numbers), numbers

    @cached_property
    def town(self) -> str:
        """The town as it is compared."""
        return intern(_plain(self.city))

    @cached_property
    def post(self) -> str:
        """The postcode as it is compared."""
        return intern(_plain(self.postcode))


@dataclass(frozen=True, kw_only=True)
class Match:
    """Two records that may be one: how likely, and what speaks for it (`agree`) and against it (`differ`)."""

    first: Candidate
    second: Candidate
    probability: float
    agree: tuple[str, ...]
    differ: tuple[str, ...]

    @property
    def certain(self) -> bool:
        """Whether hardly anything speaks against it: 99 % and two independent strong fields."""
        strong = {"phone", "email", "company", "website", "given", "born", "street"} & set(self.agree)
        twins = "given" in self.differ
        return self.probability >= CERTAIN and len(strong) >= 2 and not twins


def agreement(m: float, u: float) -> float:
    """Return the weight of a field that agrees."""
    return math.log2(m / u)


def disagreement(m: float, u: float) -> float:
    """Return the weight of a field that differs."""
    return math.log2((1 - m) / (1 - u))


def probability(weight: float, prior: float = PRIOR) -> float:
    """Return how likely a weight makes it, from the prior probability on."""
    total = weight + math.log2(prior / (1 - prior))
    return 1 / (1 + math.exp2(-total))


def phone_key(number: str) -> str:
    """Return the last eight digits: the same with and without country code."""
    return _DIGITS.sub("", number)[-8:]


def name_words(name: str, *, person: bool) -> list[str]:
    """Return the words of a name as they are compared: Latin letters, no legal forms, no marks."""
    text = fold(name)
    if person and _HAN.match(text):
        return [text[:1], text[1:]]
    if not person:
        text = _LEGAL_HAN.sub("", text)
    words = _WORD.findall(latin(text))
    kept = [word for word in words if person or word not in _LEGAL]
    return kept or words


def match(first: Candidate, second: Candidate, *, total: int = _FEW) -> Match | None:
    """Return two records as a match when they are likely the same.

    :param total: records of the firm, by which a frequent name is known.
    """
    if first.person != second.person or first.id == second.id:
        return None
    found = _compare(first, second)
    if found is None:
        return None
    common = (max(first.named_alike, second.named_alike) - 2) / max(total, _FEW)
    weights = {key: _weight(key, alike, common) for key, alike in found.items()}
    chance = probability(sum(weights.values()))
    if chance < LIKELY:
        return None
    return Match(
        first=first,
        second=second,
        probability=chance,
        agree=tuple(key for key, weight in weights.items() if weight > 0),
        differ=tuple(key for key, weight in weights.items() if weight <= 0),
    )


def _weight(key: str, alike: float, common: float) -> float:
    """Return the weight of a field whose values are so alike, from 0 to 1."""
    m, u = WEIGHTS[key]
    if key in ("given", "company"):
        u = min(0.5, max(u, common))
    agrees, differs = agreement(m, u), disagreement(m, u)
    if alike >= SAME:
        return agrees
    if alike <= OTHER:
        return differs
    return differs + (agrees - differs) * 0.9 * (alike - OTHER) / (SAME - OTHER)


def _compare(first: Candidate, second: Candidate) -> dict[str, float] | None:
    """Return how alike each field is that both have; None where the names alone rule it out."""
    born = _days(first.born, second.born)
    names = _people(first, second, born) if first.person else _companies(first, second)
    if names is None:
        return None
    found = dict(names)
    if born is not None:
        found["born"] = born
    _shared(found, "phone", map(phone_key, first.phones), map(phone_key, second.phones))
    _shared(found, "email", map(fold, first.emails), map(fold, second.emails))
    _shared(found, "website", [host(first.website)], [host(second.website)])
    _shared(found, "customer", [first.customer_id], [second.customer_id])
    if first.road[0] and second.road[0]:
        found["street"] = _roads(first.road, second.road)
    _place(found, first, second)
    return found


def _place(found: dict[str, float], first: Candidate, second: Candidate) -> None:
    """Add town or postcode: they depend on each other, so that the one that says more for it is counted alone."""
    alike = {}
    if first.town and second.town:
        alike["city"] = JaroWinkler.similarity(first.town, second.town)
    if first.post and second.post:
        slips = OSA.distance(first.post, second.post, score_cutoff=1)
        alike["postcode"] = (
            {0: 1.0, 1: 0.9}.get(slips, 0.0)
            if min(len(first.post), len(second.post)) > 3
            else float(not slips)
        )
    if alike:
        key = max(alike, key=lambda one: _weight(one, alike[one], 0))
        found[key] = alike[key]


def _roads(one: tuple[str, tuple[str, ...]], other: tuple[str, tuple[str, ...]]) -> float:
    """Return how alike two streets are; another house of one street is no more than that."""
    alike = JaroWinkler.similarity(one[0], other[0])
    return alike if not one[1] or not other[1] or set(one[1]) & set(other[1]) else min(alike, 0.85)


def _days(one: dt.date | None, other: dt.date | None) -> float | None:
    """Return how alike two days of birth are: the same, month and day swapped, one or two digits wrong."""
    if one is None or other is None:
        return None
    if one == other:
        return 1.0
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return 0.9
    slips = OSA.distance(f"{one:%Y%m%d}", f"{other:%Y%m%d}", score_cutoff=2)
    return {1: 0.9, 2: 0.85}.get(slips, 0.0)


def _shared(found: dict[str, float], key: str, ours: Iterable[Any], theirs: Iterable[Any]) -> None:
    one, other = {value for value in ours if value}, {value for value in theirs if value}
    if one and other:
        found[key] = float(bool(one & other))


def _plain(value: str) -> str:
    return latin(value).replace(" ", "")


def host(website: str) -> str:
    """Return the host of an address on the web, without `www.`."""
    bare = re.sub(r"^[a-z]+://", "", website.strip().casefold()).split("/")[0]
    return bare.removeprefix("www.")


def _alike(one: str, other: str) -> bool:
    """Tell whether two words are the same but for one slip of the pen."""
    return one == other or (min(len(one), len(other)) >= 5 and OSA.distance(one, other, score_cutoff=1) <= 1)


def _people(first: Candidate, second: Candidate, born: float | None) -> dict[str, float] | None:
    """Compare names in any order of their words; a patronymic or middle name may be missing on one side.

    What agrees best is taken for the family's name, and the next for the given one.
    """
    ours, theirs = first.words, second.words
    if not ours or not theirs:
        return {}
    few, many = sorted((ours, theirs), key=len)
    hits = sorted(_pairs(few, many), reverse=True)
    if len(few) == 1:
        # One word is a family name or a nickname; nothing is said of the rest.
        return {"given": 1.0, "surname": 1.0} if len(many) == 1 and hits[0] >= SAME else _one(hits[0], born)
    family, given = hits[0], hits[1]
    if given > _INITIAL:
        return {"given": given, "surname": family}
    if given == _INITIAL:
        return {"surname": family} if family >= SAME else None
    # Another given name: one of the family, or twins, of whom nobody but a person can tell.
    return {"given": 0.0, "surname": family} if born is not None and born >= 0.85 else None


_INITIAL = OTHER
"""How alike a letter and a word are that begins with it: nothing is said for or against it."""


def _one(alike: float, born: float | None) -> dict[str, float] | None:
    if alike > OTHER:
        return {"surname": alike}
    return {"surname": 0.0} if born is not None and born >= SAME else None


def _pairs(few: Sequence[str], many: Sequence[str]) -> list[float]:
    """Return how alike the words of two names are, each word taken once, the most alike ones first."""
    scored = sorted(
        ((_words_alike(one, other), i, k) for i, one in enumerate(few) for k, other in enumerate(many)),
        reverse=True,
    )
    found, left, right = [], set[int](), set[int]()
    for alike, i, k in scored:
        if i not in left and k not in right:
            found.append(alike)
            left.add(i)
            right.add(k)
    return found


def _words_alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if len(one) == 1 or len(other) == 1:
        return _INITIAL if one[:1] == other[:1] else 0.0
    if _alike(one, other):
        return SAME
    alike = JaroWinkler.similarity(one, other)
    return alike if alike > OTHER and min(len(one), len(other)) > 3 else 0.0


def _companies(first: Candidate, second: Candidate) -> dict[str, float]:
    ours, theirs = first.words, second.words
    same = sorted(ours) == sorted(theirs) or _alike("".join(ours), "".join(theirs))
    return {"company": float(same)}
