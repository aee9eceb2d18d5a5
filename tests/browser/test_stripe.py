"""A firm buys at the double of Stripe in the browser: price, waiting, Checkout with 3-D Secure, back, more seats."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from billing import modes
from billing.accounts import AccountService
from billing.stripe import execution, sync
from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.operations import OPEN
from billing.stripe.provider import StripeProvider
from billing.stripe.views import EXTENSION
from billing.stripe.words import EXTENSION as PROVIDER
from kehu.core import clock, context
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve
from plugins.results import BillingMode
from tests.browser.test_tickets import signed_in
from tests.stripe_double.process import KEY, Running, running

pytestmark = pytest.mark.browser
SECRET = "whsec_browser"


@pytest.fixture
def double() -> Iterator[Running]:
    """A double with the price of the plan that is bought."""
    with running() as started:
        v1: Any = started.client.v1
        asked = {"product_data": {"name": "Team"}, "currency": "eur", "recurring": {"interval": "month"}}
        v1.prices.create(asked | {"unit_amount": 1400, "lookup_key": "kehu_team_v1_month_eur"})
        yield started


@pytest.fixture
def worker(shop: Shop, double: Running) -> Iterator[Gateway]:
    """Do what the worker does: carry orders out, and fetch after events."""
    gateway = Gateway(KEY, address=double.url, secrets=[SECRET])
    provider, stop = StripeProvider(gateway), threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            with shop.work() as session:
                waiting = (
                    session.execute(select(Operation.id).where(Operation.state.in_(OPEN))).scalars().all()
                )
                customer = (
                    AccountService(session).find() or AccountService(session).lock()
                ).stripe_customer_id
                tenant = context.tenant()
            with shop.app.app_context(), context.use(tenant=tenant, actor=shop.owner):
                for one in waiting:
                    execution.run(provider, one)
                if customer:
                    sync.bring_up(gateway, customer)

    with modes.use(BillingMode.STRIPE):
        shop.app.extensions |= {EXTENSION: gateway, PROVIDER: provider}
        with shop.work() as session:
            account = AccountService(session).lock()
            account.currency, account.country = "EUR", "DE"
            account.trial_ends_at = clock.now() - dt.timedelta(days=1)
            AccountService(session).refresh(account)
        thread = threading.Thread(target=work)
        thread.start()
        yield gateway
        stop.set()
        thread.join()
        for name in (EXTENSION, PROVIDER):
            shop.app.extensions.pop(name)


def test_a_firm_buys_with_3d_secure_and_grows(
    open_window: Callable[..., Window], shop: Shop, double: Running, worker: Gateway
) -> None:
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        double.control("endpoint", url=f"http://127.0.0.1:{port}/api/stripe/events", secrets=[SECRET])
        window = signed_in(open_window("phone"), shop, address)
        page = window.page
        window.go(f"{address}/settings/billing/plan?plan=team&interval=month&currency=EUR&seats=3")
        window.check("price")
        page.click("form:has([name=token]) button[type=submit], form:has([name=token]) button:not([type])")
        page.wait_for_url("**/c/pay/cs_test_*")
        page.select_option("[name=card]", "pm_card_threeDSecure2Required")
        page.click("text=Pay")
        page.click("text=Complete authentication")
        page.wait_for_url(f"{address}/settings/billing")
        double.control("idle")
        for _turn in range(40):
            window.go(f"{address}/settings/billing")
            if "Give another card" in page.inner_text("main"):
                break
        window.check("bought")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        window.go(f"{address}/settings/billing/plan?plan=team&interval=month&currency=EUR&seats=5")
        page.click("form:has([name=token]) button[type=submit], form:has([name=token]) button:not([type])")
        # This card asks its owner each time: the seats wait, and the invoice's own page takes another card.
        page.wait_for_url("**/pages/invoice/in_*")
        page.select_option("[name=card]", "pm_card_visa")
        page.click("text=Pay")
        page.wait_for_selector("text=Status: paid.")
        double.control("idle")
        for _turn in range(40):
            window.go(f"{address}/settings/billing")
            if "of 5 taken" in page.inner_text("main"):
                break
        assert "of 5 taken" in page.inner_text("main")
        double.control("endpoint", url="http://127.0.0.1:9/", secrets=["x"], kinds=["none"])
