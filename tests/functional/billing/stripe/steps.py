"""Steps of a firm in the mode stripe, carried out as page, worker and Stripe do; shared by the tests beside."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billing.accounts import AccountService
from billing.catalogue import catalogue
from billing.stripe import execution, sync
from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.operations import OperationService
from billing.stripe.provider import StripeProvider
from kehu.core import clock, context, db, hooks
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import Firm
from tests.stripe_double.process import Running

HOUR = 3600
PAGE = "/settings/billing"
BACK = f"https://kehu.example{PAGE}"


def newcomer(gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    """Make `shop` a firm in Germany without a customer yet."""
    with shop.work() as session:
        account = AccountService(session).lock()
        account.currency, account.country, account.invoice_email = "EUR", "DE", "owner@example.com"
        shop.tenant = context.tenant()
    return Firm(shop, gateway, double, "", price)


Ask = Callable[[OperationService], Operation]


def fresh(firm: Firm) -> None:
    """Let the firm be bound as it is now: what a worker wrote meanwhile stands in the tenant's settings."""
    with firm.shop.app.app_context(), db.unit_of_work(tenant=None):
        found = hooks.tenant_by_id(firm.shop.tenant.id)
        assert found is not None
        firm.shop.tenant = found


def begin(firm: Firm, ask: Ask) -> uuid.UUID:
    with firm.shop.work() as session:
        made = ask(OperationService(session)).id
        firm.shop.tenant = context.tenant()
    return made


def run(firm: Firm, operation: uuid.UUID) -> str:
    with firm.shop.app.app_context(), context.use(tenant=firm.shop.tenant, actor=firm.shop.owner):
        return execution.run(StripeProvider(firm.gateway), operation)


def row(firm: Firm, operation: uuid.UUID) -> Operation:
    with firm.shop.work() as session:
        found = OperationService(session).find(operation)
        assert found is not None
        firm.customer = AccountService(session).lock().stripe_customer_id or ""
        return found


def plan(key: str = "team") -> Any:
    return catalogue().current(key)


def buy(firm: Firm, seats: int = 3, card: str = "pm_card_visa", key: str = "team") -> uuid.UUID:
    """Buy a plan through the page of Checkout."""
    asked = begin(firm, lambda service: service.subscribe(plan(key), "month", seats, BACK))
    assert run(firm, asked) == "needs_action"
    firm.double.press(row(firm, asked).url, card=card, act="pay")
    firm.deliver("checkout.session.completed", {"object": "checkout.session", "customer": firm.customer})
    assert firm.bring_up() == "done"
    return asked


def now_of(firm: Firm) -> int:
    return int(clock.now().timestamp())


def seats(firm: Firm, number: int, key: str = "team") -> uuid.UUID:
    return begin(firm, lambda service: service.change(plan(key), "month", number, now_of(firm)))


def quantity(firm: Firm) -> int:
    found = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
    return int(found["items"].data[0].quantity)


def charged(firm: Firm) -> list[int]:
    """Return what was paid, the oldest first, without invoices of nothing."""
    found = firm.v1.invoices.list({"customer": firm.customer, "status": "paid", "limit": 100}).data
    return [one.amount_paid for one in reversed(found) if one.amount_paid]


def paid(firm: Firm, number: int = 3, key: str = "team") -> None:
    """Buy without days of trial left, so that the first payment is due at once."""
    trial_over(firm)
    buy(firm, number, key=key)
    assert charged(firm) == [round(number * (2700 if key == "business" else 1400) * 1.19)]


def trial_over(firm: Firm) -> None:
    """Let the days of the trial be over, so that the first payment is due at once."""
    with firm.shop.work() as session:
        account = AccountService(session).lock()
        account.trial_ends_at = clock.now() - dt.timedelta(days=1)
        AccountService(session).refresh(account)
        firm.shop.tenant = context.tenant()


def order(client: Any, **wish: Any) -> Any:
    """Look at the price of a wish on the page, confirm it, and return the answer."""
    query = {"plan": "team", "interval": "month", "currency": "EUR"} | wish
    page = client.get(f"{PAGE}/plan", query_string=query).get_data(as_text=True)
    token = re.search(r'name="token"[^>]*value="([^"]+)"', page)
    assert token, page
    return client.post(f"{PAGE}/plan", data=query | {"token": token[1]})


def carried_out(firm: Firm, answer: Any, client: Any = None) -> str:
    """Do the worker's part of what a page asked for, and return where the waiting page leads."""
    where = str(answer.headers["Location"])
    assert where.startswith(f"{PAGE}/orders/"), where
    run(firm, uuid.UUID(where.rpartition("/")[2]))
    with firm.shop.work() as session:
        firm.customer = AccountService(session).lock().stripe_customer_id or ""
    fresh(firm)
    return str((client or firm.shop.client()).get(where).headers["Location"])


def shown(firm: Firm, client: Any = None) -> str:
    """Return the page of plan and seats as the owner reads it now."""
    return str((client or firm.shop.client()).get(PAGE).get_data(as_text=True))


@dataclass
class Timer:
    """A test clock of Stripe's on which a firm's customer lives."""

    firm: Firm
    id: str
    now: int

    def advance(self, seconds: int) -> None:
        """Let time pass at Stripe, and mirror what it brought."""
        self.now += seconds
        self.firm.v1.test_helpers.test_clocks.advance(self.id, {"frozen_time": self.now})
        self.look()

    def look(self) -> None:
        """Do what the worker does after an event."""
        self.firm.deliver("customer.subscription.updated")
        assert self.firm.bring_up() == "done"
        fresh(self.firm)

    def to_end(self, seconds: int = HOUR) -> None:
        """Let time pass to so many seconds after the end of the period; less than none for before it."""
        end = bought(self.firm)["items"].data[0].current_period_end
        self.advance(end - self.now + seconds)


def bought(firm: Firm) -> Any:
    """Return the newest subscription as Stripe has it now."""
    return firm.v1.subscriptions.list({"customer": firm.customer, "status": "all", "limit": 1}).data[0]


def on_a_clock(firm: Firm) -> Timer:
    """Make the firm a customer on a test clock, before it buys anything."""
    start = int(clock.now().timestamp())
    made = firm.v1.test_helpers.test_clocks.create({"frozen_time": start})
    firm.customer = firm.v1.customers.create({"test_clock": made.id, "address": {"country": "DE"}}).id
    with firm.shop.work() as session:
        AccountService(session).lock().stripe_customer_id = firm.customer
        sync.know(session, firm.customer, firm.shop.tenant.id)
    return Timer(firm, made.id, start)
