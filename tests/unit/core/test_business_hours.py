"""Business time: hours as people write them, holidays, nights, and the days on which the clock is changed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from kehu.core.business_hours import BadHours, BusinessHours, NeverOpen, parse_hours, usual, write_hours

BERLIN, NEW_YORK, SHANGHAI = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Shanghai")
)


def hours(week: dict[int, str], zone: ZoneInfo = BERLIN, days: dict[str, str] | None = None) -> BusinessHours:
    """Return hours from texts by weekday, Monday is 0."""
    return BusinessHours(
        zone=zone,
        week=tuple(parse_hours(week.get(day, "")) for day in range(7)),
        days={dt.date.fromisoformat(day): parse_hours(text) for day, text in (days or {}).items()},
    )


def wall(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def minutes(count: float) -> dt.timedelta:
    return dt.timedelta(minutes=count)


OFFICE = hours(dict.fromkeys(range(5), "9-17"))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("9-18", "09:00–18:00"),
        ("9:00 - 12.30, 13:30–18", "09:00–12:30, 13:30–18:00"),
        ("13-18; 9-13", "09:00–18:00"),
        ("22-2", "22:00–02:00"),
        ("0-24", "00:00–24:00"),
        ("9时30-12", "09:30–12:00"),
        ("", ""),
        ("Closed", ""),
    ],
)
def test_hours_are_read_as_people_write_them(written: str, kept: str) -> None:
    assert write_hours(parse_hours(written)) == kept
    assert parse_hours(kept) == parse_hours(written)


@pytest.mark.parametrize("written", ["nine to five", "25-26", "9:70-10", "9-12, 11-13", "9", "9-30"])
def test_what_says_no_hours_is_refused_with_the_remedy(written: str) -> None:
    with pytest.raises(BadHours, match=r"09:00|overlap"):
        parse_hours(written)


def test_a_target_of_an_hour_goes_over_the_night_and_a_pause() -> None:
    raised = wall("2026-11-26T16:30")  # a Thursday
    assert OFFICE.add(raised, minutes(60)) == wall("2026-11-27T09:30")
    before_pause = OFFICE.between(raised, wall("2026-11-27T09:10"))
    assert before_pause == minutes(40)
    assert OFFICE.add(wall("2026-11-27T11:10"), minutes(60) - before_pause) == wall("2026-11-27T11:30")


def test_a_weekend_and_a_holiday_count_nothing() -> None:
    christmas = hours(dict.fromkeys(range(5), "9-17"), days={"2026-12-24": "9-12", "2026-12-25": ""})
    eve = wall("2026-12-24T11:00")
    assert christmas.add(eve, minutes(90)) == wall("2026-12-28T09:30")
    assert christmas.between(eve, wall("2026-12-28T10:00")) == minutes(120)
    assert not christmas.is_open(wall("2026-12-25T10:00"))
    assert christmas.next_open(wall("2026-12-24T12:00")) == wall("2026-12-28T09:00")


def test_a_special_day_may_open_a_sunday() -> None:
    sale = hours(dict.fromkeys(range(5), "9-17"), days={"2026-11-29": "13-18"})
    assert sale.is_open(wall("2026-11-29T13:00"))
    assert not sale.is_open(wall("2026-11-29T18:00"))


def test_bounds_of_being_open() -> None:
    assert OFFICE.is_open(wall("2026-11-26T09:00"))
    assert not OFFICE.is_open(wall("2026-11-26T17:00"))
    assert OFFICE.covers(wall("2026-11-26T09:00"), wall("2026-11-26T17:00"))
    assert not OFFICE.covers(wall("2026-11-26T08:59"), wall("2026-11-26T10:00"))
    assert not hours({3: "9-12, 13-17"}).covers(wall("2026-11-26T11:30"), wall("2026-11-26T13:30"))
    assert OFFICE.between(wall("2026-11-26T10:00"), wall("2026-11-26T09:00")) == minutes(0)


class TestChangeOfTheClock:
    """Berlin: 29 March 2026 02:00 → 03:00, 25 October 2026 03:00 → 02:00."""

    ALWAYS = hours(dict.fromkeys(range(7), "0-24"))

    @pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-30", 24)])
    def test_a_whole_day_has_its_real_length(self, day: str, length: int) -> None:
        start = wall(f"{day}T00:00")
        end = wall((dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat() + "T00:00")
        assert self.ALWAYS.between(start, end) == dt.timedelta(hours=length)
        assert self.ALWAYS.covers(start, end)

    def test_a_target_over_the_change_in_spring(self) -> None:
        nights = hours(dict.fromkeys(range(7), "22-6"))
        assert nights.add(wall("2026-03-28T23:00"), dt.timedelta(hours=6)) == wall("2026-03-29T06:00")
        assert nights.between(wall("2026-03-28T22:00"), wall("2026-03-29T06:00")) == dt.timedelta(hours=7)

    def test_a_target_over_the_change_in_autumn(self) -> None:
        nights = hours(dict.fromkeys(range(7), "22-6"))
        assert nights.between(wall("2026-10-24T22:00"), wall("2026-10-25T06:00")) == dt.timedelta(hours=9)

    def test_an_hour_that_the_clock_leaves_out_or_shows_twice(self) -> None:
        early = hours({6: "2-3"})
        assert early.between(wall("2026-03-29T00:00"), wall("2026-03-30T00:00")) == minutes(0)
        assert early.between(wall("2026-10-25T00:00"), wall("2026-10-26T00:00")) == dt.timedelta(hours=2)
        assert early.is_open(wall("2026-10-25T02:30"))
        assert early.is_open(wall("2026-10-25T02:30", fold=1))

    def test_a_pause_over_a_holiday_and_the_change(self) -> None:
        """Good Friday to Easter Tuesday would hide the change; the working days keep their eight hours."""
        easter = hours(dict.fromkeys(range(5), "9-17"), days={"2026-03-30": ""})
        assert easter.between(wall("2026-03-27T16:00"), wall("2026-03-31T10:00")) == minutes(120)

    def test_other_zones(self) -> None:
        there = hours(dict.fromkeys(range(5), "9-17"), zone=NEW_YORK)
        # Sunday 1 November 2026 is the change in New York.
        assert there.add(wall("2026-10-30T16:00", NEW_YORK), minutes(120)) == wall(
            "2026-11-02T10:00", NEW_YORK
        )
        china = hours(dict.fromkeys(range(5), "9-17"), zone=SHANGHAI)
        assert china.next_open(wall("2026-11-26T12:00", BERLIN)) == wall("2026-11-27T09:00", SHANGHAI)


def test_nights_join_across_midnight() -> None:
    bar = hours({4: "20-24", 5: "0-4, 20-3"})
    assert list(bar.spans(wall("2026-11-27T12:00"), wall("2026-11-29T12:00"))) == [
        (wall("2026-11-27T20:00"), wall("2026-11-28T04:00")),
        (wall("2026-11-28T20:00"), wall("2026-11-29T03:00")),
    ]
    assert bar.is_open(wall("2026-11-29T02:00"))


def test_hours_that_never_open_say_so() -> None:
    never = hours({})
    assert never.next_open(wall("2026-11-26T12:00")) is None
    with pytest.raises(NeverOpen, match="Settings"):
        never.add(wall("2026-11-26T12:00"), minutes(1))


def test_kept_hours_count_as_they_did() -> None:
    made = hours({0: "9-12:30, 13:30-18", 5: "22-2"}, days={"2026-12-25": "", "2026-12-24": "9-12"})
    kept = made.as_json()
    assert kept["week"][0] == "09:00–12:30, 13:30–18:00"
    assert BusinessHours.from_json(kept) == made


def test_the_usual_week() -> None:
    assert [write_hours(spans) for spans in usual(BERLIN).week] == ["09:00–18:00"] * 5 + ["", ""]
