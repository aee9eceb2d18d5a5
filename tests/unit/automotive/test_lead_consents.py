"""What lines of a comment say about being written to."""

from __future__ import annotations

import pytest

from plugins_builtin.automotive.leads.consents import said


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"Opt-in": "yes"}, {"mail": True}),
        ({"Opt in": "No"}, {"mail": False, "phone": False, "sms": False, "post": False}),
        ({"Email opt-in": "true"}, {"mail": True}),
        ({"SMS consent": "Y", "Consent to call": "n"}, {"sms": True, "phone": False}),
        ({"Marketing opt-out": "yes"}, {"mail": False, "phone": False, "sms": False, "post": False}),
        ({"Email opt-out": "no"}, {}),
        ({"Newsletter": "1", "opt-out": "yes"}, {"mail": False, "phone": False, "sms": False, "post": False}),
        ({"Budget": "yes", "Opt-in": "maybe later"}, {}),
    ],
)
def test_a_yes_is_taken_narrowly_and_a_no_widely(facts: dict[str, str], found: dict[str, bool]) -> None:
    assert {channel: agrees for channel, (agrees, _line) in said(facts).items()} == found
