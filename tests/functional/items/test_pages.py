"""The pages of owned items and their terms, the cards on customers and tickets, rights and statements."""

import datetime as dt
import re

import pytest

from kehu.core import clock
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import count_queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def pump(shop):
    """A customer's heat pump whose warranty ends in 40 days, and a ticket."""
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind Joinery"}).id
        given = {"name": "Heat pump", "serial": "HP-004711", "customer_id": str(customer)}
        item = service_for("owned_items", session).create(given).id
        today = clock.today(shop.tenant.tz)
        for days, kind in ((40, "warranty"), (200, "contract")):
            values = {
                "item_id": str(item),
                "kind": kind,
                "starts_on": (today - dt.timedelta(days=100)).isoformat(),
                "ends_on": (today + dt.timedelta(days=days)).isoformat(),
            }
            service_for("owned_item_terms", session).create(values)
        ticket = (
            service_for("tickets", session).create({"subject": "It hums", "customer_id": str(customer)}).id
        )
        return customer, item, ticket


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_item_page_in_few_statements(shop, pump):
    client, path = shop.client(), f"/owned_items/{pump[1]}"
    text_of(client, path)
    with count_queries() as statements:
        text = text_of(client, path)
    assert len(statements) <= 9, "\n".join(statements.texts)
    for part in ("HP-004711", "Northwind Joinery", "Warranty", "Service contract", "Renew", "Save note"):
        assert part in text
    card = text[text.index('id="terms-card"') :]
    assert card.index(">Warranty<") < card.index(">Service contract<")


def test_terms_that_end_soon(shop, pump):
    client = shop.client()
    first = client.get("/owned_item_terms")
    assert first.status_code == 303
    assert "view=d90" in first.headers["Location"]
    assert text_of(client, first.headers["Location"]).count("data-row=") == 1
    tabs = text_of(client, "/owned_item_terms?view=all")
    [d30] = re.findall(r'href="([^"]*view=d30)"', tabs)
    assert "Nothing in this view" in text_of(client, d30.replace("&amp;", "&"))
    with count_queries() as statements:
        text_of(client, first.headers["Location"])
    assert len(statements) <= 8, "\n".join(statements.texts)
    with shop.work() as session:
        service_for("owned_items", session).update(pump[1], {"status": "sold"})
    assert "data-row=" not in text_of(client, first.headers["Location"])


def test_card_on_the_customers_page(shop, pump):
    client = shop.client()
    text = text_of(client, f"/customers/{pump[0]}")
    assert "HP-004711" in text
    assert f"/owned_items/new?stay=1&amp;customer_id={pump[0]}" in text
    assert ">Heat pump<" in text


def test_a_ticket_is_about_an_item(shop, pump):
    client = shop.client()
    page = f"/tickets/{pump[2]}"
    assert ">About this<" in text_of(client, page)
    assert client.post(f"{page}/owned-item", data={"item_id": str(pump[1])}).status_code == 303
    with count_queries() as statements:
        text = text_of(client, page)
    assert len(statements) <= 13, "\n".join(statements.texts)
    assert text.count("Covered") == 2
    assert ">About this<" not in text
    line = text_of(client, f"/owned_items/{pump[1]}")
    assert "It hums" in line
    assert client.post(f"{page}/owned-item", data={"item_id": ""}).status_code == 303
    assert ">About this<" in text_of(client, page)


def test_a_note_on_an_item_stands_on_both_lines(shop, pump):
    client = shop.client()
    note = {"object": "owned_items", "record_id": str(pump[1]), "kind": "note", "text": "Filter was clogged"}
    assert client.post("/activities/log", data=note, headers=HTMX).status_code == 200
    for path in (f"/owned_items/{pump[1]}", f"/customers/{pump[0]}"):
        assert "Filter was clogged" in text_of(client, path)


def test_renew_in_a_dialog(shop, pump):
    client = shop.client()
    text = text_of(client, f"/owned_items/{pump[1]}")
    url = re.findall(r'hx-get="(/owned_item_terms/[^"]+/renew)"', text)[0]
    assert 'name="months"' in text_of(client, url)
    wrong = client.post(url, data={"starts_on": "never", "months": "12"}, headers=HTMX)
    assert wrong.status_code == 422
    assert 'value="never"' in wrong.get_data(as_text=True)
    good = {"starts_on": "2027-01-01", "months": "24", "price": "99.50"}
    assert client.post(url, data=good, headers=HTMX).status_code == 204
    assert "Renewed" in text_of(client, f"/owned_items/{pump[1]}")
    assert client.post(url, data=good, headers=HTMX).status_code == 409


def test_rights_and_foreign_firms(shop, other_shop, pump):
    viewer = shop.client(shop.member("viewer"))
    text = text_of(viewer, f"/owned_items/{pump[1]}")
    for part in ("/renew", "/owned_item_terms/new", "data-edit-url"):
        assert part not in text
    assert viewer.post(f"/tickets/{pump[2]}/owned-item", data={"item_id": str(pump[1])}).status_code == 403
    stranger = other_shop.client()
    assert stranger.get(f"/owned_items/{pump[1]}").status_code == 404
    with other_shop.work() as session:
        ticket = service_for("tickets", session).create({"subject": "Theirs"}).id
    answer = stranger.post(f"/tickets/{ticket}/owned-item", data={"item_id": str(pump[1])}, headers=HTMX)
    assert answer.status_code == 422
