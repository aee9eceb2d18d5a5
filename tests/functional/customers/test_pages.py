"""The pages of customers and contacts: what they show, to whom, and with how many statements."""

import pytest

from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import count_queries


@pytest.fixture
def northwind(shop):
    """A customer with a contact, a deal, a ticket and activities."""
    with shop.work() as session:
        customer = (
            service_for("customers", session).create({"name": "Northwind Joinery", "industry": "Joinery"}).id
        )
        link = {"customer_id": str(customer)}
        contact = (
            service_for("contacts", session).create({"name": "Ibrahim Dahl", "job_title": "Buyer", **link}).id
        )
        service_for("deals", session).create({"name": "Service plan", "amount": "12400", **link})
        service_for("deals", session).create(
            {"name": "Lease", "amount": "1450", "contact_id": str(contact), **link}
        )
        service_for("tickets", session).create({"subject": "Scratch on panel", **link})
        activities = service_for("activities", session)
        activities.create({"kind": "task", "subject": "Call back Anna", **link})
        activities.create({"kind": "note", "body": "Likes oak", "contact_id": str(contact)})
    with shop.work() as session:
        service_for("customers", session).update(customer, {"industry": "Bespoke joinery"})
    return customer, contact


def test_customer_page_shows_everything_in_ten_statements(shop, northwind):
    client = shop.client()
    client.get(f"/customers/{northwind[0]}")
    with count_queries() as statements:
        answer = client.get(f"/customers/{northwind[0]}")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert len(statements) <= 9, "\n".join(statements.texts)
    for part in (
        "Northwind Joinery",
        "Ibrahim Dahl",
        "Service plan",
        "£13,850",
        "Scratch on panel",
        "Call back Anna",
    ):
        assert part in text
    for part in (
        "wrote a note",
        ">Service plan<",
        ">Scratch on panel<",
        "from Joinery to Bespoke joinery",
        "Save note",
    ):
        assert part in text


def test_statements_do_not_grow_with_the_story(shop, northwind):
    with shop.work() as session:
        service = service_for("activities", session)
        for number in range(60):
            service.create({"kind": "note", "body": f"Note {number}", "customer_id": str(northwind[0])})
    client = shop.client()
    with count_queries() as statements:
        answer = client.get(f"/customers/{northwind[0]}")
    assert len(statements) <= 9, "\n".join(statements.texts)
    assert "Older" in answer.get_data(as_text=True)


def test_contact_page(shop, northwind):
    with count_queries() as statements:
        answer = shop.client().get(f"/contacts/{northwind[1]}")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert len(statements) <= 9, "\n".join(statements.texts)
    assert "Lease" in text
    assert "Service plan" not in text
    assert "Likes oak" in text


def test_viewer_reads_and_is_offered_nothing_to_write(shop, northwind):
    client = shop.client(shop.member("viewer"))
    text = client.get(f"/customers/{northwind[0]}").get_data(as_text=True)
    assert "Likes oak" in text
    for part in ('id="composer"', "/activities/log", "data-edit-url", "/deals/new", 'type="file"', "/done"):
        assert part not in text


def test_without_deals_read_no_deal_shows_anywhere(shop, northwind):
    from sqlalchemy import select

    from kehu.members.models import Role

    viewer = shop.member("viewer")
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        role.permissions = {
            key: scope for key, scope in role.permissions.items() if not key.startswith("deals:")
        }
    text = shop.client(viewer).get(f"/customers/{northwind[0]}").get_data(as_text=True)
    assert "Ibrahim Dahl" in text
    for part in ("Service plan", "Lease", "13,850", "Open deals", "?line=deals"):
        assert part not in text


def test_foreign_and_unknown_customers_do_not_exist(shop, other_shop, northwind):
    client = other_shop.client()
    assert client.get(f"/customers/{northwind[0]}").status_code == 404
    assert client.get(f"/contacts/{northwind[1]}").status_code == 404
    assert shop.client().get(f"/customers/{new_id()}").status_code == 404
    assert shop.client().get("/customers/1").status_code == 404


def test_names_are_escaped(shop):
    with shop.work() as session:
        made = (
            service_for("customers", session).create({"name": "<script>alert(1)</script>", "tags": "<b>x"}).id
        )
        service_for("activities", session).create(
            {"kind": "note", "body": "<img src=x hx-get=/y>", "customer_id": str(made)}
        )
    text = shop.client().get(f"/customers/{made}").get_data(as_text=True)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "<b>x" not in text
