"""The OpenAPI document and its page."""

import json
import re

import pytest
from flask import Flask

from kehu.rest.setup import READ_ONLY, RESOURCES
from plugins.path_guard import plugin_of_path


@pytest.fixture(scope="module")
def document(app: Flask):
    answer = app.test_client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return answer.json


def operations(document):
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "patch", "delete")
    ]


def test_it_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["security"] == [{"token": []}]


def test_every_route_is_described(app, document):
    routes = set()
    for rule in app.url_map.iter_rules():
        # Strangers, who read this document, see none of the plugins' records.
        if rule.endpoint.startswith("api_") and not plugin_of_path(rule.rule):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            routes |= {(path, method.lower()) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert routes == {(path, method) for path, method, _operation in operations(document)}
    others = 4 + 4 + 5 + 1  # of tickets and deals, consents, messages, secrets of webhooks
    assert len(routes) == 6 * (len(RESOURCES) - len(READ_ONLY)) + 2 * len(READ_ONLY) + others


def test_every_operation_has_an_example_and_its_refusals(document):
    names = [operation["operationId"] for _path, _method, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert {"401", "403", "429"} <= set(operation["responses"]), where
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["example"] is not None, where
        for status, answer in operation["responses"].items():
            if status.startswith("2") and status != "204":
                assert answer["content"]["application/json"]["example"], where
        placed = {
            one["name"]
            for one in operation.get("parameters", []) + document["paths"][path].get("parameters", [])
        }
        assert set(re.findall(r"{(\w+)}", path)) <= placed, where


def test_references_lead_somewhere(document):
    text = json.dumps(document)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found = document
        for part in reference.split("/"):
            found = found[part]


def test_examples_of_bodies_are_taken(call, document):
    customer = call.made("customers", name="Northwind")["id"]
    item = call.made("owned_items", name="Heat pump", customer_id=customer)["id"]
    other = call.made("customers", name="Southwind")["id"]
    household = call.made("households", name="Lindqvist")["id"]
    lift = call.made("resources", name="Lift", kind="Lift")["id"]
    there = {"customer_id": customer, "item_id": item, "other_id": other, "household_id": household}
    there["resource_id"] = lift
    for path, method, operation in operations(document):
        if method == "post" and "requestBody" in operation and "{" not in path:
            body = operation["requestBody"]["content"]["application/json"]["example"]
            known = {key: there[key] for key in body if key in there}
            body = {**{key: value for key, value in body.items() if not key.endswith("_id")}, **known}
            answer = call("POST", path.removeprefix("/api/v1/"), body)
            assert answer.status_code == 201, (path, answer.json)


def test_the_page_shows_all_without_inline_code(app, document):
    answer = app.test_client().get("/api/v1/docs")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for path, _method, operation in operations(document):
        assert path in text
        assert operation["operationId"] in text
    assert not re.search(
        r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://(?!localhost|example)", text
    )
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
