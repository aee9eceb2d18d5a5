"""Forms from fields."""

import datetime as dt

import pytest
from werkzeug.datastructures import MultiDict

from kehu.core.errors import InvalidInput
from kehu.core.records.fields import Field
from kehu.core.records.types import get
from kehu.web.records import forms
from kehu.web.records.once import new_key, once


@pytest.fixture
def fields(session):
    return get("customers").by_key


def test_rows_are_read_together(fields):
    form = MultiDict(
        [
            ("__has.emails", "1"),
            ("emails.address", "a@example.com"),
            ("emails.address", " "),
            ("emails.label", "Work"),
            ("emails.label", "Empty"),
        ]
    )
    assert forms.read([fields["emails"]], form) == {"emails": [{"label": "Work", "address": "a@example.com"}]}
    assert forms.read([fields["emails"]], MultiDict()) == {}
    assert forms.read([fields["emails"]], MultiDict({"__has.emails": "1"})) == {"emails": []}


def test_boxes_that_are_off_are_read_as_off():
    field = Field(key="on", label="On", kind="bool")
    assert forms.read([field], MultiDict({"__has.on": "1"})) == {"on": "0"}
    assert forms.read([field], MultiDict({"__has.on": "1", "on": "1"})) == {"on": "1"}
    assert forms.read([field], MultiDict({"on": "1"})) == {}


def test_values_as_controls_hold_them(session):
    moment = dt.datetime(2026, 7, 1, 8, 30, tzinfo=dt.UTC)
    assert forms.written(Field(key="d", label="D", kind="datetime"), moment, "") == "2026-07-01T09:30"
    assert forms.written(Field(key="m", label="M", kind="money"), 1250, "EUR") == "12.50"
    assert forms.written(Field(key="t", label="T", kind="tags"), ["a", "b"], "") == "a, b"
    assert forms.written(Field(key="d", label="D", kind="date"), dt.date(2026, 7, 1), "") == "2026-07-01"
    assert forms.written(Field(key="n", label="N", kind="number"), None, "") == ""


def test_controls_by_kind(fields, shop):
    assert forms.control(fields["name"], "A", focus=True)["attrs"] == {"autofocus": True}
    assert forms.control(fields["type_class"], "partner")["type"] == "select"
    people = forms.control(fields["owner_id"], shop.owner.member_id)
    assert (str(shop.owner.member_id), "Mira Sol") in people["options"]
    gone = forms.control(fields["owner_id"], "01939000-0000-7000-8000-000000000000")
    assert gone["options"][-1][1] == "Former member"
    assert forms.control(fields["parent_id"], None)["url"] == "/lookup/customers?create=1"
    assert forms.control(fields["parent_id"], None, raw="new:Fresh")["text"] == "Fresh"
    assert len(forms.control(fields["emails"], [{"label": "", "address": "a@b.example"}])["rows"]) == 2


def test_new_records_only_where_a_name_is_enough(session):
    made = forms.resolve_new(session, "customers", "new:Fresh")
    assert forms.resolve_new(session, "customers", made) == made
    with pytest.raises(InvalidInput):
        forms.resolve_new(session, "deals", "new:Deal")
    with pytest.raises(InvalidInput) as caught:
        forms.resolve_all(session, get("contacts"), {"customer_id": "new: "})
    assert "customer_id" in caught.value.fields


def test_second_sending_learns_the_first_answer(session, shop):
    key = new_key()
    with shop.app.test_request_context("/customers/new"):
        with once(session, key) as first:
            first.url = "/customers/1"
        with once(session, key) as second:
            assert (second.again, second.url) == (True, "/customers/1")
        with once(session, "short") as third:
            assert not third.again
