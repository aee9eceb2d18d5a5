"""Cases 54, 55, 58 and 59 by Stripe's own clock: a renewal asks for its owner, an end is planned, a restart."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from billing.models import Notice, Subscription
from billing.stripe.gateway import Gateway
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION
from billing.tasks import HOURLY
from kehu.core import context, jobs
from kehu.core.gate import PaymentNeeded
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import Firm
from tests.functional.billing.stripe.steps import (
    PAGE,
    Timer,
    bought,
    buy,
    carried_out,
    charged,
    fresh,
    newcomer,
    on_a_clock,
    paid,
    shown,
)
from tests.stripe_double.process import Running

DAY = 86_400
BILL = round(3 * 1400 * 1.19)


@pytest.fixture
def timer(app: Flask, gateway: Gateway, double: Running, shop: Shop, price: str) -> Timer:
    """A firm on a test clock that has paid for three seats."""
    app.extensions[EXTENSION] = StripeProvider(gateway)
    firm = newcomer(gateway, double, shop, price)
    made = on_a_clock(firm)
    paid(firm, 3)
    made.look()
    return made


def card(firm: Firm, like: str) -> None:
    """Let the subscription be charged to another card, as its owner does at Stripe."""
    method = firm.v1.payment_methods.attach(like, {"customer": firm.customer}).id
    firm.v1.subscriptions.update(bought(firm).id, {"default_payment_method": method})


def hour(firm: Firm) -> list[str]:
    """Do the hourly work and return the mails that were sent so far."""
    jobs.app.tasks[HOURLY].func(tenant_id=str(firm.shop.tenant.id))
    with firm.shop.work() as session:
        return list(session.execute(select(Notice.kind).order_by(Notice.sent_at, Notice.id)).scalars())


def may_write(firm: Firm) -> bool:
    with firm.shop.work():
        try:
            context.actor().require("customers:write")
        except PaymentNeeded:
            return False
    return True


def test_case_54_a_renewal_that_needs_3d_secure_has_days_of_grace_and_stripes_page(timer: Timer) -> None:
    firm = timer.firm
    card(firm, "pm_card_authenticationRequired")
    timer.to_end()
    account = firm.account()
    assert (bought(firm).status, account.phase, account.seats_cap) == ("past_due", "grace", 3)
    assert may_write(firm)
    page = shown(firm)
    for said in ("Payment failed", "A payment failed. All goes on until", "Pay the invoice"):
        assert said in page
    assert (hour(firm), hour(firm)) == (["failed_0"], ["failed_0"])
    link = carried_out(firm, firm.shop.client().post(f"{PAGE}/pay"))
    assert link.startswith(f"{firm.double.url}/pages/invoice/")
    bank = firm.double.press(link, card="pm_card_threeDSecure2Required").headers["Location"]
    assert firm.account().phase == "grace"  # The page alone pays nothing.
    firm.double.press(bank, act="complete")
    timer.look()
    assert (bought(firm).status, firm.account().phase, charged(firm)) == ("active", "active", [BILL] * 2)
    assert "Pay the invoice" not in shown(firm)


def test_case_54_and_55_grace_runs_out_by_the_clock_and_paying_opens_at_once(timer: Timer) -> None:
    firm = timer.firm
    card(firm, "pm_card_authenticationRequired")
    timer.to_end()
    assert hour(firm) == ["failed_0"]
    sent = []
    for days in (3, 4, 5):
        timer.advance(days * DAY)
        sent = hour(firm)
    assert (firm.account().phase, sent) == ("grace", ["failed_0", "failed_3", "failed_7", "failed_12"])
    timer.advance(2 * DAY + 1800)
    assert hour(firm)[-1] == "restricted"
    fresh(firm)
    assert (bought(firm).status, firm.account().phase, may_write(firm)) == ("past_due", "restricted", False)
    link = carried_out(firm, firm.shop.client().post(f"{PAGE}/pay"))
    firm.double.press(link, card="pm_card_visa")
    timer.look()
    assert (firm.account().phase, may_write(firm), len(charged(firm))) == ("active", True, 2)


def test_case_58_cancel_undo_cancel_and_the_end_by_stripes_clock(timer: Timer) -> None:
    firm, client = timer.firm, timer.firm.shop.client()
    for what, ends in (("cancel", True), ("undo", False), ("cancel", True)):
        assert carried_out(firm, client.post(f"{PAGE}/{what}")) == PAGE
        found = bought(firm)
        assert (found.cancel_at_period_end, found.cancel_at is not None) == (ends, ends)
        assert (firm.account().phase, may_write(firm)) == ("active", True)
        assert ("Let it go on" in shown(firm)) is ends
    assert client.post(f"{PAGE}/cancel").status_code == 409
    timer.to_end(-3600)
    assert (firm.account().phase, firm.account().seats_cap) == ("active", 3)
    timer.to_end(60)
    assert (bought(firm).status, firm.account().phase, may_write(firm)) == ("canceled", "ended", False)
    assert (charged(firm), firm.mirror()) == ([BILL], [("canceled", 3, False)])
    assert hour(firm) == ["ended"]
    assert "Start again" in shown(firm)


def test_case_59_a_firm_that_ended_starts_again_as_the_same_customer(timer: Timer) -> None:
    firm, client = timer.firm, timer.firm.shop.client()
    assert carried_out(firm, client.post(f"{PAGE}/cancel")) == PAGE
    timer.to_end(60)
    timer.advance(40 * DAY)
    account = firm.account()
    assert (account.phase, account.ended_at is not None) == ("ended", True)
    before = (firm.shop.tenant.id, account.stripe_customer_id)
    buy(firm, 4)
    timer.look()
    account = firm.account()
    assert (firm.shop.tenant.id, account.stripe_customer_id) == before
    assert (account.phase, account.ended_at, account.seats_cap, may_write(firm)) == ("active", None, 4, True)
    assert firm.mirror() == [("canceled", 3, False), ("active", 4, True)]
    assert charged(firm) == [BILL, round(4 * 1400 * 1.19)]
    with firm.shop.work() as session:
        assert session.execute(select(Subscription.seats).where(Subscription.live)).scalar_one() == 4
