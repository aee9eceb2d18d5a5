"""How likely it is that two records are the same: pure weights, no database.

Fellegi and Sunter (1969): a field that agrees adds log2(m/u), one that differs adds log2((1-m)/(1-u)), where m is how
often the field agrees in true doubles and u how often it does by chance. With the prior odds W gives P = 2^W/(1+2^W).
A name that many carry weighs less, after Winkler (2000). A phone or an address that a family shares is no identity:
people whose given names differ are never called doubles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import OSA

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
}
"""Field -> (m, u). Phone, given name, surname and city as published for customer files; the rest in their likeness."""

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
    shown: Any = field(default=None, compare=False)


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
        strong = {"phone", "email", "company", "website", "given"} & set(self.agree)
        return self.probability >= CERTAIN and len(strong) >= 2


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
    weight = 0.0
    for key, agrees in found.items():
        m, u = WEIGHTS[key]
        if key in ("given", "company"):
            u = min(0.5, max(u, (max(first.named_alike, second.named_alike) - 2) / max(total, _FEW)))
        weight += agreement(m, u) if agrees else disagreement(m, u)
    chance = probability(weight)
    if chance < LIKELY:
        return None
    return Match(
        first=first,
        second=second,
        probability=chance,
        agree=tuple(key for key, agrees in found.items() if agrees),
        differ=tuple(key for key, agrees in found.items() if not agrees),
    )


def _compare(first: Candidate, second: Candidate) -> dict[str, bool] | None:
    """Return which fields agree and which differ; None where the names alone rule it out."""
    names = _people(first, second) if first.person else _companies(first, second)
    if names is None:
        return None
    found = dict(names)
    _shared(found, "phone", map(phone_key, first.phones), map(phone_key, second.phones))
    _shared(found, "email", map(fold, first.emails), map(fold, second.emails))
    _shared(found, "website", [host(first.website)], [host(second.website)])
    _shared(found, "customer", [first.customer_id], [second.customer_id])
    # Town and postcode depend on each other: the finer one alone is counted.
    place = "postcode" if first.postcode and second.postcode else "city"
    _shared(found, place, [_plain(getattr(first, place))], [_plain(getattr(second, place))])
    return found


def _shared(found: dict[str, bool], key: str, ours: Iterable[Any], theirs: Iterable[Any]) -> None:
    one, other = {value for value in ours if value}, {value for value in theirs if value}
    if one and other:
        found[key] = bool(one & other)


def _plain(value: str) -> str:
    return latin(value).replace(" ", "")


def host(website: str) -> str:
    """Return the host of an address on the web, without `www.`."""
    bare = re.sub(r"^[a-z]+://", "", website.strip().casefold()).split("/")[0]
    return bare.removeprefix("www.")


def _alike(one: str, other: str) -> bool:
    """Tell whether two words are the same but for one slip of the pen."""
    return one == other or (min(len(one), len(other)) >= 5 and OSA.distance(one, other, score_cutoff=1) <= 1)


def _people(first: Candidate, second: Candidate) -> dict[str, bool] | None:
    """Compare names in any order of their words; a patronymic or middle name may be missing on one side."""
    ours, theirs = (name_words(one.name, person=True) for one in (first, second))
    if not ours or not theirs:
        return {}
    few, many = sorted((ours, theirs), key=len)
    left = list(many)
    hits, initials = 0, 0
    for word in sorted(few, key=len, reverse=True):
        twin = next((other for other in left if _alike(word, other)), None)
        initial = twin is None and next(
            (o for o in left if (len(word) == 1 or len(o) == 1) and word[:1] == o[:1]), None
        )
        if twin is not None:
            hits += 1
            left.remove(twin)
        elif initial:
            initials += 1
            left.remove(initial)
    if hits >= 2 or (hits == len(few) == len(many)):
        return {"given": True, "surname": True}
    if hits and hits + initials >= 2:
        return {"surname": True}
    if hits and len(few) == 1:
        return {"surname": True}  # One word is a surname or a nickname; nothing is said of the rest.
    return None


def _companies(first: Candidate, second: Candidate) -> dict[str, bool]:
    ours, theirs = (name_words(one.name, person=False) for one in (first, second))
    same = sorted(ours) == sorted(theirs) or _alike("".join(ours), "".join(theirs))
    return {"company": same}
