"""SAS-09: formula fields are kept like own fields, follow each write, and can't be set by anybody."""

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import select

from kehu.core import context, hooks
from kehu.core.audit import AuditEntry
from kehu.core.errors import InvalidInput
from kehu.core.records import listing
from kehu.core.records.own_tables import CustomField, CustomIndex
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.customers.models import Customer
from kehu.testkit.queue import work_off

URL = "/settings/fields"
SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def make_formula(make_field):
    def make(label, formula, kind="decimal", **more):
        return make_field(label, kind, formula=formula, **more)

    return make


@pytest.fixture
def area(make_field, make_formula):
    """Return the keys of two sides and their area."""
    return (
        make_field("Long", "decimal"),
        make_field("Wide", "decimal"),
        make_formula("Area", "c_long * c_wide", in_list=True),
    )


def add(shop, **values):
    with shop.work() as session:
        return service_for("customers", session).create(values).id


def read(shop, record_id):
    with shop.work() as session:
        record = session.execute(select(Customer).where(Customer.id == record_id)).scalar_one()
        return record, {one.key: getattr(record, one.key) for one in get("customers").fields if one.own}


def found(shop, **args):
    with shop.work() as session:
        page = listing.page(session, get("customers"), listing.ListQuery(args=args, columns=["name"]))
        return [row["name"] for row in page.rows]


def change(shop, label, **values):
    with shop.work() as session:
        row = session.execute(select(CustomField).where(CustomField.label == label)).scalar_one()
        service_for("custom_fields", session).update(row.id, values)
        shop.tenant = context.tenant()


def test_a_value_is_kept_found_sorted_exported_and_follows_each_write(shop, area):
    small = add(shop, name="Small", c_long="2", c_wide="1.5")
    add(shop, name="Big", c_long="20", c_wide="10")
    add(shop, name="Half", c_long="20")
    assert read(shop, small)[1]["c_area"] == Decimal(3)
    assert found(shop, **{"c_area.gte": "100"}) == ["Big"]
    assert found(shop, **{"c_area.empty": "1"}) == ["Half"]
    assert found(shop, sort="-c_area") == ["Big", "Small", "Half"]
    with shop.work() as session:
        service_for("customers", session).update(small, {"c_wide": "200"}, version=1)
    record, values = read(shop, small)
    assert (values["c_area"], record.version) == (400, 2)
    assert found(shop, sort="-c_area")[0] == "Small"
    with shop.work() as session:
        service_for("customers", session).update_many({small: {"c_long": None}})
    assert read(shop, small)[1]["c_area"] is None
    assert found(shop, **{"c_area.gte": "1"}) == ["Big"]
    client = shop.client()
    assert "200" in client.get("/customers/export.csv").text
    head = {"Authorization": f"Bearer {shop.token()}"}
    rows = client.get("/api/v1/customers?c_area.gte=1", headers=head).json["data"]
    assert [row["c_area"] for row in rows] == ["200"]
    assert client.get("/customers?sort=-c_area&c_area.gte=1").status_code == 200


def test_nobody_sets_a_formula(shop, area):
    record_id = add(shop, name="Small", c_long="2", c_wide="2")
    with shop.work() as session, pytest.raises(InvalidInput) as refused:
        service_for("customers", session).update(record_id, {"c_area": "5"})
    assert "“Area” is reckoned by a formula" in refused.value.fields["c_area"][0]
    client, head = shop.client(), {"Authorization": f"Bearer {shop.token()}"}
    answer = client.patch(
        f"/api/v1/customers/{record_id}", json={"c_area": "5"}, headers={**head, "If-Match": '"1"'}
    )
    assert answer.status_code in (400, 422)
    assert "c_area" in answer.text
    assert 'name="c_area"' not in client.get("/customers/new?full=1").text
    assert client.get(f"/customers/{record_id}/field/c_area", headers=SCRIPT).status_code in (403, 404)
    assert read(shop, record_id)[1]["c_area"] == 4


def test_the_page_of_a_record_says_why_there_is_no_value(shop, area, make_formula):
    make_formula("Share", "10 / c_wide")
    record_id = add(shop, name="Odd", c_wide="0")
    text = shop.client().get(f"/customers/{record_id}").text
    assert "“Long” is empty." in text
    assert "It divides by zero." in text


def test_a_new_formula_reckons_what_is_there_without_versions_or_trail(shop, make_field, make_formula):
    make_field("Long", "decimal")
    record_id = add(shop, name="Old", c_long="7")
    make_formula("Twice", "c_long * 2")
    make_formula("Four times", "c_twice * 2", searchable=True)
    assert read(shop, record_id)[1]["c_four_times"] is None
    work_off(shop)
    record, values = read(shop, record_id)
    assert (values["c_twice"], values["c_four_times"], record.version) == (14, 28, 1)
    assert found(shop, **{"c_four_times.gte": "28", "c_four_times.lte": "28"}) == ["Old"]
    with shop.work() as session:
        told = select(AuditEntry.action).where(AuditEntry.record_id == record_id)
        assert list(session.execute(told).scalars()) == ["created"]
        service_for("customers", session).update(record_id, {"name": "Older"}, version=1)  # Nobody is stale.
    change(shop, "Twice", formula="c_long * 3")
    work_off(shop)
    assert read(shop, record_id)[1]["c_four_times"] == 42
    change(shop, "Long", state="retired")
    work_off(shop)
    with shop.work() as session:
        assert session.execute(select(CustomIndex.number)).scalars().all() == []
    change(shop, "Long", state="active")
    work_off(shop)
    assert read(shop, record_id)[1]["c_four_times"] == 42


def test_circles_are_refused_with_their_path(shop, make_formula):
    make_formula("A", "1")
    make_formula("B", "c_a + 1")
    make_formula("C", "c_b + 1")
    with pytest.raises(InvalidInput) as refused:
        change(shop, "A", formula="c_c * 2")
    assert "A → C → B → A" in refused.value.fields["formula"][0]
    with pytest.raises(InvalidInput) as refused:
        change(shop, "A", formula="c_a + 1")
    assert "A → A" in refused.value.fields["formula"][0]


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("c_nothing + 1", "There is no field “c_nothing”"),
        ("updated_at", "is set by Kehu itself"),
        ("name.__class__", "is not possible in a formula"),
        ("9 ** 9 ** 9", "is not possible in a formula"),
        ("open('x')", "There is no function “open”"),
        ("1 +", "can't be understood"),
    ],
)
def test_a_formula_that_makes_no_sense_is_refused(make_formula, formula, told):
    with pytest.raises(InvalidInput) as refused:
        make_formula("Odd", formula)
    assert told in refused.value.fields["formula"][0]


def test_a_field_of_people_never_becomes_a_formula(shop, make_field, make_formula):
    make_field("Long", "decimal")
    make_formula("Twice", "c_long * 2")
    for label, formula in (("Long", "1 + 1"), ("Twice", "")):
        with pytest.raises(InvalidInput) as refused:
            change(shop, label, formula=formula)
        assert "keeps being a formula or not" in refused.value.fields["formula"][0]


@pytest.mark.parametrize(
    ("kind", "formula", "held"),
    [
        ("text", "concat(upper(left(name, 2)), '-', c_long)", "AC-3"),
        ("number", "c_long / 2", 2),
        ("decimal", "c_long / 7", Decimal("0.428571429")),
        ("money", "c_price * 1.19", 1190),
        ("date", "c_since + c_long", dt.date(2026, 12, 3)),
        ("bool", "c_since >= '2026-11-30' and c_flag", False),
        ("number", "days_between(c_since, date(2026, 12, 24))", 24),
        ("number", "name", None),
        ("money", "if(c_long > 2, if_empty(c_other, 5), 0)", 500),
    ],
)
def test_each_kind_of_result(shop, make_field, make_formula, kind, formula, held):
    make_field("Long", "number")
    make_field("Price", "money")
    make_field("Other", "money", currency="USD")
    make_field("Since", "date")
    make_field("Flag", "bool")
    key = make_formula("Result", formula, kind)
    record_id = add(shop, name="Acme", c_long="3", c_price="10", c_since="2026-11-30")
    assert read(shop, record_id)[1][key] == held


def test_amounts_of_two_currencies_are_not_added(shop, make_field, make_formula):
    make_field("Price", "money")
    make_field("Other", "money", currency="USD")
    make_formula("Sum", "c_price + c_other", "money")
    record_id = add(shop, name="Acme", c_price="10", c_other="10")
    assert read(shop, record_id)[1]["c_sum"] is None
    assert "be reckoned together." in shop.client().get(f"/customers/{record_id}").text


def test_a_record_that_comes_back_from_the_trash_has_its_value_of_today(shop, area):
    record_id = add(shop, name="Gone", c_long="2", c_wide="2")
    with shop.work() as session:
        service_for("customers", session).trash(record_id)
    change(shop, "Area", formula="c_long + c_wide + 1")
    work_off(shop)
    with shop.work() as session:
        service_for("customers", session).restore(record_id)
    assert read(shop, record_id)[1]["c_area"] == 5
    assert found(shop, **{"c_area.gte": "5", "c_area.lte": "5"}) == ["Gone"]


def test_a_formula_is_tried_before_it_is_saved(shop, make_field):
    make_field("Long", "decimal")
    add(shop, name="Acme", c_long="21")
    add(shop, name="Bare")
    client = shop.client()
    url = f"{URL}/formula/new?of=customers"
    assert "c_long" in client.get(url, headers=SCRIPT).text
    form = {"label": "Twice", "kind": "number", "currency": "EUR", "formula": "c_long * 2", "in_list": "1"}
    answer = client.post(url, data=form, headers=SCRIPT)
    assert answer.status_code == 200
    assert "42" in answer.text
    assert "“Long” is empty." in answer.text
    with shop.work() as session:
        assert session.execute(select(CustomField).where(CustomField.formula != "")).first() is None
    other = {**form, "tried": "number|EUR|c_long * 2", "formula": "c_long * 3"}
    assert client.post(url, data=other, headers=SCRIPT).status_code == 200  # Another one is tried again.
    assert client.post(url, data={**form, "formula": "c_lang"}, headers=SCRIPT).status_code == 422
    saved = client.post(url, data={**form, "tried": "number|EUR|c_long * 2"}, headers=SCRIPT)
    assert saved.status_code == 204
    with shop.work():
        shop.tenant = hooks.tenant_by_id(shop.tenant.id)
    work_off(shop)
    assert found(shop, **{"c_twice.gte": "42", "c_twice.lte": "42"}) == ["Acme"]
    with shop.work() as session:
        rows = {row.label: row for row in session.execute(select(CustomField)).scalars()}
        twice, long = rows["Twice"], rows["Long"]
        twice_id, long_id, version = twice.id, long.id, twice.version
    page = client.get(f"{URL}?of=customers").text
    assert "c_long * 2" in page
    assert "Twice" in client.get(f"{URL}/{long_id}/retire", headers=SCRIPT).text
    url = f"{URL}/formula/{twice_id}"
    assert "c_long * 2" in client.get(url, headers=SCRIPT).text
    form |= {"formula": "c_long * 4", "version": version}
    assert "84" in client.post(url, data=form, headers=SCRIPT).text
    form["tried"] = "number|EUR|c_long * 4"
    assert client.post(url, data=form, headers=SCRIPT).status_code == 204
    assert client.post(url, data=form, headers=SCRIPT).status_code == 409
