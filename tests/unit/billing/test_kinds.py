"""One installation serves one kind of customers; what it must not serve, it names with the remedy."""

from __future__ import annotations

import pytest

from billing.kinds import kind_of, problem


@pytest.mark.parametrize(
    ("mode", "live", "kind"),
    [
        ("off", False, ""),
        ("demo", False, "demo"),
        ("manual", False, "manual"),
        ("stripe", False, "test"),
        ("stripe", True, "live"),
    ],
)
def test_modes_make_kinds(mode: str, live: bool, kind: str) -> None:
    assert kind_of(mode, live=live) == kind


@pytest.mark.parametrize("served", ["", "demo", "manual", "test", "live"])
def test_what_is_meant_is_served(served: str) -> None:
    assert problem(served, set()) == ""
    assert problem(served, {served} - {""}) == ""


@pytest.mark.parametrize(
    ("served", "found", "said"),
    [
        ("live", {"live", "demo"}, ("the live key", "firms with a plan of the demo", "--kind demo")),
        ("live", {"test"}, ("customers of Stripe's test mode", "with a test key again", "--kind test")),
        ("test", {"live"}, ("with a test key", "customers of Stripe's live mode", "with the live key again")),
        ("demo", {"demo", "live"}, ("KEHU_BILLING_MODE=demo", "live mode", "--kind live")),
        ("manual", {"demo"}, ("KEHU_BILLING_MODE=manual", "--kind demo")),
        ("", {"live", "demo"}, ("KEHU_BILLING_MODE=off", "live mode")),
    ],
)
def test_another_kind_is_refused_with_the_remedy(served: str, found: set[str], said: tuple[str, ...]) -> None:
    text = problem(served, found)
    for part in (*said, "kehu billing check"):
        assert part in text


@pytest.mark.parametrize("found", [{"demo"}, {"manual"}, {"test"}])
def test_off_charges_nobody_and_may_serve_them(found: set[str]) -> None:
    assert problem("", found) == ""
