"""Whoever runs the installation sees all firms and acts on one, with a reason; nobody else finds the console."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import event, select, text

from billing import modes
from billing.accounts import AccountService
from billing.models import Override
from kehu.core import clock, context, db
from kehu.core.audit import AuditEntry
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop, make_shop, operator_client
from plugins.results import BillingMode
from tenants.models import Tenant
from tenants.services import TenantService

LIST = "/operator/tenants"
DAY = dt.timedelta(days=1)


def page_of(shop: Shop) -> str:
    return f"{LIST}/{shop.tenant.id}"


def trail(shop: Shop, action: str) -> AuditEntry:
    with shop.work(context.SYSTEM) as session:
        return (
            session.execute(
                select(AuditEntry)
                .where(AuditEntry.record_id == shop.tenant.id, AuditEntry.action == action)
                .order_by(AuditEntry.id.desc())
            )
            .scalars()
            .first()
        )


def test_nobody_else_finds_the_console(app: Flask, shop: Shop) -> None:
    client = shop.client()
    for path in ("/operator", LIST, page_of(shop)):
        assert client.get(path).status_code == 404
    assert client.post(f"{page_of(shop)}/suspend", data={"reason": "because"}).status_code == 404
    client.host = "localhost"
    assert client.get(LIST).status_code in (302, 303, 401)


def test_an_operator_without_a_second_factor_is_told_to_switch_it_on(app: Flask) -> None:
    answer = operator_client(app, second_factor=False).get(LIST)
    assert answer.status_code == 403, answer.headers
    assert "second factor" in answer.text


def test_the_console_speaks_the_operators_language_whatever_the_firms_is(app: Flask, shop: Shop) -> None:
    client = operator_client(app)
    with shop.work(context.SYSTEM) as session:
        session.get_one(Tenant, shop.tenant.id).locale = "ru"
    assert ">Suspend<" in client.get(page_of(shop)).text


def test_the_console_is_served_on_the_installations_own_host_only(app: Flask, shop: Shop) -> None:
    client = operator_client(app)
    cookie = client.get_cookie("kehu_session")
    assert cookie is not None
    client.host = f"{shop.tenant.address}.localhost"
    client.set_cookie("kehu_session", cookie.value, domain=client.host)
    answer = client.get(f"{LIST}?q=x")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "http://localhost:8000/operator/tenants?q=x",
    )
    assert client.post(f"{page_of(shop)}/suspend", data={"reason": "because"}).status_code == 404


def test_the_list_finds_firms_and_costs_the_same_for_one_and_for_many(app: Flask, shop: Shop) -> None:
    word = f"Zyx{new_id().hex[-8:]}"
    firms = [make_shop(app, name=f"{word} {number}") for number in range(3)]
    client = operator_client(app)
    page = client.get(f"{LIST}?q={word.lower()}").text
    assert [page.count(f"{word} {number}<") for number in range(3)] == [1, 1, 1]
    assert page.index(f"{word} 2") < page.index(f"{word} 0")
    with firms[0].work(context.SYSTEM) as session:
        TenantService(session).set_state("suspended", "test")
    assert f"{word} 0" not in client.get(f"{LIST}?q={word}&state=active").text
    assert f"{firms[1].tenant.address}.localhost" in page
    owner = firms[1].owner.email
    found = client.get(LIST, query_string={"q": owner}).text
    assert f"{word} 1" in found
    assert f"{word} 2" not in found
    assert f"{word} 2" in client.get(LIST, query_string={"q": str(firms[2].tenant.id)}).text
    counts = []
    for query in (str(firms[2].tenant.id), word):
        seen: list[str] = []

        def note(_c: object, _cur: object, statement: str, *_rest: object, seen: list[str] = seen) -> None:
            seen.append(statement)

        event.listen(db.engine("cross"), "before_cursor_execute", note)
        client.get(LIST, query_string={"q": query})
        event.remove(db.engine("cross"), "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 6


def test_the_list_pages_by_key(app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    word = f"Pag{new_id().hex[-8:]}"
    for number in range(3):
        make_shop(app, name=f"{word} {number}")
    monkeypatch.setattr("tenants.console.listing.SHOWN", 2)
    client = operator_client(app)
    first = client.get(f"{LIST}?q={word}").text
    assert f"{word} 2" in first
    assert f"{word} 0" not in first
    link = first.split("Next page")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = client.get(link).text
    assert f"{word} 0" in second
    assert f"{word} 1" not in second
    assert "Next page" not in second


def test_each_look_over_firms_is_kept_with_the_operators_name(app: Flask, shop: Shop) -> None:
    name = f"Olga {new_id().hex[-6:]}"
    client = operator_client(app, name)
    client.get(LIST)
    assert client.get(page_of(shop)).status_code == 200
    with shop.work() as session:
        uses = session.execute(
            text("SELECT reason FROM cross_tenant_uses WHERE actor = :name ORDER BY at"), {"name": name}
        ).scalars()
        assert list(uses) == [
            "an operator lists firms",
            f"an operator looks at the firm {shop.tenant.id}",
        ]


def test_a_firm_is_suspended_and_released_with_a_reason_under_the_operators_name(
    app: Flask, shop: Shop
) -> None:
    client = operator_client(app)
    url = f"{page_of(shop)}/suspend"
    refused = client.post(url, data={"reason": " "})
    assert refused.status_code == 422
    assert "stands in the firm" in refused.text
    assert client.post(url, data={"reason": "spam reports"}).status_code == 303
    assert shop.client().get("/customers").status_code in (302, 303, 401)
    entry = trail(shop, "updated")
    assert (entry.actor_name, entry.source) == ("Olga Operator", "operator")
    assert entry.changes["reason"] == [None, "spam reports"]
    assert client.post(url, data={"reason": "again"}).status_code == 404
    page = client.get(page_of(shop)).text
    assert "spam reports" in page
    assert client.post(f"{page_of(shop)}/resume", data={"reason": "was a mistake"}).status_code == 303
    assert shop.client().get("/customers").status_code == 200
    assert client.post(f"{LIST}/{new_id()}/suspend", data={"reason": "nobody"}).status_code == 404
    assert client.post(url, data={"reason": "forged"}, forged=True).status_code == 409


def test_phase_and_seats_are_seen_and_billing_is_set_with_a_reason(app: Flask, shop: Shop) -> None:
    client = operator_client(app)
    assert "Phase" not in client.get(LIST).text
    with modes.use(BillingMode.DEMO):
        with shop.work(context.SYSTEM) as session:
            AccountService(session).lock()
        line = client.get(LIST, query_string={"q": str(shop.tenant.id), "phase": "trial"}).text
        for words in ("Trial", "1 / 0", shop.tenant.address):
            assert words in line
        assert (
            shop.tenant.address
            not in client.get(LIST, query_string={"q": str(shop.tenant.id), "phase": "held"}).text
        )
        url = page_of(shop)
        assert client.post(f"{url}/hold", data={"reason": "dispute 12"}).status_code == 303
        page = client.get(url).text
        for words in ("On hold", "dispute 12", "Take the hold back", "Mira Sol", "Ledger of seats"):
            assert words in page, words
        assert client.post(f"{url}/release", data={"reason": "settled"}).status_code == 303
        given = {"feature": "plugins", "value": "1", "until": "x", "reason": "pilot"}
        assert client.post(f"{url}/override", data=given).status_code == 422
        until = (clock.now() + DAY * 3).date()
        assert client.post(f"{url}/override", data={**given, "until": str(until)}).status_code == 303
        with shop.work(context.SYSTEM) as session:
            row = session.execute(select(Override)).scalar_one()
        assert (row.actor, row.reason, row.until.date()) == ("Olga Operator", "pilot", until + DAY)
        assert "pilot" in client.get(url).text


def test_a_trial_is_extended_but_not_shortened_nor_given_to_who_has_a_plan(app: Flask, shop: Shop) -> None:
    client, url = operator_client(app), f"{page_of(shop)}/extend-trial"
    with modes.use(BillingMode.DEMO):
        with shop.work(context.SYSTEM) as session:
            TenantService(session).row().zone = "America/New_York"  # The last day is the firm's, not ours.
        shop.tenant = replace(shop.tenant, zone="America/New_York")
        with shop.work(context.SYSTEM) as session:
            service = AccountService(session)
            account = service.lock()
            account.trial_ends_at = clock.now() - DAY
            assert service.refresh(account).phase.value == "trial_over"
        past = {"until": str((clock.now() - DAY * 9).date()), "reason": "asked for it"}
        assert client.post(url, data=past).status_code == 422
        later = str((clock.now() + DAY * 9).date())
        assert client.post(url, data={"until": later, "reason": "asked for it"}).status_code == 303
        with shop.work(context.SYSTEM) as session:
            account = AccountService(session).find()
            assert account.phase == "trial"
            there = account.trial_ends_at.astimezone(shop.tenant.tz)
            assert (str(there.date() - DAY), there.time()) == (later, dt.time())
        assert trail(shop, "trial").changes["reason"] == [None, "asked for it"]
