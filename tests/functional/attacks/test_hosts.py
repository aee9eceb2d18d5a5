"""Cookies, hosts and keys of one firm at the door of another."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select, text

from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import Shop
from kehu.testkit.rest import Caller
from kehu.views.drafts import draft_text


def carried(shop: Shop, host: str) -> Browser:
    """Return a browser at another host, with the cookie of the firm's owner."""
    cookie = shop.client().get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    guest = browser(shop.app, host)
    guest.set_cookie("kehu_session", cookie.value, domain=host.partition(":")[0].lower())
    return guest


def test_a_cookie_of_one_firm_is_none_at_another(shop: Shop, other_shop: Shop) -> None:
    with other_shop.work() as session:
        service_for("customers", session).create({"name": "Zanzibar"})
    for host in (f"{other_shop.tenant.address}.localhost", f"{other_shop.tenant.address}.localhost:8000"):
        answer = carried(shop, host).get("/customers")
        assert answer.status_code == 303
        assert carried(shop, host).post("/customers/new", data={"name": "x"}).status_code == 401


@pytest.mark.parametrize(
    "host",
    ["nobody-here.localhost", "www.localhost", "a.b.localhost", "-.localhost"],
)
def test_unknown_sub_domains_hold_no_firm(shop: Shop, host: str) -> None:
    guest = carried(shop, host)
    for path in ("/customers", "/deals/board", "/settings/members"):
        assert guest.get(path).status_code in (303, 404)
    assert guest.post("/customers/new", data={"name": "x"}).status_code in (401, 404)


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Server"]
)
def test_headers_of_proxies_that_nobody_set_up_count_for_nothing(
    shop: Shop, other_shop: Shop, header: str
) -> None:
    with other_shop.work() as session:
        service_for("customers", session).create({"name": "Zanzibar"})
    host = f"{other_shop.tenant.address}.localhost"
    answer = shop.client().get(
        "/customers", headers={header: f"host={host}" if header == "Forwarded" else host}
    )
    assert answer.status_code == 200
    assert "Zanzibar" not in answer.get_data(as_text=True)


def test_mails_lead_to_the_set_address_whatever_the_host_says(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        from kehu.accounts.models import User

        user = session.get(User, shop.owner.user_id)
        assert user is not None
        email = user.email
    before = app.extensions["kehu.settings"]
    from dataclasses import replace

    app.extensions["kehu.settings"] = replace(before, mail_url="smtp://127.0.0.1:1")
    try:
        browser(app, "evil.example").post("/reset", data={"email": email})
    finally:
        app.extensions["kehu.settings"] = before
    with shop.work() as session:
        statement = text(
            "SELECT args::text FROM procrastinate_jobs WHERE task_name = 'kehu.mail.deliver' AND args->>'to' = :to"
        )
        for told in session.execute(statement, {"to": email}).scalars():
            assert "evil.example" not in told


def test_a_firm_of_others_can_not_be_chosen(app: Flask, shop: Shop, other_shop: Shop) -> None:
    client = shop.client()
    assert client.get(f"/switch/{other_shop.tenant.id}").status_code == 404
    with client.session_transaction() as cookie:
        assert cookie["tenant_id"] == str(shop.tenant.id)
    # Even a cookie that names it (as after being removed there) opens nothing.
    plain = carried(shop, "localhost")
    with plain.session_transaction() as cookie:
        cookie["tenant_id"] = str(other_shop.tenant.id)
    assert plain.get("/customers").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "///evil.example",
        "/%0d%0aX: y",
        "javascript:1",
    ],
)
def test_no_way_leads_out_of_the_site(shop: Shop, target: str) -> None:
    client = shop.client(shop.member("admin"))
    for answer in (
        client.get("/language/en", query_string={"next": target}),
        client.post("/settings/plugins/automotive/on", data={"next": target}),
        client.post("/settings/plugins/automotive/off", data={"next": target}),
        client.get("/login", query_string={"next": target}),
    ):
        location = answer.headers.get("Location", "/")
        assert re.match(r"/(?![/\\])", location), location
        assert "evil" not in location


def test_keys_of_requests_are_ones_own(shop: Shop, other_shop: Shop) -> None:
    mine, theirs = Caller(shop), Caller(other_shop)
    first = mine("POST", "customers", {"name": "Same"}, Idempotency_Key="k1")
    second = theirs("POST", "customers", {"name": "Same"}, Idempotency_Key="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] != second.json["id"]
    colleague = Caller(shop, actor=shop.member("manager"))
    third = colleague("POST", "customers", {"name": "Another"}, Idempotency_Key="k1")
    assert third.status_code == 201
    assert third.json["id"] != first.json["id"]


def test_drafts_of_two_firms_do_not_meet(shop: Shop, other_shop: Shop) -> None:
    for one, words in ((shop, "ours"), (other_shop, "theirs")):
        assert one.client().put("/drafts/same-key", data={"text": words}).status_code == 204
    with shop.work() as session:
        assert draft_text(session, "same-key") == "ours"


def test_views_of_colleagues_are_theirs(shop: Shop) -> None:
    from kehu.views.services import ViewService

    with shop.work() as session:
        service_for("customers", session).create({"name": "Zanzibar"})
        view = ViewService(session).create("customers", "My private list", "q=zanzibar", [])
        session.flush()
        view_id = view.id
    client = shop.client(shop.member("admin"))
    page = client.get(f"/customers?view={view_id}").get_data(as_text=True)
    assert "My private list" not in page
    for action in ("save", "edit", "delete"):
        assert client.post(f"/views/{view_id}/{action}", data={"name": "Taken"}).status_code == 404


# --- more fields than a form has --------------------------------------------------------------------------


def test_forms_take_only_the_fields_they_have(shop: Shop, other_shop: Shop) -> None:
    client = shop.client()
    extra = {
        "tenant_id": str(other_shop.tenant.id),
        "id": "01939000-0000-7000-8000-000000000000",
        "number": "999",
        "version": "77",
        "created_by": str(other_shop.owner.member_id),
        "created_at": "2001-01-01",
        "deleted_at": "2001-01-01",
        "custom": '{"x": 1}',
        "full": "1",
    }
    assert client.post("/customers/new", data={"name": "Mass", **extra}).status_code in (204, 303)
    model = registered()["customers"].model
    with shop.work() as session:
        row = session.execute(select(model).where(model.name == "Mass")).scalar_one()
        assert (row.version, row.deleted_at, row.created_by) == (1, None, shop.owner.member_id)
        assert (row.tenant_id, row.custom) == (shop.tenant.id, {})
        assert str(row.id) != extra["id"]
        assert row.number != 999
        assert row.created_at.year > 2001
        customer = row.id
    for key in ("tenant_id", "id", "number", "version", "created_by", "deleted_at", "custom", "search"):
        answer = client.post(f"/customers/{customer}/field/{key}", data={key: "1", "version": "1"})
        assert answer.status_code in (403, 404, 422), key
    refused = client.post(
        f"/customers/{customer}/field/owner_id",
        data={"owner_id": str(other_shop.owner.member_id), "version": "1"},
    )
    assert refused.status_code == 422


@pytest.mark.parametrize(
    "key", ["tenant_id", "id", "version", "number", "created_by", "deleted_at", "__class__"]
)
def test_the_api_names_what_it_does_not_take(shop: Shop, key: str) -> None:
    call = Caller(shop)
    answer = call("POST", "customers", {"name": "Mass", key: "01939000-0000-7000-8000-000000000000"})
    assert answer.status_code == 422
    assert key in answer.json["errors"]
    made = call.made("customers", name="Plain")
    answer = call("PATCH", f"customers/{made['id']}", {key: "x"}, If_Match="*")
    assert answer.status_code == 422


def test_another_firms_member_owns_nothing_here(shop: Shop, other_shop: Shop) -> None:
    call = Caller(shop)
    theirs = str(other_shop.owner.member_id)
    for name, body in {
        "customers": {"name": "A", "owner_id": theirs},
        "deals": {"name": "A", "owner_id": theirs},
        "tickets": {"subject": "A", "assignee_id": theirs},
        "activities": {"kind": "task", "subject": "A", "owner_id": theirs},
    }.items():
        assert call("POST", name, body).status_code == 422, name
        assert shop.client().post(f"/{name}/new", data=body).status_code == 422, name


# --- a session that ended while somebody wrote ------------------------------------------------------------


def test_what_was_typed_stays_when_the_session_ended(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
    client = shop.client()
    client.get(f"/customers/{customer}")
    with shop.work() as session:
        session.execute(
            text("UPDATE login_sessions SET revoked_at = now() WHERE user_id = :id"),
            {"id": shop.owner.user_id},
        )
    for path, data in (
        (
            "/activities/log",
            {"object": "customers", "record_id": str(customer), "kind": "note", "text": "Long"},
        ),
        ("/customers/new", {"name": "Typed"}),
        (f"/customers/{customer}/edit", {"name": "Typed", "version": "1"}),
    ):
        answer = client.post(path, data=data, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        assert answer.status_code == 401
        assert "kehu:signin" in answer.headers["HX-Trigger"]
        assert answer.get_data() == b""  # Nothing replaces the page on which it stands.
    with shop.work() as session:
        assert service_for("customers", session).get(customer).name == "Northwind"
