"""Texts that nobody should send, in every field of every form and of the API."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from flask import Flask

from kehu.core.records.types import RecordType, registered
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import Shop
from kehu.testkit.rest import Caller

pytestmark = pytest.mark.slow
KINDS = ("customers", "contacts", "deals", "products", "tickets", "activities")
TEXTS = {
    "emoji": "👩‍👩‍👧 🦊",
    "right to left": "\u202etxt.exe \u0634\u0631\u0643\u0629",
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "markup": "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>{{7*7}}",
    "nonsense": "²½Ⅷ٣ +∞ 1e999 -0 NaN",
    "long": "x" * 70_000,
    "day": "2026-02-30",
    "early": "0000-00-00T99:99",
    "id": "00000000-0000-0000-0000-000000000000",
    "list": '["a", {"b": 1}]',
}


def required(kind: RecordType) -> dict[str, str]:
    """Return what a record needs at least."""
    given = {"name": "Plain", "subject": "Plain", "kind": "task"}
    return {
        field.key: given.get(field.key, "Plain") if field.kind != "choice" else field.options[0].value
        for field in kind.fields
        if field.required
    }


@pytest.mark.parametrize("label", TEXTS)
def test_forms_keep_or_refuse_them(shop: Shop, label: str) -> None:
    client, faults = shop.client(), []
    value: Any = TEXTS[label].encode("utf-8", "surrogatepass")
    for name in KINDS:
        kind = registered()[name]
        for field in kind.fields:
            answer = client.post(f"/{name}/new", data={**required(kind), "full": "1", field.key: value})
            if answer.status_code >= 500 or answer.status_code == 413:
                faults.append((name, field.key, answer.status_code))
            if "<script>alert(1)" in answer.get_data(as_text=True):
                faults.append((name, field.key, "not escaped"))
        page = client.get(f"/{name}?view=all")
        if page.status_code != 200 or "<script>alert(1)" in page.get_data(as_text=True):
            faults.append((name, "list", page.status_code))
    for path in ("/", "/deals/board", "/search?q=a", "/trash", "/settings/audit"):
        page = client.get(path)
        if page.status_code != 200 or "<script>alert(1)" in page.get_data(as_text=True):
            faults.append(("page", path, page.status_code))
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.parametrize("label", TEXTS)
def test_the_api_keeps_or_refuses_them(shop: Shop, label: str) -> None:
    call, faults = Caller(shop), []
    for name in KINDS:
        kind = registered()[name]
        for field in kind.fields:
            wrapped = [[TEXTS[label]], {"address": TEXTS[label]}] if label == "emoji" else []
            for value in (TEXTS[label], *wrapped):
                body = json.dumps({**required(kind), field.key: value})
                answer = call.raw("POST", name, body)
                if answer.status_code not in (201, 422):
                    faults.append((name, field.key, type(value).__name__, answer.status_code))
        if call("GET", name).status_code != 200:
            faults.append((name, "list", "", call("GET", name).status_code))
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.parametrize("label", ["emoji", "nul", "surrogate", "markup", "nonsense", "day", "early", "id"])
def test_filters_take_or_refuse_them(shop: Shop, label: str) -> None:
    client, call, faults = shop.client(), Caller(shop), []
    value = TEXTS[label].encode("utf-8", "replace").decode()
    for name in KINDS:
        keys = [field.key for field in registered()[name].fields if field.filterable]
        for key in ("q", "sort", "view", "after", *keys, *(f"{key}.gte" for key in keys)):
            page = client.get(f"/{name}", query_string={key: value})
            data = call.client.get(f"/api/v1/{name}", query_string={key: value}, headers=call.headers)
            faults += [
                (name, key, answer.status_code)
                for answer in (page, data)
                if answer.status_code not in (200, 303, 400, 404, 422)
            ]
    assert not faults, "\n".join(map(str, faults))


def test_an_export_holds_no_formula_in_any_column(shop: Shop) -> None:
    client = shop.client()
    for start in ("=", "+", "-", "@", "\t=", "\r=", "＝", " ="):
        text = f"{start}HYPERLINK(1)"
        client.post("/customers/new", data={"name": text, "industry": text, "full": "1", "description": text})
        client.post("/tickets/new", data={"subject": text, "description": text, "full": "1"})
        client.post("/deals/new", data={"name": text, "full": "1"})
        client.post("/products/new", data={"name": text, "full": "1"})
    for name in ("customers", "tickets", "deals", "products"):
        columns = ",".join(field.key for field in registered()[name].fields)
        answer = client.get(f"/{name}/export.csv?view=all&columns={columns}")
        assert answer.status_code == 200
        rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
        assert len(rows) > 5, name
        bad = [cell for row in rows for cell in row if "HYPERLINK" in cell and cell[0] in "=+-@\t\r＝"]
        assert not bad, (name, bad)


def test_dates_in_the_wrong_order_find_nothing_and_break_nothing(shop: Shop) -> None:
    client = shop.client()
    client.post("/deals/new", data={"name": "A", "full": "1", "expected_close": "2026-11-30"})
    page = client.get("/deals?view=all&expected_close.gte=2026-12-31&expected_close.lte=2026-01-01")
    assert page.status_code == 200
    assert "Nothing matches" in page.get_data(as_text=True)
    for day in ("2026-02-30", "30.02.2026", "31/04/2026", "2026-00-01", "1/1", "tomorrowish"):
        answer = client.post("/deals/new", data={"name": "B", "full": "1", "expected_close": day})
        assert answer.status_code == 422, day
        assert day in answer.get_data(as_text=True), day


def test_twenty_megabytes_in_a_field_are_not_even_read(app: Flask, shop: Shop) -> None:
    client, stranger, call, many = shop.client(), browser(app), Caller(shop), "x" * 20_000_000
    for who, path, field in (
        (client, "/tickets/new", "subject"),
        (client, "/activities/log", "text"),
        (client, "/settings/teams", "name"),
        (stranger, "/login", "email"),
        (stranger, "/signup", "firm"),
        (stranger, "/reset", "email"),
    ):
        answer = who.post(path, data={field: many})
        assert answer.status_code == 413, path
        assert "larger than what can be taken" in answer.get_data(as_text=True)
    # As a part of a form with files it is bounded, too.
    part = f'--b\r\nContent-Disposition: form-data; name="object"\r\n\r\n{many}\r\n--b--\r\n'
    answer = client.post("/imports/new", data=part.encode(), content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 413
    assert call.raw("POST", "tickets", json.dumps({"subject": many})).status_code == 413
    assert client.post("/tickets/new", data={"subject": "x" * 3_000_000}).status_code == 422


def test_ten_thousand_tags_are_refused_everywhere(shop: Shop) -> None:
    tags = [f"t{number}" for number in range(10_000)]
    call, client = Caller(shop), shop.client()
    for name in KINDS:
        kind = registered()[name]
        if any(field.key == "tags" for field in kind.fields):
            assert call("POST", name, {**required(kind), "tags": tags}).status_code == 422
            form = {**required(kind), "tags": ",".join(tags), "full": "1"}
            assert client.post(f"/{name}/new", data=form).status_code == 422
