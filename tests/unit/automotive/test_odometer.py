"""Readings of clocks beside each other: lower, higher, too far, a new clock, miles."""

from __future__ import annotations

import datetime as dt

import pytest

from plugins_builtin.automotive.vehicles.odometer import (
    Point,
    contradicting,
    contradiction,
    newest,
    offset,
    run_before,
    settled,
    to_km,
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2026-{text}")


KNOWN = [Point(on=day("03-01"), km=48_200, id=1), Point(on=day("06-01"), km=52_000, id=2)]


@pytest.mark.parametrize(
    ("on", "km", "fault", "other"),
    [
        ("04-01", 50_000, None, None),
        ("03-01", 48_200, None, None),
        ("04-01", 48_000, "lower", 1),
        ("03-01", 48_199, "lower", 1),
        ("05-01", 52_001, "higher", 2),
        ("02-01", 48_201, "higher", 1),
        ("06-02", 53_501, "far", 2),
        ("06-02", 53_500, None, None),
        ("07-01", 51_000, "lower", 2),
    ],
)
def test_what_speaks_against_a_reading(on: str, km: int, fault: str | None, other: int | None) -> None:
    found = contradiction(KNOWN, Point(on=day(on), km=km))
    assert (found.fault, found.other.id) == (fault, other) if fault else found is None


def test_those_that_can_not_be_right_if_this_one_is() -> None:
    assert [one.id for one in contradicting(KNOWN, Point(on=day("07-01"), km=40_000))] == [1, 2]
    assert [one.id for one in contradicting(KNOWN, Point(on=day("02-01"), km=50_000))] == [1]


def test_a_new_clock_goes_on_from_the_last() -> None:
    readings = [
        (day("01-01"), "valid", 100_000),
        (day("02-01"), "suspect", 900_000),
        (day("03-01"), "replaced", 10),
        (day("04-01"), "corrected", 2_000),
    ]
    assert settled(readings) == [100_000, 900_000, 100_010, 102_000]
    clocks = [(day("03-01"), "replaced", 100_000)]
    assert offset(clocks, day("04-01")) == 100_000
    assert offset(clocks, day("02-28")) == 0
    assert run_before([Point(on=day("01-01"), km=100_000)], day("03-01")) == 100_000


def test_miles_and_the_newest() -> None:
    # The worked case of the rules: 36,000 miles.
    assert to_km(36_000, "mi") == 57_936
    assert to_km(36_000, "km") == 36_000
    assert newest([*KNOWN, Point(on=day("06-01"), km=52_100, id=3)]) == Point(
        on=day("06-01"), km=52_100, id=3
    )
    assert newest([]) is None
