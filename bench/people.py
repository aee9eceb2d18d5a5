"""People of our own making with their doubles, written as hurried people write; the same for the same seed."""

from __future__ import annotations

import datetime as dt
import random
from itertools import combinations

from kehu.merging.rule import Candidate

GIVEN = (
    "anna bo carla david elena fyodor grace hugo irina jonas karen leonid maria nils olga peter rita sven tanya uwe"
).split()
SYLLABLES = "ber lin hol man stro gar vel tor san mik dal ren fos kov ler win mar tek nor lund".split()
STREETS = "mill station harbour church garden market orchard bridge castle forest".split()
TOWNS = "Ely Leeds Truro Kendal Oban Whitby Ripon Wells Hexham Ludlow".split()


def people(count: int, seed: int = 7) -> tuple[list[Candidate], set[tuple[int, int]]]:
    """Return `count` persons, a fifth of them doubles with slips, and the pairs that are the same person."""
    rng = random.Random(seed)
    found: list[Candidate] = []
    same: set[tuple[int, int]] = set()
    while len(found) < count:
        first = _person(rng, len(found))
        copies = [first]
        if rng.random() < 0.15:
            copies += [_slip(rng, first, len(found) + 1 + k) for k in range(rng.choice([1, 1, 1, 2]))]
        same |= set(combinations([one.id for one in copies], 2))
        found += copies
    return found, same


def _person(rng: random.Random, number: int) -> Candidate:
    given = rng.choice(GIVEN) if rng.random() < 0.5 else "".join(rng.sample(SYLLABLES, 2))
    surname = "".join(rng.choices(SYLLABLES, k=3))
    born = dt.date(1930, 1, 1) + dt.timedelta(days=rng.randrange(28_000))
    town = rng.choice(TOWNS)
    return Candidate(
        id=number,
        name=f"{given.title()} {surname.title()}",
        born=born if rng.random() < 0.9 else None,
        street=f"{rng.randrange(1, 200)} {rng.choice(STREETS)}{rng.choice(SYLLABLES)} street",
        city=town,
        postcode=f"{town[:2].upper()}{rng.randrange(1, 40)} {rng.randrange(1, 10)}AB",
        phones=[f"+4420{rng.randrange(10**8):08d}"] if rng.random() < 0.5 else [],
        emails=[f"{given}.{surname}{rng.randrange(100)}@x.example"] if rng.random() < 0.4 else [],
    )


def _slip(rng: random.Random, one: Candidate, number: int) -> Candidate:
    given, surname = one.name.split(" ")
    if rng.random() < 0.3:
        place = rng.randrange(1, len(surname) - 1)
        surname = surname[:place] + rng.choice("aeiou") + surname[place + 1 :]
    name = f"{surname} {given}" if rng.random() < 0.2 else f"{given} {surname}"
    born = one.born
    if born and rng.random() < 0.2:
        born = born + dt.timedelta(days=rng.choice([1, 10]))
    return Candidate(
        id=number,
        name=name.upper() if rng.random() < 0.1 else name,
        born=born if rng.random() < 0.9 else None,
        street=one.street if rng.random() < 0.8 else "",
        city=one.city,
        postcode=one.postcode if rng.random() < 0.85 else "",
        phones=one.phones if rng.random() < 0.7 else [],
        emails=one.emails if rng.random() < 0.7 else [],
    )
