"""Filters with groups, relative days and related records."""

import datetime as dt

import pytest

from kehu.core import clock
from kehu.core.errors import InvalidInput
from kehu.core.records import asking, listing, periods, related, where
from kehu.core.records.listing import ListQuery
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.core.records.where import Group, Test, Where


def names(session, kind, written, actor=None):
    page = listing.page(session, get(kind), ListQuery(args={"where": written, "sort": "name"}), actor)
    return [row["name"] for row in page.rows]


@pytest.fixture
def filled(session):
    customers = service_for("customers", session)
    rows = [
        {"name": "Anvil Works", "value_class": "A", "tags": "VIP", "employees": 3},
        {"name": "Bench", "value_class": "B", "addresses": [{"city": "Berlin"}]},
        {"name": "Chisel, (Ltd)", "owner_id": None},
    ]
    anvil, bench, chisel = (customers.create(one) for one in rows)
    deals = service_for("deals", session)
    deals.create({"name": "Big", "amount": "5000", "customer_id": anvil.id})
    deals.create({"name": "Small", "amount": "50", "customer_id": bench.id})
    deals.create({"name": "Done", "amount": "9000", "customer_id": bench.id})
    service_for("contacts", session).create({"name": "Ann", "customer_id": anvil.id})
    service_for("contacts", session).create({"name": "Bo", "customer_id": bench.id})
    return anvil, bench, chisel


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a:1", "a:1"),
        ("a:1,b.gte:2", "a:1,b.gte:2"),
        ("or(a:1,b:2)", "or(a:1,b:2)"),
        ("or(a:1,and(b:2,c:3))", "or(a:1,and(b:2,c:3))"),
        ("or(a:1,b:2),c:3", "or(a:1,b:2),c:3"),
        ("a:1,or(b:2,c:3),d:4", "a:1,d:4,or(b:2,c:3)"),
        ("and(a:1,b:2)", "a:1,b:2"),
        ("deals()", "deals()"),
        ("!deals(a:1,b:2)", "!deals(a:1,b:2)"),
        ("deals(or(a:1,b:2)), x:1", "deals(or(a:1,b:2)),x:1"),
        ("or(deals(a:1),b:2)", "or(deals(a:1),b:2)"),
        ('name:"a, (b) \\"c\\""', 'name:"a, (b) \\"c\\""'),
        ("a: x y ", "a:x y"),
        ("a:王小明|x", "a:王小明|x"),
    ],
)
def test_the_language_is_read_and_written_in_one_form(text, written):
    assert str(where.parse(text)) == written
    assert where.parse(written) == where.parse(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a", "“a”"),
        ("a:1)", "“)”"),
        ("or(a:1", "“or(a:1”"),
        ("a:1,or(b:2,or(c:3,or(d:4)))", "or(c:3,or(d:4))"),
        ("deals(contacts(a:1))", "contacts(a:1)"),
        ("!or(a:1)", "!or(a:1)"),
        ("a:x(y", "a:x(y"),
        ("or()", "or()"),
        ("a:1,,b:2", ""),
        (",".join(["a:1"] * 41), "40"),
        ("a:" + "x" * 3000, "too long"),
        ("((((((", ""),
    ],
)
def test_what_can_not_be_read_is_named(text, part):
    with pytest.raises(InvalidInput) as refused:
        where.parse(text)
    assert part in refused.value.message
    assert list(refused.value.fields) == ["where"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("value_class:A", ["Anvil Works"]),
        ("value_class:A|B", ["Anvil Works", "Bench"]),
        ("value_class.ne:A", ["Bench", "Chisel, (Ltd)"]),
        ("value_class.ne:none", ["Anvil Works", "Bench"]),
        ("value_class.empty:1", ["Chisel, (Ltd)"]),
        ("or(value_class:A,owner_id:none)", ["Anvil Works", "Chisel, (Ltd)"]),
        ("or(and(value_class:A,owner_id:none),value_class:B)", ["Bench"]),
        ("tags:vip", ["Anvil Works"]),
        ("tags.ne:vip", ["Bench", "Chisel, (Ltd)"]),
        ("name.word:ltd", ["Chisel, (Ltd)"]),
        ("name.word:berlin", []),
        ("q:berlin", ["Bench"]),
        ("created_at:today", ["Anvil Works", "Bench", "Chisel, (Ltd)"]),
        ("created_at:this-month,created_at.gte:today", ["Anvil Works", "Bench", "Chisel, (Ltd)"]),
        ("created_at:over-3-days-ago", []),
        ("created_at.ne:today", []),
        ("created_at:last-7-days,value_class:B", ["Bench"]),
        ("deals()", ["Anvil Works", "Bench"]),
        ("!deals()", ["Chisel, (Ltd)"]),
        ("deals(status:open,amount.gte:1000)", ["Anvil Works", "Bench"]),
        ("deals(amount.lte:100)", ["Bench"]),
        ("!deals(amount.lte:100)", ["Anvil Works", "Chisel, (Ltd)"]),
        ("deals(or(amount.lte:100,amount.gte:8000))", ["Bench"]),
        ("or(deals(amount.lte:100),value_class:A)", ["Anvil Works", "Bench"]),
        ("contacts(q:ann)", ["Anvil Works"]),
        ("open_deal:1,deals(amount.gte:8000)", ["Bench"]),
    ],
)
def test_customers(session, filled, written, found):
    assert names(session, "customers", written) == found
    assert listing.count(session, get("customers"), {"where": written}) == len(found)


@pytest.mark.parametrize(
    ("kind", "written", "found"),
    [
        ("contacts", "customer(q:Berlin)", ["Bo"]),
        ("contacts", "customer(tags:vip)", ["Ann"]),
        ("contacts", "customer(open_deal:1,value_class:A)", ["Ann"]),
        ("deals", "customer(tags:vip)", ["Big"]),
        ("deals", "!customer(tags:vip),amount.gte:100", ["Done"]),
        ("deals", "customer(name.word:anvil)", ["Big"]),
    ],
)
def test_related_records(session, filled, kind, written, found):
    assert names(session, kind, written) == found


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("nothing:1", "nothing:1"),
        ("employees.gte:many", "employees"),
        ("value_class:Z", "value_class:Z"),
        ("value_class.gte:A", "value_class.gte:A"),
        ("cars(a:1)", "cars"),
        ("deals(amount.gte:x)", "amount.gte:x"),
        ("created_at:", "created_at:"),
        ("created_at:last-99999-days", "99999"),
        ("created_at:over-3-days-ahed", "ahed"),
        ("created_at.gte:over-3-days-ago", "over-3-days-ago"),
        ("q:!!", "q:!!"),
    ],
)
def test_what_makes_no_sense_is_named(session, filled, written, part):
    with pytest.raises(InvalidInput, match="In the filter") as refused:
        names(session, "customers", written)
    assert part in refused.value.message


def test_related_records_keep_to_what_one_may_see(session, filled, shop):
    manager = shop.member("manager", name="Kai Jensen")
    own = {key: "own" if key.startswith("deals:") else scope for key, scope in manager.permissions.items()}
    narrow = type(manager)(**{**manager.__dict__, "permissions": own})
    assert names(session, "customers", "deals()", narrow) == []
    assert names(session, "customers", "!deals()", narrow) == ["Anvil Works", "Bench", "Chisel, (Ltd)"]
    blind = {key: scope for key, scope in manager.permissions.items() if not key.startswith("deals:")}
    without = type(manager)(**{**manager.__dict__, "permissions": blind})
    assert "deals" not in related.of(get("customers"), without)
    with pytest.raises(InvalidInput, match="nothing related called “deals”"):
        names(session, "customers", "!deals()", without)


@pytest.mark.parametrize(
    ("word", "first", "last"),
    [
        ("today", "2026-11-29", "2026-11-29"),
        ("yesterday", "2026-11-28", "2026-11-28"),
        ("this-week", "2026-11-23", "2026-11-29"),
        ("last-week", "2026-11-16", "2026-11-22"),
        ("next-month", "2026-12-01", "2026-12-31"),
        ("this-quarter", "2026-10-01", "2026-12-31"),
        ("next-quarter", "2027-01-01", "2027-03-31"),
        ("last-year", "2025-01-01", "2025-12-31"),
        ("last-30-days", "2026-10-30", "2026-11-29"),
        ("next-2-days", "2026-11-29", "2026-12-01"),
        ("over-10-days-ago", None, "2026-11-18"),
        ("over-10-days-ahead", "2026-12-10", None),
    ],
)
def test_days_named_from_today_on(monkeypatch, word, first, last):
    monkeypatch.setattr(clock, "today", lambda _zone: dt.date(2026, 11, 29))
    tenant = type("T", (), {"tz": dt.UTC})
    found = periods.span_of(word, tenant)
    days = [None if one is None else dt.date.fromisoformat(one) for one in (first, last)]
    assert [found.first, found.last] == days
    assert "-" not in periods.text_of(word)


def test_fields_that_can_be_asked(session):
    found = asking.askable(get("customers"))
    assert {"name", "value_class", "created_at", "tags", "open_deal"} <= found.keys()
    assert "website" not in found
    assert asking.operators(get("customers"), found["name"]) == ("word",)
    assert where.parse("").groups == ()
    assert str(Where(groups=[Group(tests=[Test(key="a", value="1")], join="or")])) == "a:1"
