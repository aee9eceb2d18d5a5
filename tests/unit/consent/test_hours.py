"""When a person may be written to, on the person's own clock."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from kehu.consent.hours import next_moment, zones_of

LONDON, SHANGHAI = ZoneInfo("Europe/London"), ZoneInfo("Asia/Shanghai")
DAY = "08:00–20:00"


def at(hour, minute=0, day=10, month=6):
    return dt.datetime(2026, month, day, hour, minute, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("country", "phones", "expected"),
    [
        ("CN", [], {"Asia/Shanghai", "Asia/Urumqi"}),
        ("", ["+4930901820"], {"Europe/Berlin"}),
        ("RU", ["+74951234567"], {"Europe/Moscow"}),
        ("", ["nonsense"], {"Europe/London"}),
        ("", [], {"Europe/London"}),
        ("US", ["+12125550123"], {"America/New_York"}),
    ],
)
def test_zones_of_a_person(country, phones, expected):
    assert {zone.key for zone in zones_of(country, phones, LONDON)} == expected


def test_a_country_of_many_zones_is_written_to_when_it_is_day_everywhere():
    zones = zones_of("US", [], LONDON)
    moment = next_moment(at(13), [DAY], zones)
    assert moment.astimezone(ZoneInfo("Pacific/Honolulu")).hour == 8
    assert moment.astimezone(ZoneInfo("America/New_York")).hour < 20


def test_within_the_hours_nothing_waits():
    assert next_moment(at(9), [DAY, None], [LONDON]) == at(9)
    assert next_moment(at(9), [], [LONDON]) == at(9)
    assert next_moment(at(9), ["00:00–24:00"], [LONDON]) == at(9)


def test_at_night_it_waits_for_the_recipients_morning():
    assert next_moment(at(21), [DAY], [LONDON]) == at(7, day=11)
    assert next_moment(at(15), [DAY], [SHANGHAI]) == at(0, day=11)


def test_the_persons_hours_count_within_the_firms():
    assert next_moment(at(9), [DAY, "18:00–22:00"], [LONDON]) == at(17)
    # Hours that never meet the firm's are given up; the firm's hold.
    assert next_moment(at(21), [DAY, "21:00–23:00"], [LONDON]) == at(7, day=11)


def test_the_clock_change_moves_no_morning():
    # In London the clock goes forward on 29 March 2026.
    assert next_moment(at(22, day=28, month=3), [DAY], [LONDON]) == at(7, day=29, month=3)
