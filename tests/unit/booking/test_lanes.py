"""Cutting a day into pieces, and which times a booking may have."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from kehu.booking import lanes
from kehu.booking.rules import skipped, wrong_times

LONDON = ZoneInfo("Europe/London")
NOON = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def drawn(found):
    return [(one.what, one.text) for one in found]


def test_pieces_leave_no_gap():
    found = lanes.pieces((480, 720), [(600, 650, "a")], [(540, 720)], now=555)
    assert drawn(found) == [
        ("closed", "08:00–09:00"),
        ("past", "09:00–09:15"),
        ("free", "09:15–10:00"),
        ("booked", "10:00–11:00"),
        ("free", "11:00–12:00"),
    ]
    assert sum(one.columns for one in found) == (720 - 480) // lanes.STEP


@pytest.mark.parametrize(
    "taken",
    [
        [(480, 720, "whole day")],
        [(0, 1440, "longer")],
        [(500, 505, "a"), (505, 510, "b"), (505, 700, "c")],
        [(715, 800, "over the end")],
    ],
)
def test_pieces_fill_the_lane(taken):
    found = lanes.pieces((480, 720), taken, [(0, 1440)])
    assert [one.start for one in found[1:]] == [one.end for one in found[:-1]]
    assert (found[0].start, found[-1].end) == (480, 720)
    assert all(one.columns > 0 for one in found)


def test_window_holds_what_is_there():
    assert lanes.window([]) == (480, 1080)
    assert lanes.window([(430, 1095), (0, 10)]) == (0, 1140)
    assert lanes.window([(600, 1440)]) == (480, 1440)


@pytest.mark.parametrize(
    ("start", "end", "options", "field"),
    [
        (NOON + HOUR, NOON + 2 * HOUR, {}, None),
        (NOON + HOUR, NOON + HOUR, {}, "to_at"),
        (NOON + 2 * HOUR, NOON + HOUR, {}, "to_at"),
        (NOON, NOON + dt.timedelta(days=40), {}, "to_at"),
        (NOON, NOON + dt.timedelta(days=40), {"closure": True}, None),
        (NOON - 3 * HOUR, NOON - 2 * HOUR, {}, "from_at"),
        (NOON - 2 * HOUR, NOON + HOUR, {}, "from_at"),
        (NOON - HOUR / 2, NOON + HOUR, {}, None),
        (NOON - 3 * HOUR, NOON - 2 * HOUR, {"history": True}, None),
    ],
)
def test_times(start, end, options, field):
    wrong = wrong_times(start, end, NOON, **options)
    assert (wrong[0] if wrong else None) == field


def wall(*parts):
    return dt.datetime(*parts, tzinfo=LONDON).replace(tzinfo=None)


def test_the_hour_that_is_left_out():
    assert skipped(wall(2027, 3, 28, 1, 30), LONDON)
    assert not skipped(wall(2027, 3, 28, 2, 30), LONDON)
    assert not skipped(wall(2026, 10, 25, 1, 30), LONDON)
