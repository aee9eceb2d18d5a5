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
from tenants.archive.services import make
from tenants.models import Archive
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
        while not stop.wait(0.1):
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


class Journey:
    """A firm in front of the page of its plan, and its customer at Stripe, who lives on a clock of his own."""

    def __init__(self, window: Window, shop: Shop, double: Running, address: str) -> None:
        self.window, self.page, self.home = window, window.page, f"{address}/settings/billing"
        self.shop, self.double, self.v1 = shop, double, double.client.v1
        made: Any = self.v1.test_helpers.test_clocks.create({"frozen_time": int(clock.now().timestamp())})
        self.clock = made.id
        customer = self.v1.customers.create({"name": shop.tenant.name, "test_clock": self.clock}).id
        with shop.work() as session:
            account = AccountService(session).lock()
            account.stripe_customer_id = customer
            account.trial_ends_at = clock.now() + dt.timedelta(days=14)
            sync.know(session, customer, shop.tenant.id)
            AccountService(session).refresh(account)
            shop.tenant = context.tenant()

    def ahead(self, days: int) -> None:
        """Let days pass at Stripe; what it then says arrives by signed webhooks."""
        now = self.v1.test_helpers.test_clocks.retrieve(self.clock).frozen_time
        self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": now + days * 86400})
        self.double.control("idle")

    def sees(self, text: str) -> None:
        """Look at the page again until it says so."""
        for _turn in range(60):
            self.page.goto(self.home)
            if text in self.page.inner_text("body"):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{text!r} is not in: {self.page.inner_text('main')}")

    def press(self, name: str) -> None:
        self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    def choose(self, seats: int, due: str) -> None:
        """Choose the plan with its price shown, and pay it at Checkout."""
        self.page.goto(self.home)
        self.page.fill("#seats-team", str(seats))
        self.press("Choose Team")
        self.page.wait_for_selector(f"main :text('{due}')")
        self.press("Order now")
        self.at_stripe("c/pay/cs_test_*", "pm_card_visa")
        self.page.wait_for_url(self.home)

    def at_stripe(self, page: str, card: str) -> None:
        """Give a card on a page of Stripe."""
        self.page.wait_for_url(f"{self.double.url}/{page}")
        self.page.select_option("[name=card]", card)
        self.page.click("button, [type=submit]")

    def gives_card(self, card: str) -> None:
        """Give another card at Stripe, come back, and let the worker do what the return asks for."""
        self.press("Give another card")
        with self.page.expect_request("**/settings/billing/back?session=*") as back:
            self.at_stripe("c/pay/cs_test_*", card)
        self.page.wait_for_url(self.home)
        with self.shop.app.app_context(), context.use(tenant=self.shop.tenant, actor=context.SYSTEM):
            session_id = back.value.url.partition("session=")[2]
            execution.returned(tenant_id=str(self.shop.tenant.id), session_id=session_id)

    def invite(self) -> None:
        """Invite beyond the seats: be asked, buy the seat, and go on with what was typed."""
        self.page.goto(self.home.replace("billing", "members"))
        self.page.get_by_role("button", name="Invite", exact=True).click()
        self.page.fill("#f-name", "Ada Byron")
        self.page.fill("#f-email", "ada@example.com")
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_selector("#dialog :text('One more costs')")
        self.page.click("#dialog :text('Add a seat')")
        self.page.wait_for_selector("main :text('1 more seat for the rest of the period')")
        self.press("Order now")
        self.page.wait_for_url("**/settings/members/invite?again=1")
        assert self.page.input_value("#f-email") == "ada@example.com"
        self.page.get_by_role("button", name="Send the invitation").click()
        self.page.wait_for_selector("[data-toast] :text('An invitation is on its way')")

    def takes_everything_along(self) -> None:
        """Make an archive of everything and fetch it."""
        self.page.goto(self.home.replace("billing", "archive"))
        self.press("Make an archive")
        self.page.wait_for_selector("main :text('Asked for')")
        with self.shop.work() as session:
            archive = session.execute(select(Archive.id)).scalar_one()
        with self.shop.app.app_context():
            make(str(self.shop.tenant.id), archive_id=str(archive))
        self.page.reload()
        with self.page.expect_download() as taken:
            self.page.click("main a:has-text('Download')")
        assert taken.value.suggested_filename.endswith(".zip")


def test_the_journey_of_a_tenant(
    open_window: Callable[..., Window], shop: Shop, double: Running, worker: Gateway
) -> None:
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        double.control("endpoint", url=f"http://127.0.0.1:{port}/api/stripe/events", secrets=[SECRET])
        firm = Journey(signed_in(open_window(), shop, address), shop, double, address)
        firm.sees("Trial")
        firm.choose(1, "Nothing is due now.")
        firm.sees("1 of 1 taken")
        firm.ahead(15)
        firm.sees("Paid")
        firm.invite()
        firm.sees("2 of 2 taken")
        # The card fails at the renewal; everything goes on for a while, then only reading does.
        firm.gives_card("pm_card_chargeCustomerFail")
        firm.ahead(32)
        firm.sees("A payment failed. All goes on until")
        firm.window.check("a payment failed")
        firm.press("Pay the invoice")
        firm.at_stripe("pages/invoice/in_*", "pm_card_visa")
        firm.page.wait_for_selector("text=Status: paid.")
        double.control("idle")
        firm.sees("Next bill on")
        firm.press("Cancel the subscription")
        firm.sees("The subscription is cancelled and ends on")
        firm.press("Let it go on")
        firm.sees("Cancel the subscription")
        firm.press("Cancel the subscription")
        firm.sees("The subscription is cancelled and ends on")
        firm.ahead(32)
        firm.sees("The subscription has ended")
        firm.window.check("ended")
        firm.takes_everything_along()
        firm.choose(3, "Due now")
        firm.sees("2 of 3 taken")
        double.control("endpoint", url="http://127.0.0.1:9/", secrets=["x"], kinds=["none"])
