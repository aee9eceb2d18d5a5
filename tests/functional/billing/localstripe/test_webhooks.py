"""Layer 5: events that somebody else's code made, signed and sent, in no order and in shapes of an older version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from billing.accounts import AccountService
from billing.models import Subscription
from billing.stripe import plain, sync
from billing.stripe.gateway import Gateway
from billing.stripe.models import StripeEvent, Sync
from billing.stripe.views import EXTENSION
from kehu.core import db
from kehu.testkit.fixtures import Shop
from tests.functional.billing.localstripe.conftest import Door, Second, wait_for


class Old(Gateway):
    """The gateway without what localstripe lacks: coupons, a list filtered by date, credit notes, disputes."""

    def _bought(self, customer_id: str) -> list[Mapping[str, Any]]:
        found = self.api.subscriptions.list({"customer": customer_id, "status": "all"}).data
        return [one.to_dict() for one in found]

    def _bills(self, customer_id: str) -> dict[str, Mapping[str, Any]]:
        found = self.api.invoices.list({"customer": customer_id}).data
        return {one.id: one.to_dict() for one in found if one.status != "draft"}

    def _taken_back(self, customer_id: str) -> tuple[list[Any], list[Any], list[Any]]:
        return [], [], []


def _subscribe(second: Second, seats: int = 3, card: str = "pm_card_visa") -> tuple[str, str]:
    """Return customer and subscription, bought as localstripe knows it: by a plan, which is no price."""
    v1 = second.v1
    customer = v1.customers.create({"name": "Harbour"}).id
    method = v1.payment_methods.attach(card, {"customer": customer}).id
    v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    base = {"product": {"name": "Team"}, "currency": "eur", "amount": 2000, "interval": "month"}
    item = {"plan": v1.plans.create(base).id, "quantity": seats}
    return customer, v1.subscriptions.create({"customer": customer, "items": [item]}).id


def _rows(app: Flask, ids: set[str]) -> dict[str, StripeEvent]:
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        found = session.execute(select(StripeEvent).where(StripeEvent.id.in_(ids))).scalars()
        return {row.id: row for row in found}


def _all_here(app: Flask, second: Second) -> dict[str, StripeEvent]:
    """Wait until every event that localstripe lists is stored, and return the rows."""
    told = {one.id: one.type for one in second.v1.events.list({"limit": 100}).data}
    wait_for(lambda: len(_rows(app, set(told))) == len(told), "an event did not arrive")
    rows = _rows(app, set(told))
    assert {row.id: row.type for row in rows.values()} == told
    return rows


def _bring_up(app: Flask, gateway: Gateway, customer: str) -> str:
    with app.app_context():
        return sync.bring_up(gateway, customer)


@pytest.fixture
def known(app: Flask, shop: Shop, second: Second, door: Door) -> tuple[str, str]:
    """Return customer and subscription of a firm of ours, whose events have all arrived."""
    customer, bought = _subscribe(second)
    second.v1.subscriptions.cancel(_subscribe(second)[1])
    with shop.work() as session:
        AccountService(session).lock().stripe_customer_id = customer
        sync.know(session, customer, shop.tenant.id)
    _all_here(app, second)
    return customer, bought


def test_each_event_is_stored_once_and_a_wrong_secret_never(app: Flask, second: Second, door: Door) -> None:
    """Both secrets are used at once for the same events: what one lets in, the other must not let in again."""
    customers = [_subscribe(second)[0] for _ in range(4)]
    _subscribe(second, card="pm_card_chargeCustomerFail")
    second.v1.customers.delete(customers[0])
    rows = _all_here(app, second)
    wait_for(lambda: len(door.answers.get("/other", ())) == len(rows), "the other secret was not tried")
    assert set(door.answers["/other"]) == {("400", "secret")}
    answers = Counter(door.answers["/app"])
    assert sum(answers.values()) == len(rows) >= 20
    assert {status for status, _said in answers} == {"200"}
    assert ("200", "seen") not in answers
    kinds = Counter(row.type for row in rows.values())
    assert (kinds["customer.subscription.created"], kinds["invoice.payment_succeeded"]) == (5, 4)
    assert kinds["customer.deleted"] == 1
    # The version of 2017, in which nothing has the shape of today, changes nothing: only names are read.
    assert {row.api_version for row in rows.values()} == {"2017-08-15"}
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        for customer in customers:
            wanted = session.execute(select(Sync.want).where(Sync.customer_id == customer)).scalar_one()
            new = [one for one in rows.values() if one.customer_id == customer and one.state == "new"]
            assert wanted == len(new) >= 3


def test_case_16_customers_that_nobody_knows_are_parked(app: Flask, second: Second, door: Door) -> None:
    customer, _bought = _subscribe(second)
    _all_here(app, second)
    assert _bring_up(app, app.extensions[EXTENSION], customer) == "parked"
    states = {row.state for row in _all_here(app, second).values() if row.customer_id == customer}
    assert states == {"parked", "ignored"}


def test_case_19_an_answer_that_is_none_is_tried_later(
    app: Flask, second: Second, known: tuple[str, str]
) -> None:
    """localstripe breaks over a filter that it does not know: nothing is written, nothing is lost."""
    customer, _bought = known
    gateway: Gateway = app.extensions[EXTENSION]
    gateway._client._requestor._options.max_network_retries = 0
    assert _bring_up(app, gateway, customer) == "later"
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        row = session.execute(select(Sync).where(Sync.customer_id == customer)).scalar_one()
        assert (row.done, row.attempts, bool(row.last_error)) == (0, 1, True)
        assert row.lease_owner is None


def test_case_20_an_object_without_a_price_crashes_nothing(
    app: Flask, shop: Shop, second: Second, known: tuple[str, str]
) -> None:
    """Its seats and dates are taken, its plan is left open: unknown shapes are not guessed."""
    customer, bought = known
    raw = second.v1.subscriptions.retrieve(bought).to_dict()
    assert "price" not in raw["items"]["data"][0]
    state = plain.subscription(raw)
    assert (state.plan, state.seats, state.status) == ("", 3, "active")
    gateway = Old("sk_test_second", address=second.url)
    assert _bring_up(app, gateway, customer) == "done"
    with shop.work() as session:
        [row] = session.execute(select(Subscription)).scalars()
        assert (row.provider_id, row.plan, row.seats, row.live) == (bought, "", 3, True)
    second.v1.subscriptions.cancel(bought)
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        sync.want(session, customer)
    assert _bring_up(app, gateway, customer) == "done"
    with shop.work() as session:
        [row] = session.execute(select(Subscription)).scalars()
        assert (row.status, row.live) == ("canceled", False)
