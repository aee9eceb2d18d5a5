"""Somebody who may see only his own sees nothing of others', at any address, and changes nothing of theirs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kehu.core.records.types import registered
from kehu.members.models import Role
from kehu.rest.setup import RESOURCES
from kehu.testkit.browser import text_of
from kehu.testkit.fixtures import Shop
from kehu.testkit.rest import Caller
from kehu.web.access import PUBLIC, USER
from tests.functional.attacks.test_every_address import UNSAFE, addresses
from tests.functional.attacks.world import SECRET, fill

OWNED = ("customers", "contacts", "deals", "tickets", "activities")
LISTS = ("", "?view=all", f"?q={SECRET[:5].lower()}", "?sort=-created_at", "?owner_id=none")
QUERIES = (
    "/palette?q=zanzibar",
    "/search?q=zanzibar",
    "/deals/board",
    "/deals/board?q=zanzibar",
    "/trash",
    "/tickets?view=all&status=new,open,waiting,resolved",
    "/",
    *(f"/lookup/{kind}?q=zanzibar" for kind in OWNED),
    *(f"/{kind}{query}" for kind in OWNED for query in LISTS),
    *(f"/{kind}/export.csv?view=all" for kind in OWNED),
    *(f"/{kind}/count?view=all" for kind in OWNED),
)


@pytest.fixture
def narrow(shop: Shop) -> Any:
    """A member whose every right on records with an owner reaches only his own."""
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "manager")).scalar_one()
        role.permissions = {
            code: "own" if code.split(":")[0] in OWNED else scope for code, scope in role.permissions.items()
        }
    return shop.member("manager")


def test_no_page_shows_what_is_not_ones_own(app: Flask, shop: Shop, narrow: Any) -> None:
    ids, client, faults = fill(shop), shop.client(narrow), []
    urls = [url for method, url, access, _rule in addresses(app, ids) if method == "GET" and access != PUBLIC]
    for url in (*urls, *QUERIES):
        # Things that nobody owns, as products, and settings are open by their own rights.
        if url.startswith(("/products", "/settings", "/views", "/lookup/products", "/imports")):
            continue
        answer = client.get(url, buffered=True)
        if answer.status_code >= 500 or SECRET in text_of(answer):
            faults.append((url, answer.status_code))
    assert not faults, "\n".join(map(str, faults))


def test_no_form_changes_what_is_not_ones_own(app: Flask, shop: Shop, narrow: Any) -> None:
    ids, client, faults = fill(shop), shop.client(narrow), []
    before = _versions(shop, ids)
    values = {
        "name": "Taken",
        "subject": "Taken",
        "version": "1",
        "body": "Taken",
        "text": "Taken",
        "kind": "note",
    }
    for method, url, access, _rule in addresses(app, ids):
        kind = url.split("/")[1]
        if method in UNSAFE and access not in (PUBLIC, USER) and kind in OWNED:
            linked = {"ids": ids[kind], "object": "customers", "record_id": ids["customers"]}
            answer = client.open(url, method=method, data={**values, **linked})
            if answer.status_code >= 500:
                faults.append((method, url, answer.status_code))
    for kind in OWNED:
        for action in ("owner_id", "tags", "trash"):
            data = {"ids": ids[kind], "owner_id": str(narrow.member_id), "add": "x", "all": "1"}
            client.post(f"/{kind}/bulk/{action}", data=data)
    client.post(f"/undo/{ids['batch_id']}")
    assert _versions(shop, ids) == before
    assert not faults, "\n".join(map(str, faults))


def _versions(shop: Shop, ids: dict[str, str]) -> dict[str, Any]:
    types, found = registered(), {}
    with shop.work() as session:
        for kind in OWNED:
            model: Any = types[kind].model
            row = session.execute(select(model).where(model.id == ids[kind])).scalar_one()
            owner = types[kind].owner
            found[kind] = (row.version, row.deleted_at, getattr(row, owner) if owner else None)
    return found


def test_the_api_shows_and_changes_nothing_either(shop: Shop, narrow: Any) -> None:
    ids, call, before = fill(shop), Caller(shop, actor=narrow), {}
    before = _versions(shop, ids)
    for kind in (one for one in RESOURCES if one in OWNED):
        for path in (kind, f"{kind}?q=zanzibar", f"{kind}?sort=-created_at", f"{kind}/{ids[kind]}"):
            answer = call("GET", path)
            assert SECRET not in answer.get_data(as_text=True), path
        field = "name" if kind in ("customers", "contacts", "deals") else "subject"
        path = f"{kind}/{ids[kind]}"
        assert call("PATCH", path, {field: "Taken"}, If_Match="*").status_code in (403, 404), path
        assert call("DELETE", path, If_Match="*").status_code in (403, 404), path
        assert call("POST", f"{path}/restore").status_code in (403, 404), path
    talk = f"tickets/{ids['tickets']}/messages"
    assert call("GET", talk).status_code == 404
    assert call("POST", talk, {"kind": "note", "body": "x"}).status_code in (403, 404)
    # A foreign record can't be read by linking one's own to it either.
    linked = call("POST", "contacts", {"name": "Mine", "customer_id": ids["customers"]})
    assert linked.status_code == 422
    assert _versions(shop, ids) == before
