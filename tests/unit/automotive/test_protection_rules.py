"""Whose a customer is, by the rules alone (AUTOMOTIVE.md 5)."""

from __future__ import annotations

import datetime as dt

import pytest

from kehu.core.ids import new_id
from plugins_builtin.automotive.protection.rules import Claim, Rules, effective, judge, read_shares

NOW = dt.datetime(2026, 11, 29, 10, tzinfo=dt.UTC)
ANNA, BEN, CARL = new_id(), new_id(), new_id()


def claim(holder: object, *, contact: int, until: int) -> Claim:
    days = dt.timedelta
    return Claim(holder=holder, event="contact", contact_at=NOW - days(contact), until=NOW + days(until))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("claims", "host", "kind", "holder"),
    [
        ([], ANNA, "free", None),
        ([claim(ANNA, contact=2, until=8)], ANNA, "free", ANNA),
        ([claim(BEN, contact=2, until=8)], ANNA, "help", BEN),
        ([claim(BEN, contact=2, until=8)], None, "help", BEN),
        ([claim(BEN, contact=12, until=-2)], ANNA, "free", None),
        ([claim(ANNA, contact=1, until=9), claim(BEN, contact=2, until=8)], ANNA, "conflict", None),
        ([claim(CARL, contact=1, until=9), claim(BEN, contact=2, until=8)], ANNA, "conflict", None),
        ([claim(BEN, contact=1, until=9), claim(BEN, contact=5, until=5)], ANNA, "help", BEN),
    ],
)
def test_a_meeting_is_judged(claims: list[Claim], host: object, kind: str, holder: object) -> None:
    verdict = judge(claims, host, NOW)  # type: ignore[arg-type]
    assert (verdict.kind, verdict.holder) == (kind, holder)


def test_the_latest_contact_stands_first() -> None:
    verdict = judge([claim(ANNA, contact=5, until=5), claim(BEN, contact=1, until=9)], CARL, NOW)
    assert [one.holder for one in verdict.claims] == [BEN, ANNA]


@pytest.mark.parametrize(
    ("kind", "minutes", "outcome", "counts"),
    [
        ("call", None, "", False),
        ("call", 0, None, False),
        ("call", 4, None, True),
        ("call", None, "Wants the red one", True),
        ("meeting", None, None, True),
        ("mail", 5, "Sent", False),
        ("note", None, "x", False),
    ],
)
def test_only_talks_count(kind: str, minutes: int | None, outcome: str | None, counts: bool) -> None:
    assert effective(kind, minutes, outcome) is counts


@pytest.mark.parametrize(
    ("first", "second", "shares"),
    [
        ("50", "50", {str(ANNA): 50, str(BEN): 50}),
        ("100", "", {str(ANNA): 100}),
        ("60", "50", None),
        ("-10", "110", None),
        ("a", "100", None),
    ],
)
def test_shares_make_a_whole(first: str, second: str, shares: dict[str, int] | None) -> None:
    assert read_shares({str(ANNA): first, str(BEN): second}, [ANNA, BEN]) == shares


def test_the_tenant_sets_the_days() -> None:
    rules = Rules(walk_in_days=1, quote_days=60)
    assert (rules.days("walk_in"), rules.days("contact"), rules.days("quote")) == (1, 10, 60)
