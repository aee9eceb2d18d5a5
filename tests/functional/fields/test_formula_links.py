"""SAS-09: look-ups and roll-ups are formulas that read other records, and follow when those change."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from kehu.core import context
from kehu.core.errors import InvalidInput
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.fields.changing import ChangeService, Wish
from kehu.merging.services import MergeService
from kehu.testkit.queue import work_off


@pytest.fixture
def make(shop):
    def made(kind, **values):
        with shop.work() as session:
            found = service_for(kind, session).create(values).id
        work_off(shop)
        return found

    return made


@pytest.fixture
def change(shop):
    def changed(name, record_id, **values):
        with shop.work() as session:
            service_for(name, session).update(record_id, values)
        work_off(shop)

    return changed


@pytest.fixture
def value(shop):
    def read(name, record_id, key):
        with shop.work() as session:
            model = get(name).model
            record = session.execute(select(model).where(model.id == record_id)).scalar_one()
            return getattr(record, key)

    return read


def test_a_look_up_follows_the_other_record(shop, make_field, make, change, value):
    make_field("Zone", on="customers")
    key = make_field("Where", "text", on="deals", formula="concat(customer.c_zone, '!')")
    first, second = (
        make("customers", name="One", c_zone="North"),
        make("customers", name="Two", c_zone="South"),
    )
    deal = make("deals", name="Shelf", customer_id=first)
    assert value("deals", deal, key) == "North!"
    version = value("deals", deal, "version")
    change("customers", first, c_zone="East")
    assert value("deals", deal, key) == "East!"
    assert value("deals", deal, "version") == version
    change("deals", deal, customer_id=second)
    assert value("deals", deal, key) == "South!"
    with shop.work() as session:
        service_for("customers", session).update(second, {"c_zone": None})
    work_off(shop)
    assert value("deals", deal, key) == "!"
    assert "South" not in shop.client().get(f"/deals/{deal}").text


def test_roll_ups_follow_what_points_here(shop, make_field, make, change, value):
    total = make_field("Total", "money", formula="sum(deals.amount, 'status=open')", in_list=True)
    many = make_field("Deals", "number", formula="count(deals)")
    next_on = make_field("Next", "date", formula="smallest(deals.expected_close)")
    one, two = make("customers", name="One"), make("customers", name="Two")
    assert (value("customers", one, total), value("customers", one, many)) == (0, 0)
    first = make("deals", name="A", customer_id=one, amount="100", expected_close="2026-12-24")
    second = make("deals", name="B", customer_id=one, amount="50", expected_close="2026-12-01")
    assert (value("customers", one, total), value("customers", one, many)) == (15000, 2)
    assert value("customers", one, next_on).isoformat() == "2026-12-01"
    change("deals", second, customer_id=two)
    assert (value("customers", one, total), value("customers", two, total)) == (10000, 5000)
    with shop.work() as session:
        service_for("deals", session).trash(first)
    work_off(shop)
    assert (value("customers", one, total), value("customers", one, many)) == (0, 0)
    with shop.work() as session:
        service_for("deals", session).restore(first)
    work_off(shop)
    assert value("customers", one, total) == 10000
    assert value("customers", one, "version") == 1
    change("deals", first, currency="USD")
    assert value("customers", one, total) is None
    assert "be reckoned together" in shop.client().get(f"/customers/{one}").text


def test_a_merge_brings_the_sums_together_and_parts_them(shop, make_field, make, value):
    many = make_field("Deals", "number", formula="count(deals)")
    keep, drop = make("customers", name="One"), make("customers", name="Won")
    make("deals", name="A", customer_id=keep)
    make("deals", name="B", customer_id=drop)
    with shop.work() as session:
        merge_id = MergeService(session, "customers").merge(keep, drop).id
    work_off(shop)
    assert value("customers", keep, many) == 2
    with shop.work() as session:
        MergeService(session, "customers").undo(merge_id)
    work_off(shop)
    assert (value("customers", keep, many), value("customers", drop, many)) == (1, 1)


def test_own_amounts_and_formulas_are_summed_and_looked_up(shop, make_field, make, change, value):
    make_field("Cost", "money", on="deals")
    make_field("Margin", "money", on="deals", formula="amount - c_cost")
    key = make_field("Margins", "money", formula="sum(deals.c_margin)")
    share = make_field("Share", "decimal", on="deals", formula="round(c_margin / customer.c_margins, 2)")
    one = make("customers", name="One")
    deal = make("deals", name="A", customer_id=one, amount="100", c_cost="40")
    make("deals", name="B", customer_id=one, amount="100", c_cost="60")
    assert value("customers", one, key) == 10000
    assert value("deals", deal, share) == Decimal("0.6")
    change("deals", deal, c_cost="90")
    assert (value("customers", one, key), value("deals", deal, share)) == (5000, Decimal("0.2"))


def test_circles_through_other_records_are_refused(shop, make_field):
    make_field("Weight", "decimal", on="deals", formula="1")
    make_field("Weights", "decimal", formula="sum(deals.c_weight)")
    with shop.work() as session:
        row = session.execute(select(CustomField).where(CustomField.label == "Weight")).scalar_one()
        with pytest.raises(InvalidInput) as refused:
            service_for("custom_fields", session).update(row.id, {"formula": "customer.c_weights * 2"})
    assert "Weight → customer: Weights → Weight" in refused.value.fields["formula"][0]


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("dael.amount", "leads nowhere from here"),
        ("deals.amount", "leads nowhere from here"),
        ("sum(parent.credit)", "leads nowhere from here"),
        ("sum(deals.nothing)", "no field “nothing”"),
        ("sum(deals.name)", "is no number"),
        ("count(deals, 'status=flying')", "is no choice"),
        ("count(deals, 'owner_id=1')", "is no choice"),
    ],
)
def test_ways_that_are_not_there_are_refused(make_field, formula, told):
    with pytest.raises(InvalidInput) as refused:
        make_field("Odd", "number", formula=formula)
    assert told in refused.value.fields["formula"][0]


def test_retiring_a_field_names_the_formulas_of_other_records(shop, make_field):
    make_field("Zone", on="customers")
    make_field("Where", "text", on="deals", formula="customer.c_zone")
    with shop.work() as session:
        field_id = session.execute(select(CustomField.id).where(CustomField.label == "Zone")).scalar_one()
        assert context.tenant()
    text = shop.client().get(f"/settings/fields/{field_id}/retire", headers={"HX-Request": "true"}).text
    assert "deal: Where" in text
    text = shop.client().get("/settings/fields/formula/new?of=customers", headers={"HX-Request": "true"}).text
    assert "count(deals)" in text


def test_a_summed_field_that_holds_texts_now_gives_nothing(shop, make_field, make, value):
    make_field("Effort", "number", on="deals")
    key = make_field("Efforts", "number", formula="sum(deals.c_effort)")
    one = make("customers", name="One")
    make("deals", name="A", customer_id=one, c_effort="4")
    assert value("customers", one, key) == 4
    with shop.work() as session:
        row = session.execute(select(CustomField).where(CustomField.label == "Effort")).scalar_one()
        ChangeService(session).start(row.id, Wish(kind="text"))
        shop.tenant = context.tenant()
    work_off(shop)
    assert value("customers", one, key) is None
    make("deals", name="B", customer_id=one, c_effort="many")
    assert "There is no field" in shop.client().get(f"/customers/{one}").text
