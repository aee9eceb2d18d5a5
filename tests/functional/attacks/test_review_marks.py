"""Letters at the edges of Unicode, of which no next one exists, in everything that searches by beginnings."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from kehu.core.search import end_of
from kehu.testkit.fixtures import Shop

EDGES = ("a\U0010ffff", "a\ud7ff", "a\ud7fb", "\ufdd0", "%", "_", "#")
PLACES = (
    "/lookup/tags?of=customers&q=",
    "/lookup/customers?q=",
    "/customers?q=",
    "/customers?tags=",
    "/search?q=",
    "/palette?q=",
    "/settings/members?q=",
)


@pytest.mark.parametrize("place", PLACES)
def test_no_letter_breaks_a_search(shop: Shop, place: str) -> None:
    client = shop.client()
    for text in EDGES:
        assert client.get(place + quote(text)).status_code == 200, repr(text)


def test_the_end_of_a_beginning_can_be_written() -> None:
    assert end_of("ab") == "ac"
    assert end_of("a\ud7ff") == "a\ue000"
    assert end_of("a\U0010ffff") == "a\U0010ffff"
