"""Look-ups of kinds without search terms: stages and queues that every firm starts with."""

import pytest


@pytest.mark.parametrize(
    ("kind", "typed", "text"),
    [
        ("stages", "qua", "Qualified"),
        ("stages", "sent", "Proposal sent"),
        ("stages", "", "Negotiation"),
        ("queues", "compl", "Complaints"),
        ("queues", "SUP", "Support"),
    ],
)
def test_what_every_firm_has_is_found_by_typing(browser, kind, typed, text):
    assert text in browser.get(f"/lookup/{kind}?q={typed}", target="ul#list").text


def test_stages_are_told_apart_by_their_pipeline(browser):
    text = browser.get("/lookup/stages?q=qualified", target="ul#list").text
    assert "Sales" in text
    assert "Negotiation" not in text


def test_nothing_fits(browser):
    assert "Nothing found" in browser.get("/lookup/stages?q=zzz", target="ul#list").text
