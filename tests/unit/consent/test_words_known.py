"""A message to be checked names a channel and a purpose that exist."""

from __future__ import annotations

import pytest

from kehu.consent.gate import Outgoing


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"purpose": "service", "channel": "email"},
            "no channel 'email'. There are: mail, phone, sms, post.",
        ),
        ({"purpose": "news"}, "no purpose 'news'"),
    ],
)
def test_another_word_is_refused_at_once(values: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Outgoing(**values)
