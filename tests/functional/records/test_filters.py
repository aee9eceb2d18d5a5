"""Filters of lists, over every kind of field, and what their chips say."""

import datetime as dt
import re

import pytest
from babel.dates import format_date

from kehu.core import clock


def names(text):
    return sorted(re.findall(r"data-row-link>([^<]+)</a>", text))


def chip(text, key):
    return re.search(rf'data-chip="{key}"[^>]*><span>([^<]+)</span>', text)[1]


@pytest.fixture
def deals(shop, make):
    """Three deals of different worth, date and owner."""
    other = shop.member("manager", name="Kai Jensen")
    (customer,) = make("Northwind")
    day = clock.today(shop.tenant.tz)
    make(
        {"name": "Small", "amount": "100", "expected_close": day.isoformat(), "customer_id": str(customer)},
        {"name": "Large", "amount": "90000", "expected_close": (day + dt.timedelta(days=40)).isoformat()},
        {"name": "Theirs", "amount": "500", "owner_id": str(other.member_id)},
        kind="deals",
    )
    return customer, other


@pytest.mark.parametrize(
    ("query", "found", "key", "said"),
    [
        ("amount.gte=400&amount.lte=1000", ["Theirs"], "amount", "400 to 1000"),
        ("amount.gte=1000", ["Large"], "amount", "from 1000"),
        ("amount.lte=100", ["Small"], "amount", "up to 100"),
        ("amount=100", ["Small"], "amount", "100"),
        (
            "expected_close.gte=today&expected_close.lte=today%2B30",
            ["Small"],
            "expected_close",
            "TODAY to LATER",
        ),
        ("expected_close.empty=1", ["Theirs"], "expected_close", "none"),
        ("expected_close.empty=0", ["Large", "Small"], "expected_close", "some"),
        ("owner_id=me", ["Large", "Small"], "owner_id", "me"),
        ("owner_id=none", [], "owner_id", "nobody"),
        ("owner_id=OTHER", ["Theirs"], "owner_id", "Kai Jensen"),
        ("customer_id=CUSTOMER", ["Small"], "customer_id", "Northwind"),
        ("customer_id=01939000-0000-7000-8000-000000000000", [], "customer_id", "unknown"),
        ("status=open", ["Large", "Small", "Theirs"], "status", "Open"),
        ("status.ne=open", [], "status", "Open"),
    ],
)
def test_deals(shop, browser, deals, query, found, key, said):
    customer, other = deals
    query = query.replace("OTHER", str(other.member_id)).replace("CUSTOMER", str(customer))
    for word, days in (("TODAY", 0), ("LATER", 30)):
        day = clock.today(shop.tenant.tz) + dt.timedelta(days=days)
        said = said.replace(word, format_date(day, "medium", locale="en"))
    text = browser.get(f"/deals?{query}").text
    assert names(text) == found
    assert said in chip(text, key)
    assert browser.get(f"/deals/filter/{key}?{query}", target=f"div#chip-{key}").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("expected_close.gte=today", 2),
        ("expected_close.lte=today", 1),
        ("expected_close.lte=today-1", 0),
        ("expected_close.gte=today-xx", "is no day"),
        ("expected_close.gte=2026-02-30", "no day"),
        ("amount.gte=abc", "is no number"),
        ("amount.starts=1", "filtered in this way"),
        ("owner_id=nonsense", "Choose one"),
        ("nonsense=1", 3),
        ("q=%21%21", 0),
        ("tags=VIP", 0),
    ],
)
def test_values_that_make_sense_and_none(browser, deals, query, found):
    text = browser.get(f"/deals?{query}", target="div#list").text
    if isinstance(found, int):
        assert len(names(text)) == found
    else:
        assert found in text


def test_lists_of_every_kind_are_drawn(browser, deals, make):
    customer, _other = deals
    make({"name": "Anna", "customer_id": str(customer), "phones": "+44 20 7946 0001"}, kind="contacts")
    make({"name": "Oak desk", "price": "99.50"}, kind="products")
    make({"subject": "Scratch", "customer_id": str(customer)}, kind="tickets")
    make({"kind": "call", "subject": "Call", "customer_id": str(customer)}, kind="activities")
    for kind, part in (
        ("contacts", f'<a href="/customers/{customer}">Northwind</a>'),
        ("deals", "£90,000"),
        ("products", "£99.50"),
        ("tickets", "Scratch"),
        ("activities", "Call"),
    ):
        answer = browser.get(f"/{kind}?view=all")
        assert part in answer.text, kind
        assert browser.get(f"/{kind}/export.csv").status_code == 200
        assert browser.get(f"/{kind}/new", target="dialog#dialog").status_code == 200


def test_history_writes_every_kind_in_words(browser, deals, read):
    customer, other = deals
    changes = {
        "owner_id": str(other.member_id),
        "revenue": "1200",
        "employees": "12000",
        "website": "example.com",
        "emails.address": "a@example.com",
        "__has.emails": "1",
        "tags": "VIP",
        "type_class": "partner",
        "parent_id": "",
    }
    form = {"name": "Northwind", "version": "1", **changes}
    assert browser.post(f"/customers/{customer}/edit", form).status_code == 204
    text = browser.get(f"/customers/{customer}/history", target="dialog#dialog").text
    for part in ("Kai Jensen", "£1,200", "12,000", "https://example.com", "a@example.com", "VIP", "Partner"):
        assert part in text, part
    assert (
        browser.post(f"/customers/{customer}/trash?stay=1").headers["HX-Trigger"].count("kehu:refresh") == 1
    )
    assert browser.post(f"/trash/customers/{customer}/restore").status_code == 204
    (entry,) = set(re.findall(r"history/([0-9a-f-]{36})/undo", text))
    assert browser.post(f"/customers/{customer}/history/{entry}/undo").status_code == 204
    assert read(customer).website is None


def test_long_history_has_pages(browser, make, shop):
    (customer,) = make("Northwind")
    from kehu.core.records.service import service_for

    for n in range(35):
        with shop.work() as session:
            service_for("customers", session).update(customer, {"region": f"Region {n}"})
    text = browser.get(f"/customers/{customer}/history", target="dialog#dialog").text
    more = re.search(r'hx-get="([^"]+before=[^"]+)"', text)[1].replace("&amp;", "&")
    rest = browser.get(more, target="li#x").text
    assert "created it" in rest
    assert "k-dialog-head" not in rest


def test_trash_of_one_kind(browser, make):
    (one,) = make("A")
    browser.post(f"/customers/{one}/trash")
    assert "data-row" in browser.get("/trash?type=customers").text
    assert "The trash is empty" in browser.get("/trash?type=deals").text
    assert "data-row" in browser.get("/trash?type=nonsense&after=garbage~x").text
    assert browser.post(f"/trash/nonsense/{one}/restore").status_code == 404


def test_up_to_a_day_holds_the_whole_day(browser, make):
    make("A")
    for query, count in (("gte=today", 1), ("lte=today", 1), ("lte=today-1", 0), ("gte=today%2B1", 0)):
        assert len(names(browser.get(f"/customers?created_at.{query}").text)) == count, query
