"""Example data, loaded and removed."""

from __future__ import annotations

import pytest
from flask import Flask

from kehu.core.i18n import LOCALES
from kehu.core.records import listing
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.testkit.fixtures import Shop, make_shop

KINDS = ("customers", "contacts", "deals", "tickets", "activities")


def counts(shop: Shop) -> dict[str, int]:
    with shop.work() as session:
        return {kind: listing.count(session, registered()[kind], {}) for kind in KINDS}


@pytest.mark.parametrize("locale", list(LOCALES))
def test_example_data_comes_and_goes(app: Flask, locale: str) -> None:
    shop = make_shop(app, locale=locale)
    client = shop.client()
    assert client.post("/start/example").status_code == 303
    assert counts(shop) == {"customers": 5, "contacts": 5, "deals": 4, "tickets": 2, "activities": 3}
    page = client.get("/start").get_data(as_text=True)
    # It is no work of the firm's own, so no step is done by it.
    assert "data-done" not in page
    assert "/start/example/remove" in page
    assert client.post("/start/example").status_code == 409
    for path in ("/", "/deals/board", "/customers"):
        assert client.get(path).status_code == 200
    assert client.post("/start/example/remove").status_code == 303
    assert set(counts(shop).values()) == {0}
    assert 'action="/start/example"' in client.get("/start").get_data(as_text=True)


def test_it_can_be_removed_once_the_first_steps_are_put_away(shop: Shop) -> None:
    client = shop.client()
    assert "/start/example/remove" not in client.get("/settings/firm").text
    client.post("/start/example")
    client.post("/start/finish")
    assert 'action="/start/example/remove"' in client.get("/settings/firm").text
    answer = client.post("/start/example/remove", data={"back": "/settings/firm"})
    assert answer.headers["Location"] == "/settings/firm"
    assert "/start/example/remove" not in client.get("/settings/firm").text
    assert set(counts(shop).values()) == {0}
    assert (
        client.post("/start/example/remove", data={"back": "//evil.example"}).headers["Location"] == "/start"
    )


def test_what_was_added_meanwhile_stays(shop: Shop) -> None:
    client = shop.client()
    client.post("/start/example")
    with shop.work() as session:
        service_for("customers", session).create({"name": "A real one", "kind": "company"})
    assert client.get("/start").get_data(as_text=True).count("data-done") == 1
    client.post("/start/example/remove")
    client.post("/start/example/remove")
    assert counts(shop)["customers"] == 1


def test_only_those_who_set_the_firm_up(shop: Shop) -> None:
    client = shop.client(shop.member("member"))
    assert client.post("/start/example").status_code == 403
    assert "/start/example" not in client.get("/start").get_data(as_text=True)


def test_a_trade_can_be_chosen_anew(shop):
    client = shop.client()
    client.post("/start/trade", data={"trade": "craft"})
    page = client.get("/start").get_data(as_text=True)
    assert "Your trade: Craft and repairs" in page
    assert "What is your trade?" not in page
    assert "What is your trade?" in client.get("/start?again=1").get_data(as_text=True)
