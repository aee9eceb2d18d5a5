"""How many doubles a look through all records finds, and how many of those are none (CUS-22)."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from bench.people import people
from kehu.merging.certain import certain
from kehu.merging.looking import pairs
from kehu.merging.rule import Candidate, match

FEBRL = Path(__file__).resolve().parents[4] / "shared" / "data" / "person-dedup-febrl"

Pairs = set[tuple[int, int]]


def found_among(all_: list[Candidate]) -> tuple[Pairs, Pairs, int]:
    """Return the likely pairs, the almost certain ones, and how many were weighed."""
    weighed = list(pairs(all_))
    hits = {pair: match(all_[pair[0]], all_[pair[1]], total=len(all_)) for pair in weighed}
    likely = {pair for pair, hit in hits.items() if hit is not None}
    return likely, {pair for pair in likely if hits[pair].certain}, len(weighed)


def measured(found: Pairs, same: Pairs) -> tuple[float, float, float]:
    """Return precision, recall and F1."""
    right = len(found & same)
    precision, recall = right / len(found), right / len(same)
    return precision, recall, 2 * precision * recall / (precision + recall)


def febrl(name: str) -> tuple[list[Candidate], Pairs]:
    """Read a file of persons as an import would; the identity number is not read, the truth is in the record's id."""
    all_, groups = [], defaultdict(list)
    with (FEBRL / name).open(newline="") as file:
        for position, row in enumerate(csv.DictReader(file, skipinitialspace=True)):
            groups[row["rec_id"].split("-")[1]].append(position)
            all_.append(
                Candidate(
                    id=position,
                    name=f"{row['given_name']} {row['surname']}".strip(),
                    born=day(row["date_of_birth"]),
                    street=f"{row['street_number']} {row['address_1']}".strip(),
                    city=row["suburb"],
                    postcode=row["postcode"],
                )
            )
    return all_, {pair for group in groups.values() for pair in combinations(group, 2)}


def day(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


@pytest.mark.skipif(not FEBRL.exists(), reason="The shared test data (Febrl) is not on this machine.")
@pytest.mark.parametrize(("name", "least"), [("febrl1.csv", 0.97), ("febrl3.csv", 0.94)])
def test_febrl(name: str, least: float) -> None:
    all_, same = febrl(name)
    likely, sure, weighed = found_among(all_)
    assert measured(likely, same)[2] >= least
    assert measured(sure, same)[0] >= 0.995
    assert weighed < 25 * len(all_)
    merged = by_the_rule(all_)
    assert measured(merged, same)[0] >= 0.995
    assert len(merged) > len(same) / 2


def by_the_rule(all_: list[Candidate]) -> Pairs:
    """Return the pairs that are merged without anybody looking."""
    hits = {pair: match(all_[pair[0]], all_[pair[1]], total=len(all_)) for pair in pairs(all_)}
    return {pair for pair, hit in hits.items() if hit is not None and certain(hit)}


def test_people_of_our_own() -> None:
    all_, same = people(2_000)
    likely, sure, weighed = found_among(all_)
    precision, recall, _f1 = measured(likely, same)
    assert precision >= 0.99
    assert recall >= 0.93
    assert measured(sure, same)[0] >= 0.995
    assert weighed < 25 * len(all_)


def test_twins_are_for_people_to_decide() -> None:
    both = {"born": dt.date(1990, 5, 1), "street": "4 Mill Lane", "postcode": "LS1 4AB", "city": "Leeds"}
    found = match(
        Candidate(id=1, name="Anna Lindqvist", **both), Candidate(id=2, name="Bo Lindqvist", **both)
    )
    assert found
    assert "given" in found.differ
    assert not found.certain
    born = both | {"born": dt.date(1961, 2, 3)}
    assert (
        match(Candidate(id=1, name="Anna Lindqvist", **both), Candidate(id=2, name="Bo Lindqvist", **born))
        is None
    )
