"""One double for all tests of this folder; each test works with customers of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import stripe

from kehu.core import clock as kehu_clock
from tests.stripe_double.process import Running, running

MONTH = {"interval": "month"}
DAY = 86400


@pytest.fixture(scope="session")
def double() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def v1(double: Running) -> Any:
    return double.client.v1


@dataclass
class Prices:
    """Prices that the tests share."""

    product: str
    team: str
    large: str
    yearly: str
    addon: str
    tiered: str
    metered: str


@pytest.fixture(scope="session")
def prices(v1: Any) -> Prices:
    product = v1.products.create({"name": "Team"}).id

    def price(**values: Any) -> str:
        base = {"product": product, "currency": "eur", "recurring": MONTH}
        return str(v1.prices.create(base | values).id)

    graduated = [
        {"up_to": 10, "unit_amount": 1000},
        {"up_to": 20, "unit_amount": 800, "flat_amount": 500},
        {"up_to": "inf", "unit_amount": 500},
    ]
    return Prices(
        product,
        price(unit_amount=1000, lookup_key="team_month", currency_options={"usd": {"unit_amount": 1100}}),
        price(unit_amount=3000),
        price(unit_amount=10000, recurring={"interval": "year"}),
        price(unit_amount=500),
        price(billing_scheme="tiered", tiers_mode="graduated", tiers=graduated),
        price(
            recurring=MONTH | {"usage_type": "metered", "meter": _meter(v1)},
            billing_scheme="tiered",
            tiers_mode="graduated",
            tiers=[{"up_to": 100, "unit_amount": 0}, {"up_to": "inf", "unit_amount": 2}],
        ),
    )


def _meter(v1: Any) -> str:
    asked = {"display_name": "Messages", "event_name": "messages", "default_aggregation": {"formula": "sum"}}
    return str(v1.billing.meters.create(asked).id)


@dataclass
class Firm:
    """A customer on a test clock of its own."""

    v1: Any
    clock: str
    now: int
    id: str
    since: int  # events are dated with real time, not with the clock's

    def card(self, like: str) -> str:
        """Give the customer a test card and make it the default."""
        method = self.v1.payment_methods.attach(like, {"customer": self.id}).id
        self.v1.customers.update(self.id, {"invoice_settings": {"default_payment_method": method}})
        return str(method)

    def subscribe(self, price: str, quantity: int = 1, **more: Any) -> stripe.Subscription:
        """Subscribe to a price."""
        base = {"customer": self.id, "items": [{"price": price, "quantity": quantity}]}
        return self.v1.subscriptions.create(base | more)  # type: ignore[no-any-return]

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds
        self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": self.now})

    def renew(self) -> None:
        """Let the period end and the draft's hour pass."""
        end = self.subscription["items"].data[0].current_period_end
        self.advance(end - self.now + 3700)

    @property
    def subscription(self) -> Any:
        """The newest subscription as it stands now."""
        return self.v1.subscriptions.list({"customer": self.id, "status": "all", "limit": 1}).data[0]

    @property
    def invoices(self) -> list[Any]:
        """The invoices, newest first."""
        return self.v1.invoices.list({"customer": self.id, "limit": 100}).data  # type: ignore[no-any-return]

    def events(self) -> list[str]:
        """The kinds of the events about this customer, oldest first."""
        found = self.v1.events.list({"limit": 100, "created": {"gte": self.since}}).auto_paging_iter()
        mine = [
            e.type for e in found if self.id in (e.data.object.to_dict().get("customer"), e.data.object.id)
        ]
        return mine[::-1]


@pytest.fixture
def firm(v1: Any) -> Firm:
    # A day in January, so that months and their ends are the same in each run.
    now = int(kehu_clock.now().replace(year=2027, month=1, day=10, hour=12).timestamp())
    made = v1.test_helpers.test_clocks.create({"frozen_time": now})
    customer = v1.customers.create({"test_clock": made.id, "email": "owner@example.com", "name": "Firm"})
    return Firm(v1, made.id, now, customer.id, made.created)


@dataclass
class Inbox:
    """A server that keeps what webhooks bring and answers as it is told."""

    url: str
    got: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@pytest.fixture
def inbox(double: Running) -> Iterator[Inbox]:
    box = Inbox("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.got.append((body, self.headers["Stripe-Signature"]))
            self.send_response(box.answers.pop(0) if box.answers else 200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    box.url = f"http://127.0.0.1:{server.server_port}/"
    double.control("endpoint", url=box.url, secrets=["whsec_a"])
    double.control("settings", webhook_delays=[0.05, 0.1])
    yield box
    double.control("endpoint", url=box.url, secrets=["whsec_a"], kinds=["none"])
    double.control("faults", clear=True)
    double.control("idle")
    server.shutdown()
    server.server_close()
