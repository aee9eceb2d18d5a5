"""The pages under Settings."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from kehu.core import db
from kehu.core.ids import new_id
from kehu.members.role_services import TeamService
from kehu.testkit.fixtures import Shop, count_queries

PAGES = ("firm", "members", "teams", "roles", "plugins", "tokens", "audit", "jobs", "billing")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_the_owner(shop: Shop, page: str) -> None:
    response = shop.client().get(f"/settings/{page}")
    assert response.status_code == 200
    assert 'aria-current="page"' in response.get_data(as_text=True)


def test_the_overview_shows_what_a_role_may_open(shop: Shop) -> None:
    owner = shop.client().get("/settings").get_data(as_text=True)
    viewer = shop.client(shop.member("viewer")).get("/settings").get_data(as_text=True)
    assert "/settings/tokens" in owner
    assert "/settings/tokens" not in viewer
    assert "/account" in viewer


def test_the_firm_is_changed_and_the_trail_says_so(shop: Shop) -> None:
    client = shop.client()
    form = {
        "name": "Harbour and Sons",
        "country": "CN",
        "currency": "CNY",
        "zone": "Asia/Shanghai",
        "locale": "zh_Hans",
    }
    assert client.post("/settings/firm", data=form).status_code == 303
    page = client.get("/settings/audit?object=tenants").get_data(as_text=True)
    assert "Harbour and Sons" in page
    assert "Europe/London" in page
    response = client.post("/settings/firm", data={**form, "zone": "Mars/Olympus", "name": "x"})
    assert response.status_code == 422
    assert "Choose a time zone" in response.get_data(as_text=True)


def test_a_plugin_is_switched_on_and_off(shop: Shop, other_shop: Shop) -> None:
    client = shop.client()
    assert "automotive" in client.get("/settings/plugins").get_data(as_text=True)
    assert client.post("/settings/plugins/automotive/on").status_code == 303
    page = client.get("/settings/plugins").get_data(as_text=True)
    assert "/settings/plugins/automotive/off" in page
    assert "/settings/plugins/automotive/on" in other_shop.client().get("/settings/plugins").get_data(
        as_text=True
    )
    assert client.post("/settings/plugins/automotive/off").status_code == 303
    assert client.post("/settings/plugins/nonsense/on").status_code == 404
    assert client.post("/settings/plugins/tenants/on").status_code == 404
    assert "switched off" in client.get("/settings/audit?object=plugins").get_data(as_text=True)


def test_a_token_is_shown_once_and_revoked(app: Flask, shop: Shop) -> None:
    client = shop.client()
    page = client.post("/settings/tokens", data={"name": "Shop", "reach": "*:read", "days": "30"}).get_data(
        as_text=True
    )
    found = re.search(r"kehu_[0-9a-f]{32}_[0-9a-f]{32}_[A-Za-z0-9-]+", page)
    assert found is not None
    assert found.group(0) not in client.get("/settings/tokens").get_data(as_text=True)
    row = re.search(r"/settings/tokens/([0-9a-f-]{36})/revoke", page)
    assert row is not None
    assert client.post(f"/settings/tokens/{row.group(1)}/revoke").status_code == 303
    assert "Revoked" in client.get("/settings/tokens").get_data(as_text=True)
    response = client.post("/settings/tokens", data={"name": "", "reach": "custom", "days": "7"})
    assert response.status_code == 422
    assert "Choose what the token may do" in response.get_data(as_text=True)


def test_the_trail_pages_by_key_and_filters(shop: Shop) -> None:
    member = shop.member("admin")
    with shop.work() as session:
        for number in range(60):
            TeamService(session).create(f"Team {number}")
    client = shop.client()
    first = client.get("/settings/audit?object=teams").get_data(as_text=True)
    older = re.search(r'href="(/settings/audit\?[^"]*after=[^"]*)"', first)
    assert older is not None
    second = client.get(older.group(1).replace("&amp;", "&")).get_data(as_text=True)
    assert "Team 59" in first
    assert "Team 59" not in second
    assert "Nothing matches" in client.get(f"/settings/audit?member={member.member_id}").get_data(
        as_text=True
    )
    assert "Nothing matches" in client.get("/settings/audit?until=2001-02-03").get_data(as_text=True)
    assert client.get("/settings/audit?since=nonsense&after=nonsense&until=9999-99-99").status_code == 200


def failed_job(app: Flask, shop: Shop, tenant_id: Any) -> int:
    statement = text(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts) "
        "VALUES ('mail', 'kehu.mail.deliver', CAST(:args AS jsonb), 'failed', 8) RETURNING id"
    )
    with app.app_context(), db.unit_of_work() as session:
        return int(
            session.execute(statement, {"args": json.dumps({"tenant_id": str(tenant_id)})}).scalar_one()
        )


def test_failed_jobs_of_this_firm_are_replayed(app: Flask, shop: Shop, other_shop: Shop) -> None:
    mine, theirs = failed_job(app, shop, shop.tenant.id), failed_job(app, shop, other_shop.tenant.id)
    client = shop.client()
    page = client.get("/settings/jobs").get_data(as_text=True)
    assert f"/settings/jobs/{mine}/replay" in page
    assert f"/settings/jobs/{theirs}/replay" not in page
    assert client.post(f"/settings/jobs/{theirs}/replay").status_code == 404
    assert client.post(f"/settings/jobs/{mine}/replay").status_code == 303
    assert client.post(f"/settings/jobs/{mine}/replay").status_code == 404
    assert client.post(f"/settings/jobs/{10**30}/replay").status_code == 404


def test_billing_is_said_to_be_off(shop: Shop) -> None:
    assert "Billing is switched off by the operator" in shop.client().get("/settings/billing").get_data(
        as_text=True
    )


def test_pages_ask_few_queries(shop: Shop) -> None:
    client = shop.client()
    client.post("/start/finish")
    client.get("/settings")
    with count_queries() as statements:
        client.get("/settings")
    # Tenant, identity and the saved views; nothing for switcher or checklist.
    assert len(statements) <= 3, statements.texts
    with count_queries() as statements:
        client.get("/settings/audit")
    assert len(statements) <= 5, statements.texts


def test_unknown_ids_are_not_found(shop: Shop) -> None:
    client = shop.client()
    for path in (f"/settings/members/{new_id()}", f"/settings/roles/{new_id()}"):
        assert client.get(path).status_code == 404
    for path in (f"/settings/tokens/{new_id()}/revoke", f"/settings/teams/{new_id()}/delete"):
        assert client.post(path).status_code == 404
