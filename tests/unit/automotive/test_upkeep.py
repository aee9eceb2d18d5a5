"""When a service is due: months and distance, whichever comes first."""

from __future__ import annotations

import datetime as dt

import pytest

from plugins_builtin.automotive.upkeep.rules import Due, add_months, last_by_plan, next_due

DAY = dt.date


def due(**changes):
    values = {
        "done_on": DAY(2026, 3, 15),
        "done_km": 40_000,
        "months": 12,
        "km": 15_000,
        "read_on": DAY(2026, 9, 10),
        "read_km": 47_000,
        "rate": 40.0,
    }
    return next_due(**{**values, **changes})


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (DAY(2024, 2, 29), 36, DAY(2027, 2, 28)),
        (DAY(2023, 8, 31), 6, DAY(2024, 2, 29)),
        (DAY(2026, 11, 30), 2, DAY(2027, 1, 30)),
    ],
)
def test_months_end_where_the_month_ends(day, months, later):
    assert add_months(day, months) == later


@pytest.mark.parametrize(
    ("today", "months", "last"),
    [
        (DAY(2023, 12, 30), 12, DAY(2023, 1, 31)),
        (DAY(2024, 1, 31), 12, DAY(2024, 1, 31)),
        (DAY(2026, 2, 27), 1, DAY(2026, 1, 31)),
        (DAY(2023, 2, 1), 24, DAY(2023, 1, 31)),
        (DAY(2026, 2, 27), None, DAY(2023, 1, 31)),
    ],
)
def test_the_last_time_by_the_book(today, months, last):
    assert last_by_plan(DAY(2023, 1, 31), today, months) == last


def test_whichever_comes_first():
    # 8,000 km are left: 200 days at 40 km a day are after the year is over, at 80 km a day before.
    assert due() == Due(on=DAY(2027, 3, 15), by="time")
    assert due(rate=80.0) == Due(on=DAY(2026, 12, 19), by="distance", km=55_000)


def test_a_reading_beyond_the_distance_is_sure():
    assert due(read_km=55_000) == Due(on=DAY(2026, 9, 10), by="distance", km=55_000, sure=True)


def test_one_of_the_two_is_enough():
    assert due(km=None) == Due(on=DAY(2027, 3, 15), by="time")
    assert due(months=None, rate=80.0).by == "distance"
    assert due(months=None, rate=0.0) is None
    assert due(months=None, done_km=None) is None
