"""Trials end at the firm's midnight, and periods keep their day."""

from __future__ import annotations

import datetime as dt
import random
from zoneinfo import ZoneInfo

import pytest

from billing.periods import months_later, next_end, trial_end


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("zone", "start", "wanted"),
    [
        ("Asia/Shanghai", "2026-11-29T15:59", "2026-12-13T16:00"),
        ("Asia/Shanghai", "2026-11-29T16:01", "2026-12-14T16:00"),
        ("Europe/London", "2026-03-20T12:00", "2026-04-03T23:00"),
        ("America/New_York", "2026-10-25T12:00", "2026-11-09T05:00"),
        ("Pacific/Kiritimati", "2026-01-17T12:00", "2026-02-01T10:00"),
    ],
)
def test_case_56_a_trial_ends_at_midnight_in_the_firms_zone(zone: str, start: str, wanted: str) -> None:
    assert trial_end(utc(start), ZoneInfo(zone), 14) == utc(wanted)


def test_case_56_a_trial_is_never_shorter_than_it_says() -> None:
    rng = random.Random(3)
    zones = [ZoneInfo(name) for name in ("Africa/Cairo", "America/Santiago", "Asia/Beirut", "Europe/Moscow")]
    for _round in range(500):
        start = utc("2026-01-01T00:00") + dt.timedelta(minutes=rng.randrange(525_600))
        zone = rng.choice(zones)
        ends = trial_end(start, zone, 14)
        assert dt.timedelta(days=14) - dt.timedelta(hours=1) <= ends - start
        assert ends - start <= dt.timedelta(days=15, hours=1)
        # Where midnight itself is skipped, the day begins at one.
        assert ends.astimezone(zone).hour in (0, 1)


@pytest.mark.parametrize(
    ("anchor", "months", "wanted"),
    [
        ("2026-01-31T10:00", 1, "2026-02-28T10:00"),
        ("2026-01-31T10:00", 2, "2026-03-31T10:00"),
        ("2028-01-31T10:00", 1, "2028-02-29T10:00"),
        ("2028-02-29T10:00", 12, "2029-02-28T10:00"),
        ("2028-02-29T10:00", 48, "2032-02-29T10:00"),
        ("2026-12-31T10:00", 2, "2027-02-28T10:00"),
    ],
)
def test_case_56_periods_keep_their_day(anchor: str, months: int, wanted: str) -> None:
    assert months_later(utc(anchor), months) == utc(wanted)


@pytest.mark.parametrize("step", [1, 12])
def test_the_next_end_is_the_first_after_a_moment(step: int) -> None:
    rng = random.Random(step)
    for _round in range(500):
        anchor = utc("2026-01-01T00:00") + dt.timedelta(minutes=rng.randrange(1_000_000))
        after = anchor + dt.timedelta(minutes=rng.randrange(2_000_000))
        found = next_end(anchor, step, after)
        assert found > after
        ends = [months_later(anchor, step * count) for count in range(1, 60)]
        assert found == min(end for end in ends if end > after)
