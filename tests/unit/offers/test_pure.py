"""Ladders, the hold-out draw, rates and their ranges."""

import datetime as dt
import re
import uuid

import pytest

from kehu.offers import ladder
from kehu.offers.figures import Lift, Rate
from kehu.offers.holdout import is_held_out

DAY = dt.date.fromisoformat


@pytest.mark.parametrize(
    ("text", "steps"), [("90, 60,30", (90, 60, 30)), ("30 90;90", (90, 30)), (" 7 ", (7,)), ("0", (0,))]
)
def test_ladders_are_read(text, steps):
    assert ladder.parse(text) == steps


@pytest.mark.parametrize("text", [" ", "soon", "-3", "731", "1,2,3,4,5,6,7", "9 0.5"])
def test_what_is_no_ladder(text):
    with pytest.raises(ValueError, match=re.escape(text)):
        ladder.parse(text)


@pytest.mark.parametrize(
    ("left", "rung"), [(120, None), (90, 90), (61, 90), (60, 60), (30, 30), (3, 30), (-4, 30)]
)
def test_a_late_rung_stands_for_those_that_were_missed(left, rung):
    today = DAY("2026-11-29")
    assert ladder.reached((90, 60, 30), today + dt.timedelta(days=left), today) == rung


def test_next_days():
    due = DAY("2027-03-15")
    assert ladder.next_day((90, 30), due, None) == DAY("2026-12-15")
    assert ladder.next_day((90, 30), due, 90) == DAY("2027-02-13")
    assert ladder.next_day((90, 30), due, 30) == DAY("2027-04-14")


def test_the_draw_is_stable_and_fair():
    rule, people = uuid.UUID(int=1), [uuid.UUID(int=n) for n in range(4000)]
    drawn = [is_held_out(rule, one, 10) for one in people]
    assert drawn == [is_held_out(rule, one, 10) for one in people]
    assert 0.085 < sum(drawn) / len(drawn) < 0.115
    assert not any(is_held_out(rule, one, 0) for one in people)
    # Who is held out at 5 % is held out at 10 %, too; another rule draws others.
    assert all(is_held_out(rule, one, 10) for one in people if is_held_out(rule, one, 5))
    assert drawn != [is_held_out(uuid.UUID(int=2), one, 10) for one in people]


def test_ranges_of_rates():
    # Newcombe 1998, tables I and II: 81 of 263, and 56/70 against 48/80 (difference 0.2, 0.0524 to 0.3339).
    low, high = Rate(hits=81, n=263).interval
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    lift = Lift(contacted=Rate(hits=56, n=70), held_out=Rate(hits=48, n=80))
    low, high = lift.interval
    assert (round(lift.value, 4), round(low, 4), round(high, 4)) == (0.2, 0.0524, 0.3339)
    assert lift.certain
    assert Rate(hits=0, n=0).interval == (0.0, 1.0)
    assert not Lift(contacted=Rate(hits=3, n=3), held_out=Rate(hits=0, n=0)).certain
