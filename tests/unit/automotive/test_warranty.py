"""Ends by months and distance: the worked cases (a) to (f) of the domain notes, and readings that can't be."""

import datetime as dt

import pytest

from kehu.items.calendar import add_months
from plugins_builtin.automotive.vehicles.odometer import to_km
from plugins_builtin.automotive.warranty.ends import (
    confidence,
    distance_end,
    expiry,
    is_overdue,
)
from plugins_builtin.automotive.warranty.mileage import Pace, Point, believable, pace, usual, window

DAY = dt.date.fromisoformat


def at(day, km):
    return Point(on=DAY(day), km=km)


def plain(points):
    """The pace without the pull towards the usual, so that a case can be checked by hand."""
    first, last = window(points)
    days = (last.on - first.on).days
    rate = (last.km - first.km) / days
    return Pace(last=last, observed=rate, days=days, rate=rate)


def case(start, months, limit, readings, rate=None):
    points = [at(*one) for one in readings]
    found = rate or plain(points)
    distance = distance_end(limit, at(start, 0), points, found)
    return found, expiry(add_months(DAY(start), months), distance)


def test_a_the_calendar_comes_first():
    found, end = case("2023-03-15", 36, 60_000, [("2023-09-10", 5_900), ("2024-09-12", 17_300)])
    assert (found.days, round(found.rate, 2)) == (368, 30.98)
    assert (end.time, end.distance.on) == (DAY("2026-03-15"), DAY("2028-06-22"))
    assert (end.on, end.by) == (DAY("2026-03-15"), "time")


def test_b_the_distance_comes_first():
    found, end = case("2023-03-15", 36, 60_000, [("2023-06-15", 12_400), ("2024-01-15", 41_900)])
    assert round(found.rate, 2) == 137.85
    assert (end.distance.on - DAY("2024-01-15")).days == 132
    assert (end.on, end.by, end.sure) == (DAY("2024-05-26"), "distance", False)


def test_c_a_demonstration_car_began_before_it_was_sold():
    # Registered as a demonstration car on 10 January, sold in June at 4,200 km: it counts from January.
    assert add_months(DAY("2023-01-10"), 36) == DAY("2026-01-10")


@pytest.mark.parametrize(
    ("start", "months", "end"), [("2024-02-29", 36, "2027-02-28"), ("2023-08-31", 6, "2024-02-29")]
)
def test_d_a_shorter_month_has_a_last_day(start, months, end):
    assert add_months(DAY(start), months) == DAY(end)


def test_e_one_reading_alone_is_drawn_towards_the_usual():
    found = pace(at("2024-01-01", 0), [at("2024-02-15", 45 * 110)], years=0)
    assert (found.days, found.observed, round(found.rate, 1)) == (45, 110, 53.6)


def test_f_miles():
    assert to_km(36_000, "mi") == 57_936
    assert to_km(36_000, "km") == 36_000


class TestReadings:
    def test_what_cannot_be_is_left_out(self):
        readings = [
            at("2024-01-01", 10_000),
            at("2024-02-01", 9_000),  # lower than before
            at("2024-03-01", 12_000),
            at("2024-03-01", 12_400),  # the same day: the higher one
            at("2024-03-02", 90_000),  # 77,600 km in a day
            at("2024-05-01", 15_000),
        ]
        assert [one.km for one in believable(readings)] == [10_000, 12_400, 15_000]

    def test_the_newest_window_of_sixty_days(self):
        points = [
            at("2022-01-01", 0),
            at("2023-12-01", 40_000),
            at("2024-02-15", 42_000),
            at("2024-03-01", 42_400),
        ]
        assert [one.on for one in window(points)] == [DAY("2023-12-01"), DAY("2024-03-01")]
        assert [one.km for one in window(points[2:])] == [42_000, 42_400]
        assert window(points[:1]) is None

    def test_no_reading_at_all(self):
        found = pace(at("2024-01-01", 0), [], years=7)
        assert (found.rate, found.observed, found.last.km, found.is_read) == (35.0, None, 0, False)
        assert pace(at("2024-01-01", 0), [], years=1, own=250).rate == 250

    @pytest.mark.parametrize(("years", "km"), [(0, 39.7), (5.9, 39.7), (7, 35), (12, 31), (15, 22), (40, 22)])
    def test_what_cars_usually_do(self, years, km):
        assert usual(years) == km


class TestEnds:
    def test_a_reading_beyond_the_limit_is_placed_between_two(self):
        found, end = case("2023-01-01", 36, 50_000, [("2023-12-27", 45_000), ("2024-01-06", 55_000)])
        assert (end.on, end.by, end.sure) == (DAY("2024-01-01"), "distance", True)
        assert confidence(end, found, DAY("2024-02-01")) == "sure"
        assert not is_overdue(end, DAY("2024-02-01"))
        alone = distance_end(50_000, at("2023-01-01", 0), [at("2024-01-01", 100_000)], found)
        assert alone.on == DAY("2023-07-03")

    def test_a_forecast_that_has_passed_only_says_read_the_clock(self):
        found, end = case("2023-03-15", 60, 60_000, [("2023-06-15", 12_400), ("2024-01-15", 41_900)])
        assert is_overdue(end, DAY("2024-06-01"))
        assert not is_overdue(end, DAY("2024-05-25"))
        assert end.distance.early < end.distance.on < end.distance.late
        assert confidence(end, found, DAY("2024-06-01")) == "good"

    def test_a_car_that_stands_still_ends_by_the_calendar(self):
        found = Pace(last=at("2024-01-01", 100), observed=0, days=400, rate=0)
        end = expiry(DAY("2026-01-01"), distance_end(60_000, at("2023-01-01", 0), [], found))
        assert (end.on, end.by) == (DAY("2026-01-01"), "time")
        assert confidence(end, found, DAY("2024-02-01")) == "sure"
        assert expiry(None, None).on is None

    def test_few_days_observed_are_a_poor_ground(self):
        found, end = case("2023-03-15", 60, 60_000, [("2024-01-01", 41_000), ("2024-01-15", 41_900)])
        assert confidence(end, found, DAY("2024-01-20")) == "poor"
