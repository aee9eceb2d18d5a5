"""Values that a plugin adds to records of the platform: fields like ours where it is on, nothing where it is off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from kehu.addons import fields
from kehu.api import CustomField, Field, Option, service_for
from kehu.core import db, hooks
from kehu.core.records import types
from kehu.core.records.custom import read
from kehu.core.records.undo import undo_batch
from kehu.customers.models import Customer
from kehu.rest.docs import Documents
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import disable, enable, purge
from plugins.declarations import Declarations
from plugins.records import State

SLUG = "automotive"
TONES = (Option(value="low", label="Low"), Option(value="high", label="High", tone="bad"))
DECLARED = (
    CustomField(object="customers", field=Field(key="since", label="Drives since", kind="date", column=True)),
    CustomField(object="customers", field=Field(key="cars", label="Cars at home", kind="number", minimum=0)),
    CustomField(object="customers", field=Field(key="risk", label="Risk", kind="choice", options=TONES)),
    CustomField(object="customers", field=Field(key="fleet", label="Has a fleet", kind="bool")),
    CustomField(object="tickets", field=Field(key="bay", label="Bay", quick=True)),
)


@pytest.fixture
def declare(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Have the built-in plugin declare fields, as at boot."""
    host = hooks.host()
    kept = dict(host.installed._records)

    def with_fields(*declared: Any) -> None:
        whole = Declarations()
        whole.extend(host.declarations)
        whole.custom_fields = [(SLUG, one) for one in declared]
        monkeypatch.setattr(host, "_declarations", whole)
        fields.join(host)

    yield with_fields
    monkeypatch.undo()
    host.installed._records.update(kept)
    if not host._manager.has_plugin(SLUG):
        # A refused declaration has taken the plugin's hooks out; the tests after this one need them.
        host._manager.register(kept[SLUG].plugin, name=SLUG)
        host.relay.forget()
    fields.join(host)


@pytest.fixture
def garage(declare: Any, shop: Shop) -> Shop:
    """A firm with the plugin on and its fields."""
    declare(*DECLARED)
    enable(shop, SLUG)
    return shop


def make_customer(shop: Shop, **values: Any) -> Any:
    with shop.work() as session:
        return service_for("customers", session).create({"name": "Harbour Taxis", **values}).id


def test_a_value_goes_through_form_page_list_and_file(garage: Shop, other_shop: Shop) -> None:
    client = garage.client()
    form = client.get("/customers/new?full=1").get_data(as_text=True)
    assert "Cars at home" in form
    wrong = {"name": "Harbour Taxis", "automotive_cars": "-2", "automotive_since": "2019-05-03"}
    refused = client.post("/customers/new?full=1", data=wrong)
    assert refused.status_code == 422
    assert "This must be 0 or more." in refused.get_data(as_text=True)
    assert "2019-05-03" in refused.get_data(as_text=True)
    made = client.post(
        "/customers/new?full=1", data={**wrong, "automotive_cars": "2", "automotive_risk": "high"}
    )
    assert made.status_code in (200, 204, 303), made.status_code
    with garage.work() as session:
        record = session.query(Customer).one()
        assert record.custom == {SLUG: {"since": "2019-05-03", "cars": 2, "risk": "high"}}
        assert (record.automotive_cars, record.automotive_fleet) == (2, None)
    page = client.get(f"/customers/{record.id}").get_data(as_text=True)
    assert hooks.host().installed.get(SLUG).name in page
    assert re.search(r"Cars at home[^<]*(?:<[^>]*>[^<]*)*?</dt>\s*<dd[^>]*>.*?2", page, re.DOTALL)
    rows = client.get("/customers?columns=name,automotive_risk,automotive_since").get_data(as_text=True)
    assert "High" in rows
    assert "Drives since" in rows
    file = client.get("/customers/export.csv?columns=name,automotive_cars").get_data(as_text=True)
    assert "Harbour Taxis" in file
    assert "Drives since" not in other_shop.client().get("/customers?columns=name,automotive_since").get_data(
        as_text=True
    )


def test_a_change_is_audited_and_undone_and_a_stale_one_refused(garage: Shop) -> None:
    record_id = make_customer(garage, automotive_cars="1")
    client = garage.client()
    change = {"automotive_cars": "3", "version": "1"}
    assert client.post(f"/customers/{record_id}/field/automotive_cars", data=change).status_code == 200
    assert client.post(f"/customers/{record_id}/field/automotive_cars", data=change).status_code == 409
    history = client.get(f"/customers/{record_id}/history").get_data(as_text=True)
    assert "Cars at home" in history
    with garage.work() as session:
        batch = session.execute(
            text("SELECT batch_id FROM audit_entries WHERE tenant_id = :t AND action = 'updated'"),
            {"t": db.tenant_id()},
        ).scalar_one()
        undo_batch(session, batch)
        assert session.query(Customer).one().automotive_cars == 1


def test_programs_read_and_write_it(garage: Shop, other_shop: Shop) -> None:
    token = garage.token()
    client = garage.app.test_client()
    head = {"Authorization": f"Bearer {token}"}
    made = client.post(
        "/api/v1/customers", json={"name": "Harbour Taxis", "automotive_since": "2020-01-31"}, headers=head
    )
    assert made.status_code == 201, made.get_json()
    assert made.get_json()["automotive_since"] == "2020-01-31"
    (row,) = client.get("/api/v1/customers?fields=name,automotive_since", headers=head).get_json()["data"]
    assert row["automotive_since"] == "2020-01-31"
    assert client.get("/api/v1/customers?automotive_since=2020-01-31", headers=head).status_code == 422
    other = {"Authorization": f"Bearer {other_shop.token()}"}
    refused = client.post(
        "/api/v1/customers", json={"name": "A", "automotive_since": "2020-01-31"}, headers=other
    )
    assert refused.status_code == 422


def test_off_hides_it_and_keeps_it_and_a_purge_removes_it(garage: Shop) -> None:
    record_id = make_customer(garage, automotive_cars="2", automotive_fleet="yes")
    disable(garage, SLUG)
    client = garage.client()
    assert "Cars at home" not in client.get(f"/customers/{record_id}").get_data(as_text=True)
    with garage.work() as session:
        service_for("customers", session).update(record_id, {"name": "Harbour Cabs"})
        assert session.query(Customer).one().custom == {SLUG: {"cars": 2, "fleet": True}}
    enable(garage, SLUG)
    assert "Cars at home" in client.get(f"/customers/{record_id}").get_data(as_text=True)
    disable(garage, SLUG)
    assert purge(garage, SLUG).kept["fields"] == 1
    with garage.work() as session:
        assert session.query(Customer).one().custom == {}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: CustomField(object="cars", field=Field(key="a", label="A")), "Use one of: customers"),
        (lambda: CustomField(object="deals", field=Field(key="A b", label="A")), "small letters"),
        (
            lambda: CustomField(object="deals", field=Field(key="a", label="A", kind="ref")),
            "Use one of: text",
        ),
        (
            lambda: CustomField(object="deals", field=Field(key="a", label="A", required=True)),
            "can't be required",
        ),
        (
            lambda: CustomField(object="deals", field=Field(key="a", label="A", filterable=True)),
            "has no index",
        ),
    ],
)
def test_what_can_not_be_kept_is_refused_where_it_is_written(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_a_declaration_that_can_not_be_used_breaks_its_plugin_only(
    declare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Customer, "automotive_cars", "taken", raising=False)
    fakes = SimpleNamespace(key="x", kind="text", required=0, sortable=0, filterable=0, unique=0)
    for declared, said in (
        (DECLARED[1], "Give the field another key"),
        (CustomField(object="deals", field=fakes), "no Field"),
    ):
        hooks.host().installed.put(hooks.host().installed.get(SLUG).moved(State.READY, "", ""))
        declare(declared)
        record = hooks.host().installed.get(SLUG)
        assert record.state is State.BROKEN
        assert said in record.reason
        assert not types.added_fields()


def test_a_value_of_an_older_kind_reads_as_empty() -> None:
    assert read("number", "twelve") is None
    assert read("number", True) is None
    assert read("date", "soon") is None
    assert read("text", 4) is None
    assert read("bool", False) is False


def test_the_document_of_the_api_names_it_where_it_is_on(garage: Shop) -> None:
    spec = {"paths": {}, "components": {"schemas": {"Customer": {"properties": {"id": {}}}}}}
    added = {SLUG: [("Customer", "automotive_cars", {"type": "integer"})]}
    documents = Documents(SimpleNamespace(to_dict=lambda: spec), {}, added)
    with garage.work():
        assert "automotive_cars" in documents.now().text
    assert "automotive_cars" not in documents.now().text
