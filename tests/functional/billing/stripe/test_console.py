"""Operators and Stripe: refused deliveries and our clock, replay, a comparison of one customer, orders that hang."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import delete, select

from billing.accounts import AccountService
from billing.stripe import refusals, sync
from billing.stripe.models import Operation, ReconDiff
from billing.stripe.provider import StripeProvider
from billing.stripe.refusals import Refusal
from billing.stripe.words import EXTENSION
from kehu.core import clock, context
from kehu.core.audit import AuditEntry
from kehu.core.ids import new_id
from kehu.testkit.fixtures import operator_client
from kehu.testkit.queue import work_off
from tests.functional.billing.stripe.conftest import Firm, event, post, sync_of

HEALTH = "/operator/health"
WHY = {"reason": "they phoned"}


def page_of(firm: Firm) -> str:
    return f"/operator/tenants/{firm.shop.tenant.id}"


def refuse(app: Flask, ago: int) -> None:
    assert post(app, event("customer.updated", {}), ago=ago).status_code == 400


def forget(firm: Firm) -> None:
    with firm.shop.work(context.SYSTEM) as session:
        session.execute(delete(Refusal))


def test_case_57_genuine_events_late_by_the_same_time_say_that_our_clock_runs_ahead(
    app: Flask, firm: Firm
) -> None:
    client = operator_client(app)
    forget(firm)
    for ago in (900, 4_000, 90_000):
        refuse(app, ago)
    assert "runs ahead" not in client.get(HEALTH).text
    forget(firm)
    for ago in (601, 605, 640):
        refuse(app, ago)
    assert post(app, event("customer.updated", {}), secret="whsec_other").status_code == 400
    page = client.get(HEALTH).text
    for words in ("all by about 60", "Signed long ago", "Signed with another secret", "stripe"):
        assert words in page, words
    with firm.shop.work(context.SYSTEM) as session:
        row = session.get(Refusal, (clock.now().date(), "secret"))
        assert row is not None
        assert (row.count, row.least) == (1, None)
        assert refusals.clock_ahead(session) in (601, 602)


def test_an_event_of_nobody_is_seen_and_replayed(app: Flask, firm: Firm) -> None:
    client, customer = operator_client(app), f"cus_{new_id().hex[:14]}"
    post(app, event("customer.updated", {"object": "customer", "id": customer}))
    with app.app_context():
        assert sync.bring_up(firm.gateway, customer) == "parked"
    assert customer in client.get(HEALTH).text
    wanted = sync_of(app, customer)
    assert client.post("/operator/billing/replay", data={"customer": customer}).status_code == 303
    again = sync_of(app, customer)
    assert wanted is not None
    assert again is not None
    assert again.want == wanted.want + 1
    assert f"has the customer {customer} fetched anew" in client.get(HEALTH).text
    stranger = {"customer": f"cus_{new_id().hex[:14]}x"}
    assert client.post("/operator/billing/replay", data=stranger).status_code == 404


def test_a_customer_is_fetched_anew_and_compared_with_a_reason(app: Flask, firm: Firm) -> None:
    client, url = operator_client(app), page_of(firm)
    bought = firm.subscribe(3)
    assert client.post(f"{url}/replay", data={"reason": ""}).status_code == 422
    assert client.post(f"{url}/replay", data=WHY).status_code == 303
    work_off(firm.shop)
    assert firm.mirror() == [("active", 3, True)]
    firm.seats(bought, 9)
    assert client.post(f"{url}/reconcile", data=WHY).status_code == 303
    work_off(firm.shop)
    page = client.get(HEALTH).text
    assert "Stripe 9, here 3" in page
    assert url in page
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 9, True)]
    assert client.post(f"{url}/reconcile", data=WHY).status_code == 303
    work_off(firm.shop)
    with firm.shop.work(context.SYSTEM) as session:
        left = select(ReconDiff).where(ReconDiff.customer_id == firm.customer)
        assert session.execute(left).first() is None
        kept = select(AuditEntry).where(AuditEntry.action.in_(("replayed", "compared")))
        rows = session.execute(kept).scalars().all()
        assert {(row.actor_name, row.changes["reason"][1]) for row in rows} == {
            ("Olga Operator", "they phoned")
        }
    page = client.get(url).text
    for words in (firm.customer, "customer", "Fetch from Stripe anew", "Active"):
        assert words in page, words


def test_an_order_that_hangs_is_seen_and_carried_out_again(
    app: Flask, firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, EXTENSION, StripeProvider(firm.gateway))
    client, url = operator_client(app), page_of(firm)
    assert client.post(f"{url}/retry", data=WHY).status_code == 409
    bought = firm.subscribe(3)
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    with firm.shop.work(context.SYSTEM) as session:
        made = Operation(
            id=new_id(),
            kind="cancel",
            desired={"subscription": bought},
            state="pending",
            actor_name="Mira Sol",
            made_at=clock.now() - dt.timedelta(minutes=9),
        )
        session.add(made)
        made_id = made.id
    page = client.get(HEALTH).text
    assert "Orders that hang" in page
    assert url in page
    assert client.post(f"{url}/retry", data=WHY).status_code == 303
    work_off(firm.shop)
    with firm.shop.work() as session:
        row = session.execute(select(Operation).where(Operation.id == made_id)).scalar_one()
        assert row.state == "done"
        subscription = AccountService(session).subscription()
        assert subscription is not None
        assert subscription.cancel_at is not None
    assert (
        firm.shop.tenant.name not in client.get(HEALTH).text.split("Leases")[0].split("Orders and leases")[1]
    )


def test_a_firm_that_is_no_customer_yet_can_not_be_fetched(app: Flask, firm: Firm) -> None:
    with firm.shop.work(context.SYSTEM) as session:
        account = AccountService(session).find()
        assert account is not None
        account.stripe_customer_id = None
    refused = operator_client(app).post(f"{page_of(firm)}/replay", data=WHY)
    assert refused.status_code == 409
    assert "no customer at Stripe" in refused.text
