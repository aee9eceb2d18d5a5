"""The way of a firm through the pages in the mode stripe: try, buy, grow, be refused, shrink, cancel, go on."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from billing.accounts import AccountService
from billing.stripe import execution
from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.prices import publish_coupons
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION
from kehu.core import clock, context
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import Firm
from tests.stripe_double.process import Running

PAGE = "/settings/billing"


@pytest.fixture
def firm(app: Flask, gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    """A firm in Germany whose trial is over."""
    app.extensions[EXTENSION] = StripeProvider(gateway)
    with shop.work() as session:
        account = AccountService(session).lock()
        account.currency, account.country = "EUR", "DE"
        account.trial_ends_at = clock.now() - dt.timedelta(days=1)
        AccountService(session).refresh(account)
        shop.tenant = context.tenant()
    return Firm(shop, gateway, double, "", price)


def order(firm: Firm, client: Any, **wish: Any) -> Any:
    """Look at the price of a wish, confirm it, and return the answer of the page."""
    query = {"plan": "team", "interval": "month", "currency": "EUR"} | wish
    page = client.get(f"{PAGE}/plan", query_string=query).get_data(as_text=True)
    token = re.search(r'name="token"[^>]*value="([^"]+)"', page) or re.search(
        r'value="([^"]+)"[^>]*name="token"', page
    )
    assert token, page
    return client.post(f"{PAGE}/plan", data=query | {"token": token[1]})


def carry_out(firm: Firm, answer: Any, client: Any = None) -> Any:
    """Do the worker's part of what a page asked for and return where the waiting page leads."""
    assert answer.status_code == 303, answer.get_data(as_text=True)
    where = answer.headers["Location"]
    assert where.startswith(f"{PAGE}/orders/"), where
    client = client or firm.shop.client()
    there, _, query = where.partition("?")
    waiting = client.get(where)
    assert "on its way to Stripe" in waiting.get_data(as_text=True)
    state = f"{there}/state?{query}"
    assert client.get(state).status_code == 204
    with firm.shop.app.app_context(), context.use(tenant=firm.shop.tenant, actor=firm.shop.owner):
        execution.run(StripeProvider(firm.gateway), uuid.UUID(there.rpartition("/")[2]))
    with firm.shop.work() as session:
        firm.customer = AccountService(session).lock().stripe_customer_id or ""
        firm.shop.tenant = context.tenant()
    assert client.get(state).headers["HX-Redirect"] == where
    return client.get(where).headers["Location"]


def come_back(firm: Firm, url: str, card: str) -> None:
    """Pay at Stripe's page and return as its browser does."""
    back = firm.double.press(url, card=card, act="pay").headers["Location"]
    path = back[back.index(PAGE) :]
    assert path.startswith(f"{PAGE}/back?session=cs_test_")
    assert firm.shop.client().get(path).status_code == 303
    with firm.shop.app.app_context(), context.use(tenant=firm.shop.tenant, actor=context.SYSTEM):
        execution.returned(tenant_id=str(firm.shop.tenant.id), session_id=back.partition("session=")[2])
    assert firm.bring_up() == "done"


def test_the_way_of_a_firm(firm: Firm) -> None:
    client = firm.shop.client()
    assert "Stripe test mode" in client.get(PAGE).get_data(as_text=True)
    come_back(firm, carry_out(firm, order(firm, client, seats="3")), "pm_card_visa")
    account = firm.account()
    assert (account.phase, account.seats_cap, firm.mirror()) == ("active", 3, [("active", 3, True)])
    shown = client.get(PAGE).get_data(as_text=True)
    assert "Give another card" in shown
    assert client.get(f"{PAGE}/invoices/{new_id()}.pdf").status_code == 404
    # more seats; who was inviting goes on with that
    back = "/settings/members/invite?again=1"
    assert carry_out(firm, order(firm, client, seats="5", next=back)) == back
    assert firm.account().seats_cap == 5
    # a card that refuses changes nothing and leads to the invoice
    url = carry_out(firm, client.post(f"{PAGE}/card"))
    come_back(firm, url, "pm_card_chargeCustomerFail")
    page = carry_out(firm, order(firm, client, seats="9"))
    assert "/pages/invoice/" in page
    assert (firm.account().seats_cap, firm.account().phase) == (5, "active")
    assert firm.double.press(page, card="pm_card_visa").status_code == 200
    firm.deliver("invoice.paid", {"object": "invoice", "customer": firm.customer})
    assert firm.bring_up() == "done"
    assert firm.account().seats_cap == 9
    # fewer, at once for newcomers
    answer = order(firm, client, seats="2")
    assert firm.account().seats_cap == 2
    assert carry_out(firm, answer) == PAGE
    assert firm.mirror() == [("active", 2, True)]
    # cancel, go on, papers
    assert carry_out(firm, client.post(f"{PAGE}/cancel")) == PAGE
    assert "Let it go on" in client.get(PAGE).get_data(as_text=True)
    assert carry_out(firm, client.post(f"{PAGE}/undo")) == PAGE
    assert carry_out(firm, client.post(f"{PAGE}/papers")).startswith(f"{firm.double.url}/p/session/")


def test_seats_and_plan_cost_nothing_before_the_trial_has_ended(firm: Firm) -> None:
    with firm.shop.work() as session:
        account = AccountService(session).lock()
        account.trial_ends_at = clock.now() + dt.timedelta(days=9)
        AccountService(session).refresh(account)
        firm.shop.tenant = context.tenant()
    client = firm.shop.client()
    come_back(firm, carry_out(firm, order(firm, client, seats="1")), "pm_card_visa")
    assert firm.mirror() == [("trialing", 1, True)]
    for wish in ({"seats": "2"}, {"seats": "3", "plan": "business"}):
        assert carry_out(firm, order(firm, client, **wish), client) == PAGE
        assert "as you chose" in client.get(PAGE).get_data(as_text=True)
    assert firm.mirror() == [("trialing", 3, True)]
    assert "<b>Business</b>" in client.get(PAGE).get_data(as_text=True)
    bills = firm.v1.invoices.list({"customer": firm.customer}).data
    assert [one.total for one in bills] == [0]


def test_case_74_another_firm_sees_no_order(firm: Firm, other_shop: Shop) -> None:
    answer = order(firm, firm.shop.client(), seats="3")
    where = answer.headers["Location"]
    with other_shop.work() as session:
        AccountService(session).lock()
        other_shop.tenant = context.tenant()
    for path in (where, f"{where}/state"):
        assert other_shop.client().get(path).status_code == 404
    assert firm.shop.client(firm.shop.member("member")).get(where).status_code == 403


def test_case_74_invoices_are_shown_by_stripe_to_their_firm_alone(firm: Firm, other_shop: Shop) -> None:
    client = firm.shop.client()
    come_back(firm, carry_out(firm, order(firm, client, seats="3")), "pm_card_visa")
    link = re.search(rf'href="({PAGE}/invoices/[-0-9a-f]+)"', client.get(PAGE).get_data(as_text=True))
    assert link
    assert client.get(link[1]).headers["Location"].startswith(f"{firm.double.url}/pages/invoice/")
    assert other_shop.client().get(link[1]).status_code == 404
    firm.double.control("faults", kind="cut", times=0, path="/v1/invoices/")
    assert client.get(link[1]).headers["Location"] == PAGE
    assert "Stripe does not answer just now" in client.get(PAGE).get_data(as_text=True)


def test_case_48_two_steps_cost_what_was_shown_or_are_called_off(firm: Firm) -> None:
    client = firm.shop.client()
    come_back(firm, carry_out(firm, order(firm, client, seats="5")), "pm_card_visa")
    assert carry_out(firm, order(firm, client, seats="2"), client) == PAGE
    answer = order(firm, client, seats="6")
    with firm.shop.work() as session:
        made = session.execute(select(Operation).where(Operation.state == "pending")).scalar_one()
        made.desired = made.desired | {"shown": made.desired["shown"] + 100}
    assert carry_out(firm, answer, client) == PAGE
    assert "The price has moved" in client.get(PAGE).get_data(as_text=True)
    assert firm.mirror() == [("active", 2, True)]
    paid = len(firm.v1.invoices.list({"customer": firm.customer}).data)
    assert carry_out(firm, order(firm, client, seats="6"), client) == PAGE
    assert firm.mirror() == [("active", 6, True)]
    assert len(firm.v1.invoices.list({"customer": firm.customer}).data) == paid + 1


def test_a_price_that_moved_calls_the_change_off(firm: Firm) -> None:
    client = firm.shop.client()
    come_back(firm, carry_out(firm, order(firm, client, seats="3")), "pm_card_visa")
    answer = order(firm, client, seats="5")
    with firm.shop.work() as session:
        made = session.execute(select(Operation).where(Operation.state == "pending")).scalar_one()
        made.desired = made.desired | {"shown": made.desired["shown"] + 100}
    assert carry_out(firm, answer, client) == PAGE
    assert "The price has moved" in client.get(PAGE).get_data(as_text=True)
    assert firm.mirror() == [("active", 3, True)]


def test_case_68_a_coupon_costs_at_stripe_what_was_shown(firm: Firm) -> None:
    publish_coupons(firm.gateway)
    assert publish_coupons(firm.gateway) == 0
    client = firm.shop.client()
    query = {"plan": "team", "interval": "month", "currency": "EUR", "seats": "3", "coupon": "welcome20"}
    shown = client.get(f"{PAGE}/plan", query_string=query).get_data(as_text=True)
    come_back(firm, carry_out(firm, order(firm, client, seats="3", coupon="welcome20")), "pm_card_visa")
    total = round(3 * 1400 * 0.8 * 1.19)
    assert f"€{total / 100:.2f}" in shown
    assert firm.v1.invoices.list({"customer": firm.customer}).data[0].total == total
    assert "WELCOME20: 20 % off until" in client.get(PAGE).get_data(as_text=True)
    # More seats cost what the page says, or the order would be called off.
    assert carry_out(firm, order(firm, client, seats="5"), client) == PAGE
    assert "as you chose" in client.get(PAGE).get_data(as_text=True)
    bills = firm.v1.invoices.list({"customer": firm.customer}).data
    assert bills[0].total == pytest.approx(round(2 * 1400 * 0.8 * 1.19), abs=2)
