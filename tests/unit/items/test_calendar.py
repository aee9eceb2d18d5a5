"""Months on the calendar."""

import datetime as dt

import pytest

from kehu.items.calendar import add_months, earlier

DAY = dt.date.fromisoformat


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2023-03-15", 36, "2026-03-15"),
        ("2024-02-29", 36, "2027-02-28"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2023-12-31", 2, "2024-02-29"),
        ("2023-01-31", 12, "2024-01-31"),
        ("2024-03-31", -1, "2024-02-29"),
    ],
)
def test_the_day_stays_or_is_the_last_of_a_shorter_month(start, months, end):
    assert add_months(DAY(start), months) == DAY(end)


def test_beyond_the_calendar():
    with pytest.raises(OverflowError):
        add_months(DAY("2024-01-01"), 12 * 9000)


def test_ends():
    assert earlier(None, DAY("2026-03-15"), DAY("2025-01-01")) == DAY("2025-01-01")
    assert earlier(None, None) is None
