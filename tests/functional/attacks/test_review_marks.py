"""Letters at the edges of Unicode, of which no next one exists, in everything that searches by beginnings."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from kehu.core.records.service import service_for
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


@pytest.mark.parametrize("number", ["\u00b2", "\u0663", "-1", "9" * 5000, "", "1e9"])
def test_no_number_breaks_a_page(shop: Shop, number: str) -> None:
    with shop.work() as session:
        deal = service_for("deals", session).create({"name": "Boat"})
        deal_id, stage_id = deal.id, deal.stage_id
    client, written = shop.client(), quote(number)
    for path in (
        f"/customers?after=&at={written}",
        f"/deals/{deal_id}/position?at={written}",
        f"/customers/bulk/set.owner_id?count={written}",
        f"/deals/board/more/{stage_id}?waiting={written}",
        f"/deals/{deal_id}/lost?version={written}",
    ):
        assert client.get(path).status_code < 500, path[:60]
    for path in (f"/deals/{deal_id}/move", f"/deals/{deal_id}/field/name", f"/deals/{deal_id}/edit"):
        answer = client.post(path, data={"version": number, "stage": str(stage_id), "name": "Boat"})
        assert answer.status_code < 500, path


def test_the_end_of_a_beginning_can_be_written() -> None:
    assert end_of("ab") == "ac"
    assert end_of("a\ud7ff") == "a\ue000"
    assert end_of("a\U0010ffff") == "a\U0010ffff"
