"""Nonsense of all kinds ends in a problem document, never in a fault of ours."""

import datetime as dt
import json
import threading

import pytest
from sqlalchemy import select

from kehu.core import clock
from kehu.rest import tasks
from kehu.rest.models import IdempotencyKey
from kehu.testkit.rest import Caller, problem


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "A", "colour": "red"}, "colour"),
        ({"name": "A", "number": 7}, "number"),
        ({"name": "A", "id": "x"}, "id"),
        ({"name": "A", "tags": ["t"] * 10_000}, "tags"),
        ({"name": "A", "tags": "VIP"}, "tags"),
        ({"name": "A", "tags": [{"a": 1}]}, "tags"),
        ({"name": "A", "emails": [{"address": "nonsense"}]}, "emails"),
        ({"name": "A", "emails": [{"address": "a@example.com", "x": 1}]}, "emails"),
        ({"name": "A", "phones": [{"number": "12"}]}, "phones"),
        ({"name": "A", "website": "javascript:alert(1)"}, "website"),
        ({"name": "A", "employees": "12"}, "employees"),
        ({"name": "A", "employees": True}, "employees"),
        ({"name": "A", "employees": -1}, "employees"),
        ({"name": "A", "employees": 10**30}, "employees"),
        ({"name": "A", "revenue": 1.5}, "revenue"),
        ({"name": "A", "revenue": "much"}, "revenue"),
        ({"name": "A", "revenue": {"minor": 5}}, "revenue"),
        ({"name": "A", "revenue": "9" * 40}, "revenue"),
        ({"name": "A", "kind": "robot"}, "kind"),
        ({"name": "A", "owner_id": "me"}, "owner_id"),
        ({"name": "A", "parent_id": "0" * 32}, "parent_id"),
        ({"name": "half \ud800"}, "name"),
        ({"name": "A", "industry": {"deep": ["\udfff"]}}, "industry"),
    ],
)
def test_wrong_fields_are_named(call, body, field):
    problem(call.raw("POST", "customers", json.dumps(body)), 422, field)


def test_strange_but_whole_texts_are_kept(call):
    made = call.made("customers", name="A\x00B 🦊 \u202eevil\u202c 客户", description="line\r\nline\x00")
    assert (made["name"], made["description"]) == ("AB 🦊 evil 客户", "line\nline")


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "A", "name": "B"}', "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"employees": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b'{"tags": ' + b"[" * 40 + b"]" * 40 + b"}", "application/json", 400),
        (b'{"tags": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "application/json", 400),
        (b"name=A", "application/x-www-form-urlencoded", 415),
        (b'{"name": "A"}', "text/plain", 415),
        (b'{"name": "' + b"x" * 20_000_000 + b'"}', "application/json", 413),
    ],
)
def test_bodies_that_are_no_object(call, data, content_type, status):
    problem(call.raw("POST", "customers", data, content_type), status)
    assert call("GET", "customers").json["data"] == []


@pytest.mark.parametrize(
    "path",
    ["customers/nonsense", "customers/%00", "customers/" + "0" * 32, "nothing", "", "tickets/x/messages"],
)
def test_addresses_of_nothing(call, path):
    problem(call("GET", path), 404)


def test_methods_that_are_not_taken(call):
    answer = call("PUT", "customers", {"name": "A"})
    problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("date", ["2026-02-30", "2026-13-01", "yesterday-ish", "99999-01-01"])
def test_days_that_do_not_exist(call, date):
    problem(call("POST", "deals", {"name": "A", "expected_close": date}), 422, "expected_close")


@pytest.mark.parametrize("query", [".gte=0001-01-01", ".lte=9999-12-31", ".gte=today%2B99999999999"])
def test_days_at_the_ends_of_time(call, query):
    assert call("GET", f"customers?created_at{query}").status_code in (200, 422)


def test_forged_page_marks(call):
    import base64

    call.made("customers", name="A")
    for mark in ([10**30, "0" * 32], [{}, "0" * 32], ["\x00", "0" * 32], [None, "0" * 32], "x", [1], [1, 2]):
        text = base64.urlsafe_b64encode(json.dumps(mark).encode()).decode().rstrip("=")
        for sort in ("number", "name", "created_at", "value_class"):
            assert call("GET", f"customers?sort={sort}&after={text}").status_code in (200, 422)


def test_a_repeated_request_does_nothing_twice(call, shop):
    first = call("POST", "customers", {"name": "Once"}, Idempotency_Key="key-1")
    again = call("POST", "customers", {"name": "Once"}, Idempotency_Key="key-1")
    assert (again.status_code, again.json, again.headers["Location"]) == (
        201,
        first.json,
        first.headers["Location"],
    )
    assert again.headers["Idempotent-Replayed"] == "true"
    problem(call("POST", "customers", {"name": "Twice"}, Idempotency_Key="key-1"), 422, "Idempotency-Key")
    problem(call("POST", "contacts", {"name": "Once"}, Idempotency_Key="key-1"), 422, "Idempotency-Key")
    problem(call("POST", "customers", {"name": "A"}, Idempotency_Key="x" * 201), 400)
    assert len(call("GET", "customers").json["data"]) == 1
    assert (
        Caller(shop)("POST", "customers", {"name": "Once"}, Idempotency_Key="key-1").json["id"]
        != first.json["id"]
    )


def test_a_refused_request_can_be_mended_under_its_key(call):
    problem(call("POST", "customers", {"name": ""}, Idempotency_Key="key-2"), 422, "name")
    assert call("POST", "customers", {"name": "Mended"}, Idempotency_Key="key-2").status_code == 201


def test_of_requests_at_once_one_is_done(call, shop):
    answers = []

    def send():
        own = shop.app.test_client()
        answers.append(
            own.post(
                "/api/v1/customers",
                json={"name": "Once"},
                headers={**call.headers, "Idempotency-Key": "same"},
            )
        )

    threads = [threading.Thread(target=send) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(call("GET", "customers").json["data"]) == 1


def test_a_key_is_forgotten_after_a_day(call, shop):
    first = call("POST", "customers", {"name": "Once"}, Idempotency_Key="key-3")
    with clock.ahead(dt.timedelta(hours=23)):
        assert call("POST", "customers", {"name": "Once"}, Idempotency_Key="key-3").json == first.json
    with clock.ahead(dt.timedelta(hours=25)):
        assert call("POST", "customers", {"name": "Other"}, Idempotency_Key="key-3").json["name"] == "Other"
    with clock.ahead(dt.timedelta(days=3)):
        tasks.forget_answers()
    with shop.work() as session:
        assert session.execute(select(IdempotencyKey.key)).all() == []
