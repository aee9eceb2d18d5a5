"""The home page: one's own day, numbers within one's rights, few statements."""

import datetime as dt

import pytest

from kehu.activities.services import ActivityService
from kehu.core import clock
from kehu.customers.services import CustomerService
from kehu.dashboard import numbers
from kehu.deals.services import DealService
from kehu.testkit.fixtures import count_queries
from kehu.tickets.services import TicketService


@pytest.fixture
def filled(shop):
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "Northwind Joinery", "type_class": "existing"})
        deals = DealService(session)
        one = deals.create({"name": "Shop fit-out", "amount": "1200", "customer_id": customer.id})
        two = deals.create({"name": "Reception desk", "amount": "900"})
        three = deals.create({"name": "Stairs", "amount": "500"})
        deals.win(two.id)
        deals.lose(three.id, "Too dear")
        activities = ActivityService(session)
        late = clock.now() - dt.timedelta(hours=5)
        call = activities.create(
            {"kind": "call", "subject": "Call back", "due_at": late, "customer_id": customer.id}
        )
        TicketService(session).create({"subject": "Scratch"})
        return {"deal": one.id, "call": call.id, "customer": customer.id}


def test_an_empty_firm_is_led_on(shop):
    text = shop.client().get("/").get_data(as_text=True)
    assert "Nothing is due today." in text
    assert "Every open deal has a next step." in text
    assert "Revenue won" in text


def test_what_the_day_asks_for(shop, filled):
    text = shop.client().get("/").get_data(as_text=True)
    assert "Call back" in text
    assert "k-tone-bad" in text
    assert "£900" in text
    assert "50 %" in text
    assert "Shop fit-out" in text
    assert "1 ticket waits" in text


def test_numbers_are_ones_own_or_everybodys(shop, filled):
    member = shop.member("member")
    client = shop.client(member)
    mine = client.get("/").get_data(as_text=True)
    assert "£900" not in mine
    assert "Call back" not in mine
    assert "£900" in client.get("/?who=all").get_data(as_text=True)
    assert client.get("/?who=nonsense&months=99").status_code == 200


def test_other_firms_stay_unseen(other_shop, filled):
    text = other_shop.client().get("/").get_data(as_text=True)
    assert "Shop fit-out" not in text
    assert "£900" not in text


def test_few_statements(shop, filled):
    client = shop.client()
    client.get("/")
    with count_queries() as found:
        client.get("/")
    assert len(found) <= 10, found.texts


def test_neglected_customers_are_named(shop, filled):
    with clock.ahead(dt.timedelta(days=90)):
        text = shop.client().get("/").get_data(as_text=True)
    assert "Not heard from for 60 days" in text
    assert "Northwind Joinery" in text


def test_putting_off(shop, filled):
    client = shop.client()
    answer = client.post(f"/activities/{filled['call']}/snooze?until=week", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    with shop.work() as session:
        assert ActivityService(session).get(filled["call"]).due_at > clock.now() + dt.timedelta(days=6)
    client.post(f"/activities/{filled['call']}/snooze?until=hours")
    with shop.work() as session:
        due = ActivityService(session).get(filled["call"]).due_at
    assert clock.now() < due < clock.now() + dt.timedelta(hours=4)
    assert shop.client(shop.member("viewer")).post(f"/activities/{filled['call']}/snooze").status_code == 403


def test_signed_out_people_are_sent_to_the_door(shop):
    assert shop.app.test_client().get("/").status_code in (200, 303)


def test_changes_are_written_plainly():
    assert numbers.change(110, 100) == ("+10 %", True)
    assert numbers.change(90, 100) == (f"{numbers.MINUS}10 %", False)
    assert numbers.change(100, 100) == ("±0 %", None)
    assert numbers.change(5, 0) == ("", None)
    assert numbers.month_back(dt.date(2026, 1, 15), 1) == dt.date(2025, 12, 1)
    assert len(numbers.Months.until(dt.date(2026, 11, 22), 12).starts) == 12
