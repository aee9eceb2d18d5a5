"""The sums of a trade-in, by the worked example of AUTOMOTIVE.md 7."""

from __future__ import annotations

import datetime as dt

import pytest

from plugins_builtin.automotive.appraisal import rules

TODAY = dt.date(2026, 11, 29)


def test_the_worked_example():
    found = rules.sums(
        market=2_100_000,
        repairs=250_000,
        transport=50_000,
        margin=150_000,
        allowance=1_800_000,
        payoff=1_500_000,
    )
    assert (found.acv, found.equity, found.over) == (1_650_000, 300_000, 150_000)


def test_what_is_missing_stays_open():
    assert rules.sums(market=None, allowance=None) == rules.Sums()
    assert rules.sums(market=100, allowance=None) == rules.Sums(acv=100)
    assert rules.sums(market=None, allowance=100, payoff=250) == rules.Sums(equity=-150)


@pytest.mark.parametrize(("amounts", "mean"), [([], None), ([3], 3), ([10, 20, 33], 21)])
def test_the_middle_of_comparable_prices(amounts, mean):
    assert rules.middle(amounts) == mean


@pytest.mark.parametrize(("days", "stale"), [(None, True), (0, False), (10, False), (11, True)])
def test_a_lender_is_asked_again_after_ten_days(days, stale):
    said_on = None if days is None else TODAY - dt.timedelta(days=days)
    assert rules.payoff_stale(said_on, TODAY) is stale


@pytest.mark.parametrize(
    ("until", "now", "reason"),
    [(0, None, ""), (0, 48_500, ""), (-1, None, "days"), (0, 48_501, "km")],
)
def test_an_offer_holds_for_days_and_km(until, now, reason):
    assert rules.expired(TODAY + dt.timedelta(days=until), 48_000, now, TODAY) == reason
