"""An owner lets support in for a while; an operator inside is held to it, kept, and out when it ends."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from kehu.accounts.models import LoginSession, User
from kehu.core import clock, context, jobs
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.members.models import Member
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import Shop, operator_client
from tenants.support.edge import COOKIE
from tenants.support.models import SupportGrant, SupportVisit
from tenants.support.services import SupportService, rights

PAGE = "/settings/support"
WHY = {"reason": "ticket 4711"}
HOUR = dt.timedelta(hours=1)


def let_in(shop: Shop, hours: str = "4", *, writes: bool = False) -> None:
    given = {"hours": hours, **({"writes": "1"} if writes else {})}
    assert shop.client().post(PAGE, data=given).status_code == 303


def enter_url(shop: Shop) -> str:
    return f"/operator/tenants/{shop.tenant.id}/support/enter"


def inside(shop: Shop, *, writes: bool = False) -> Browser:
    """Return the browser of an operator who is in a firm."""
    let_in(shop, writes=writes)
    client = operator_client(shop.app)
    assert client.post(enter_url(shop), data=WHY).status_code == 303
    assert client.get("/customers").status_code == 200
    return client


def entries(shop: Shop, **where: Any) -> list[AuditEntry]:
    with shop.work() as session:
        statement = select(AuditEntry).order_by(AuditEntry.id)
        for name, value in where.items():
            statement = statement.where(getattr(AuditEntry, name) == value)
        return list(session.execute(statement).scalars())


def is_out(client: Browser, shop: Shop) -> None:
    """Check that a browser is in no firm: reading leads out, and writing changes nothing."""
    answer = client.get("/customers")
    assert answer.status_code in (302, 303), answer.status_code
    assert "/operator" in answer.headers["Location"] or "/login" in answer.headers["Location"]
    assert shop.tenant.name not in client.get("/firms").text


def test_nobody_comes_in_without_an_owners_word(app: Flask, shop: Shop) -> None:
    client = operator_client(app)
    refused = client.post(enter_url(shop), data=WHY)
    assert refused.status_code == 409
    assert "Support access" in refused.text
    with client.session_transaction() as cookie:
        assert COOKIE not in cookie


@pytest.mark.parametrize("role", ["admin", "manager", "member", "viewer"])
def test_only_an_owner_lets_support_in(shop: Shop, role: str) -> None:
    client = shop.client(shop.member(role))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, data={"hours": "4"}).status_code == 403
    assert client.post(f"{PAGE}/end").status_code == 403


def test_the_length_is_one_of_the_choices_and_a_reason_is_needed(app: Flask, shop: Shop) -> None:
    for hours in ("", "0", "1000", "-4", "4.5", "many"):
        assert shop.client().post(PAGE, data={"hours": hours}).status_code == 422
    let_in(shop)
    assert operator_client(app).post(enter_url(shop), data={"reason": " "}).status_code == 422


def test_support_looks_and_each_page_is_kept_under_its_name(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        service_for("customers", session).create({"name": "Secret Garden Ltd"})
    client = inside(shop)
    page = client.get("/customers")
    for words in ("Secret Garden Ltd", "to look only", "Leave the firm"):
        assert words in page.text, words
    assert "to look only" in client.get("/").text
    name = "Olga Operator of support for Mira Sol"
    kept = [(one.action, one.title) for one in entries(shop, object="support") if one.actor_name == name]
    assert kept[0][0] == "entered"
    assert ("opened", "/customers") in kept
    assert all(one.member_id is None for one in entries(shop, actor_kind="support"))
    owner = shop.client()
    trail = owner.get("/settings/audit?object=support").text
    for words in (name, "ticket 4711", "came in", "/customers"):
        assert words in trail, words
    assert "ticket 4711" in owner.get(PAGE).text
    assert "ticket 4711" in client.get(f"/operator/tenants/{shop.tenant.id}").text


def test_support_that_may_look_changes_nothing_whatever_it_sends(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        made = service_for("customers", session).create({"name": "Before"})
        customer_id = made.id
    client = inside(shop)
    with shop.work() as session:
        before = session.execute(
            text("SELECT count(*) FROM audit_entries WHERE object <> 'support' AND tenant_id = :t"),
            {"t": shop.tenant.id},
        ).scalar()
    rules = [
        (method, str(rule.rule).replace("<uuid:record_id>", str(customer_id)))
        for rule in app.url_map.iter_rules()
        for method in ("POST", "PUT", "DELETE", "PATCH")
        if method in (rule.methods or ())
        and not rule.rule.startswith(("/operator", "/api/", "/logout", "/dev/"))
        and "<" not in str(rule.rule).replace("<uuid:record_id>", "")
    ]
    assert len(rules) > 40
    for method, path in rules:
        answer = client.open(path, method=method, data={"name": "After", "hours": "4"})
        assert answer.status_code in (303, 403, 404, 405), (path, answer.status_code)
        assert answer.status_code != 303 or "trailing" in path, path
    with shop.work() as session:
        assert (
            session.execute(select(Customer.name).where(Customer.id == customer_id)).scalar_one() == "Before"
        )
        after = session.execute(
            text("SELECT count(*) FROM audit_entries WHERE object <> 'support' AND tenant_id = :t"),
            {"t": shop.tenant.id},
        ).scalar()
    assert after == before


@pytest.mark.parametrize("allowed", [False, True])
def test_support_never_reaches_passwords_tokens_billing_members_or_exports(
    app: Flask, shop: Shop, allowed: bool
) -> None:
    client = inside(shop, writes=allowed)
    for path in (
        *("/account", "/account/second", "/firms", "/firms/new", f"/switch/{shop.tenant.id}"),
        *("/settings/billing", "/settings/tokens", "/settings/roles", "/settings/firm", "/settings/archive"),
        *(
            "/settings/plugins",
            "/settings/webhooks",
            "/settings/jobs",
            PAGE,
            "/customers/export",
            "/reports/pipeline.csv",
        ),
    ):
        assert client.get(path).status_code in (403, 404), path
    for path in (
        "/account/password",
        "/account/profile",
        PAGE,
        f"{PAGE}/end",
        "/settings/archive",
        "/firms/new",
    ):
        assert client.post(path, data={"hours": "168", "writes": "1"}).status_code in (403, 404), path
    assert not [
        code
        for code in rights(writes=True)
        if code.split(":")[1] in ("manage", "export", "import", "erase", "send", "grant", "share")
    ]
    assert not {"members:write", "webhooks:read", "webhooks:write"} & set(rights(writes=True))


def test_with_the_owners_word_support_changes_records_under_its_own_name(app: Flask, shop: Shop) -> None:
    client = inside(shop, writes=True)
    assert "can change records" in client.get("/customers").text
    made = client.post("/customers/new", data={"name": "Made by support", "kind": "company"})
    assert made.status_code in (200, 204, 303), made.text[:300]
    entry = entries(shop, object="customers", action="created")[-1]
    assert (entry.actor_name, entry.actor_kind, entry.member_id, entry.source) == (
        "Olga Operator of support for Mira Sol",
        "support",
        None,
        "support",
    )


def test_support_takes_no_seat_and_is_no_member(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        before = session.execute(select(Member.id)).scalars().all()
    client = inside(shop)
    with shop.work() as session:
        assert session.execute(select(Member.id)).scalars().all() == before
    assert "Olga" not in shop.client().get("/settings/members").text
    assert client.get("/settings/members").status_code in (200, 403)


def over_revoked(shop: Shop, _client: Browser) -> None:
    assert shop.client().post(f"{PAGE}/end").status_code == 303


def over_replaced(shop: Shop, _client: Browser) -> None:
    let_in(shop, "1")


def over_mark_gone(shop: Shop, _client: Browser) -> None:
    with shop.work(context.SYSTEM) as session:
        visit = session.execute(select(SupportVisit)).scalar_one()
        user = session.get(User, visit.user_id)
        assert user is not None
        user.operator = False


def over_owner_parked(shop: Shop, _client: Browser) -> None:
    with shop.work(context.SYSTEM) as session:
        session.execute(select(Member)).scalars().first().state = "parked"  # type: ignore[union-attr]


def over_left(_shop: Shop, client: Browser) -> None:
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    assert client.get("/support/leave").status_code == 303
    with client.session_transaction() as cookie:
        cookie.update({name: kept[name] for name in (COOKIE, "tenant_id")})


@pytest.mark.parametrize(
    "end", [over_revoked, over_replaced, over_owner_parked, over_left], ids=lambda one: one.__name__
)
def test_who_is_inside_is_out_with_the_next_click(
    app: Flask, shop: Shop, end: Callable[[Shop, Browser], None]
) -> None:
    client = inside(shop, writes=True)
    end(shop, client)
    answer = client.post("/customers/new", data={"name": "Too late", "kind": "company"})
    assert answer.status_code == 403, answer.status_code
    is_out(client, shop)
    with shop.work(context.SYSTEM) as session:
        assert session.execute(select(Customer.id).where(Customer.name == "Too late")).first() is None


def test_without_the_mark_of_an_operator_nothing_is_left(app: Flask, shop: Shop) -> None:
    client = inside(shop, writes=True)
    over_mark_gone(shop, client)
    assert client.get("/customers").status_code == 303
    assert client.get(f"/operator/tenants/{shop.tenant.id}").status_code == 404


@pytest.mark.parametrize("hours", [1, 4])
def test_it_ends_by_itself(app: Flask, shop: Shop, hours: int) -> None:
    let_in(shop, str(hours) if hours == 1 else "168")
    client = operator_client(app)
    client.post(enter_url(shop), data=WHY)
    with clock.ahead(HOUR * hours - dt.timedelta(minutes=1)):
        assert client.get("/customers").status_code == 200
    with clock.ahead(HOUR * hours):
        assert client.get("/customers").status_code == 303
    if hours == 1:
        with clock.ahead(HOUR):
            assert client.post(enter_url(shop), data=WHY).status_code == 409


def test_a_visit_is_good_in_its_own_firm_browser_and_for_its_own_person_only(
    app: Flask, shop: Shop, other_shop: Shop
) -> None:
    client = inside(shop)
    with client.session_transaction() as cookie:
        visit, mine = cookie[COOKIE], dict(cookie)
    stranger = operator_client(app, "Otto Other")
    with stranger.session_transaction() as cookie:
        cookie[COOKIE], cookie["tenant_id"] = visit, str(shop.tenant.id)
    is_out(stranger, shop)
    member = other_shop.client()
    with member.session_transaction() as cookie:
        cookie[COOKIE] = visit
    assert member.get("/customers").status_code == 303
    with client.session_transaction() as cookie:
        cookie["tenant_id"] = str(other_shop.tenant.id)
    is_out(client, other_shop)
    with shop.work(context.SYSTEM) as session:
        user_id = session.execute(select(SupportVisit.user_id)).scalar_one()
        again = LoginSession(id=new_id(), user_id=user_id, address="10.0.0.1", agent="elsewhere")
        session.add(again)
        again_id = str(again.id)
    elsewhere = browser(app)
    with elsewhere.session_transaction() as cookie:
        cookie.update({**mine, "kehu_sid": again_id})
    is_out(elsewhere, shop)


def test_signing_out_ends_the_visit_for_good(app: Flask, shop: Shop) -> None:
    client = inside(shop)
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    client.post("/logout")
    with client.session_transaction() as cookie:
        cookie.update(kept)
    assert client.get("/customers").status_code == 303
    with shop.work() as session:
        visit = session.execute(select(SupportVisit)).scalar_one()
        service = SupportService(session)
        assert service.live(visit.id, visit.user_id, visit.session_id) is None


def test_a_job_that_support_left_behind_has_its_rights_and_none_when_it_is_over(
    app: Flask, shop: Shop
) -> None:
    let_in(shop)
    client = operator_client(app)
    client.post(enter_url(shop), data=WHY)
    with shop.work() as session:
        visit_id = session.execute(select(SupportVisit.id)).scalar_one()
    with shop.work():
        who = jobs._acting(str(visit_id))
        assert (who.kind, who.scope("customers:read"), who.scope("customers:write")) == (
            "support",
            "all",
            None,
        )
    with shop.work(who) as session:
        jobs.enqueue(session, "addons.deliver", batch_id=visit_id)
        asked = text("SELECT args ->> 'member_id' FROM procrastinate_jobs WHERE args ->> 'batch_id' = :id")
        assert session.execute(asked, {"id": str(visit_id)}).scalar_one() == str(visit_id)
        session.rollback()
    shop.client().post(f"{PAGE}/end")
    with shop.work():
        gone = jobs._acting(str(visit_id))
        assert (gone.kind, dict(gone.permissions)) == ("job", {})


def test_two_owners_allow_it_at_once_and_one_word_counts(shop: Shop) -> None:
    barrier, found = threading.Barrier(2), []

    def allow() -> None:
        try:
            with shop.work() as session:
                barrier.wait()
                SupportService(session).grant("4", writes=False)
            found.append("ok")
        except Conflict:
            found.append("conflict")

    threads = [threading.Thread(target=allow) for _owner in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "ok" in found
    with shop.work() as session:
        assert len(session.execute(select(SupportGrant).where(SupportGrant.ended_at.is_(None))).all()) == 1
