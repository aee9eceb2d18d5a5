"""Cases 52 and 53: a first payment that is refused, left, called off or never made grants nothing; a made one wins."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from billing.accounts import AccountService
from billing.stripe.gateway import Gateway
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION, Unanswered
from kehu.core import clock, context
from kehu.core.errors import Conflict
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import Firm
from tests.functional.billing.stripe.steps import (
    BACK,
    HOUR,
    PAGE,
    begin,
    carried_out,
    charged,
    newcomer,
    on_a_clock,
    order,
    plan,
    row,
    run,
    shown,
    trial_over,
)
from tests.stripe_double.process import Running


@pytest.fixture
def firm(app: Flask, gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    """A firm in Germany whose trial is over."""
    app.extensions[EXTENSION] = StripeProvider(gateway)
    made = newcomer(gateway, double, shop, price)
    trial_over(made)
    return made


def ordered(firm: Firm) -> str:
    """Order on the page and return the address of Checkout."""
    url = carried_out(firm, order(firm.shop.client(), seats="3"))
    assert "/c/pay/cs_test_" in url
    return url


def standing(firm: Firm) -> tuple[str, int]:
    account = firm.account()
    return account.phase, account.seats_billed


def event(firm: Firm, kind: str = "checkout.session.completed") -> None:
    firm.deliver(kind, {"object": "checkout.session", "customer": firm.customer})
    assert firm.bring_up() == "done"


def test_case_53_who_leaves_checkout_may_finish_or_call_the_order_off(firm: Firm) -> None:
    url, client = ordered(firm), firm.shop.client()
    assert standing(firm) == ("confirming", 0)
    client.get(f"{PAGE}/back?left=1")
    page = shown(firm)
    for said in ("Nothing is paid yet", "First payment open", f'href="{url}"', "Call the order off"):
        assert said in page or said in client.get(PAGE).get_data(as_text=True)
    assert 'name="seats"' not in page
    with pytest.raises(Conflict, match="Finish or cancel it first"):
        begin(firm, lambda service: service.subscribe(plan(), "month", 9, BACK))
    # finishing it after all
    firm.double.press(url, card="pm_card_visa", act="pay")
    event(firm)
    assert (standing(firm), len(charged(firm))) == (("active", 3), 1)
    assert (firm.account().checkout_id, "Call the order off" in shown(firm)) == ("", False)
    with pytest.raises(Conflict, match="No first payment is open"):
        begin(firm, lambda service: service.abandon())


def test_case_53_calling_the_order_off_closes_the_page_of_stripe(firm: Firm) -> None:
    url, client = ordered(firm), firm.shop.client()
    session = firm.account().checkout_id
    assert carried_out(firm, client.post(f"{PAGE}/cancel"), client) == PAGE
    assert "The order is called off; nothing was paid." in client.get(PAGE).get_data(as_text=True)
    assert firm.v1.checkout.sessions.retrieve(session).status == "expired"
    assert firm.double.press(url, card="pm_card_visa", act="pay").status_code == 410
    event(firm, "checkout.session.expired")
    assert (standing(firm), charged(firm), firm.mirror()) == (("trial_over", 0), [], [])
    again = ordered(firm)
    assert again != url


def test_case_53_a_payment_that_was_faster_than_the_cancelling_wins(firm: Firm) -> None:
    url, client = ordered(firm), firm.shop.client()
    answer = client.post(f"{PAGE}/cancel")
    firm.double.press(url, card="pm_card_visa", act="pay")
    assert carried_out(firm, answer, client) == PAGE
    assert "The payment had gone through already" in client.get(PAGE).get_data(as_text=True)
    assert (standing(firm), len(charged(firm)), firm.account().seats_cap) == (("active", 3), 1, 3)
    event(firm)
    assert firm.mirror() == [("active", 3, True)]


def test_case_53_within_the_trial_the_trial_goes_on(firm: Firm) -> None:
    with firm.shop.work() as session:
        AccountService(session).lock().trial_ends_at = clock.now().replace(year=clock.now().year + 1)
    ordered(firm)
    assert (standing(firm), firm.account().seats_cap) == (("confirming", 0), 5)
    assert carried_out(firm, firm.shop.client().post(f"{PAGE}/cancel")) == PAGE
    assert (standing(firm), firm.account().seats_cap) == (("trial", 0), 5)


@pytest.mark.parametrize("card", ["pm_card_chargeCustomerFail", "pm_card_threeDSecure2Required"])
def test_case_52_and_53_a_page_that_nobody_finishes_closes_after_a_day(firm: Firm, card: str) -> None:
    url = ordered(firm)
    answer = firm.double.press(url, card=card, act="pay")
    assert answer.status_code == (402 if "Fail" in card else 303)
    event(firm, "checkout.session.expired")
    assert (standing(firm), firm.mirror()) == (("confirming", 0), [])
    firm.double.control("time", skew=24 * HOUR + 60)
    firm.double.control("time", skew=0)
    assert firm.double.press(url, card="pm_card_visa", act="pay").status_code == 410
    assert (charged(firm), firm.mirror()) == ([], [])
    _a_day_later(firm)
    assert standing(firm) == ("trial_over", 0)
    assert ordered(firm) != url


def _a_day_later(firm: Firm) -> None:
    with clock.ahead(dt.timedelta(hours=24, minutes=1)), firm.shop.work() as session:
        service = AccountService(session)
        assert service.refresh(service.lock()).phase.value == "trial_over"
        firm.shop.tenant = context.tenant()
    with firm.shop.work() as session:  # Only our clock ran; the double's next page opens at the real time.
        service = AccountService(session)
        account = service.lock()
        account.checkout_until = clock.now() - dt.timedelta(minutes=1)
        service.refresh(account)
        firm.shop.tenant = context.tenant()


def test_case_53_an_incomplete_subscription_is_voided_and_ends_nothing(firm: Firm) -> None:
    """Checkout leaves none behind; one made otherwise waits 23 hours for its 3-D Secure."""
    ordered(firm)
    assert carried_out(firm, firm.shop.client().post(f"{PAGE}/cancel")) == PAGE
    bought = firm.subscribe(2, card="pm_card_threeDSecure2Required", payment_behavior="allow_incomplete")
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    assert standing(firm) == ("confirming", 0)
    page = shown(firm)
    assert "Pay the invoice" in page
    assert carried_out(firm, firm.shop.client().post(f"{PAGE}/cancel")) == PAGE
    invoice: Any = firm.v1.invoices.list({"customer": firm.customer}).data[0]
    assert (invoice.status, firm.v1.subscriptions.retrieve(bought).status) == ("void", "canceled")
    account = firm.account()
    assert (account.phase, account.ended_at, firm.mirror()) == (
        "trial_over",
        None,
        [("incomplete_expired", 2, False)],
    )


@pytest.mark.parametrize(("hours", "status"), [(22, "incomplete"), (24, "incomplete_expired")])
def test_case_53_3d_secure_never_done_by_stripes_clock(firm: Firm, hours: int, status: str) -> None:
    timer = on_a_clock(firm)
    firm.subscribe(2, card="pm_card_threeDSecure2Required", payment_behavior="allow_incomplete")
    timer.advance(hours * HOUR)
    assert firm.mirror() == [(status, 2, status == "incomplete")]
    assert standing(firm) == ("confirming" if hours < 23 else "trial_over", 0)
    assert charged(firm) == []


def test_a_repeat_after_a_lost_answer_is_the_same_page(firm: Firm) -> None:
    asked = begin(firm, lambda service: service.subscribe(plan(), "month", 3, BACK))
    firm.double.control("faults", kind="lost", times=0, path="/v1/checkout/sessions", method="POST")
    with pytest.raises(Unanswered):
        run(firm, asked)
    firm.double.control("faults", clear=True)
    assert run(firm, asked) == "needs_action"
    url = row(firm, asked).url
    sessions = firm.v1.checkout.sessions.list({"customer": firm.customer}).data
    assert [one.url for one in sessions] == [url]
