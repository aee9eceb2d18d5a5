"""Ranks: an order of texts that has room between any two."""

import datetime as dt
import random

from kehu.deals import ranks

NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)


def test_new_cards_come_first():
    made = [ranks.top(NOW + dt.timedelta(seconds=n)) for n in range(20)]
    assert made == sorted(made, reverse=True)
    assert all(ranks.usable(one) for one in made)


def test_any_place_can_be_taken_many_times():
    rng = random.Random(7)
    column = [ranks.top(NOW, n) for n in range(3)]
    for _turn in range(600):
        at = rng.randrange(len(column) + 1)
        above = column[at - 1] if at else None
        below = column[at] if at < len(column) else None
        made = ranks.between(above, below, NOW)
        assert made is not None
        assert ranks.usable(made)
        column.insert(at, made)
    assert column == sorted(column)
    assert len(set(column)) == len(column)


def test_the_same_gap_stays_open():
    low, high = ranks.top(NOW), ranks.top(NOW, 1)
    for turn in range(200):
        made = ranks.between(low, high, NOW)
        assert made is not None
        assert low < made < high
        low, high = (made, high) if turn % 2 else (low, made)
    assert len(made) < 60


def test_rows_without_rank_ask_for_a_fresh_order():
    assert ranks.between("", "", NOW) is None
    assert ranks.between(None, "x", NOW) is None
    assert ranks.between(ranks.top(NOW), ranks.top(NOW), NOW) is None


def test_the_ends_are_bounded():
    assert ranks.write(-5) == "0" * 9
    assert ranks.between(None, ranks.write(3), NOW) is None
