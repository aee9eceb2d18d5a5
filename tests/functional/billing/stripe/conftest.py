"""A firm that is a customer at the double; the application verifies, stores and fetches as in service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import stripe
from flask import Flask
from sqlalchemy import select

from billing import modes
from billing.accounts import AccountService
from billing.models import Account, Subscription
from billing.stripe import sync
from billing.stripe.gateway import Gateway
from billing.stripe.models import StripeEvent, Sync
from billing.stripe.views import EXTENSION
from kehu.core import clock, context, db
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop
from plugins.results import BillingMode
from tests.stripe_double.process import KEY, Running, running

SECRET = "whsec_kehu"
ADDRESS = "/api/stripe/events"


@pytest.fixture(scope="session")
def double() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def price(double: Running) -> str:
    v1: Any = double.client.v1
    product = v1.products.create({"name": "Team"}).id
    base = {"product": product, "currency": "eur", "recurring": {"interval": "month"}}
    v1.prices.create(base | {"unit_amount": 2700, "lookup_key": "kehu_business_v1_month_eur"})
    year = base | {"recurring": {"interval": "year"}}
    v1.prices.create(year | {"unit_amount": 14000, "lookup_key": "kehu_team_v1_year_eur"})
    return str(v1.prices.create(base | {"unit_amount": 1400, "lookup_key": "kehu_team_v1_month_eur"}).id)


@pytest.fixture
def gateway(app: Flask, double: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    # The SDK waits half a second and more before it asks again; here nothing gets better by waiting.
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.02)
    with modes.use(BillingMode.STRIPE):
        made = app.extensions[EXTENSION] = Gateway(KEY, address=double.url, secrets=[SECRET])
        yield made
        app.extensions.pop(EXTENSION)
        double.control("faults", clear=True)


@dataclass
class Firm:
    """A firm of ours and its customer at the double."""

    shop: Shop
    gateway: Gateway
    double: Running
    customer: str
    price: str

    @property
    def v1(self) -> Any:
        return self.double.client.v1

    def subscribe(self, seats: int = 3, card: str = "pm_card_visa", **more: Any) -> str:
        """Subscribe at Stripe, as a purchase does."""
        method = self.v1.payment_methods.attach(card, {"customer": self.customer}).id
        self.v1.customers.update(self.customer, {"invoice_settings": {"default_payment_method": method}})
        base = {"customer": self.customer, "items": [{"price": self.price, "quantity": seats}]}
        return str(self.v1.subscriptions.create(base | more).id)

    def seats(self, subscription: str, seats: int) -> None:
        """Change the quantity at Stripe, past us."""
        item = self.v1.subscriptions.retrieve(subscription)["items"].data[0].id
        self.v1.subscriptions.update(subscription, {"items": [{"id": item, "quantity": seats}]})

    def bring_up(self) -> str:
        """Do what the worker does for this customer."""
        with self.shop.app.app_context():
            return sync.bring_up(self.gateway, self.customer)

    def mirror(self) -> list[tuple[str, int, bool]]:
        """Return status, seats and whether it is live, of each mirrored subscription."""
        with self.shop.work() as session:
            rows = session.execute(select(Subscription).order_by(Subscription.started_at)).scalars()
            return [(row.status, row.seats, row.live) for row in rows]

    def account(self) -> Account:
        with self.shop.work() as session:
            found = AccountService(session).find()
            assert found is not None
            return found

    def deliver(self, kind: str, obj: dict[str, Any] | None = None, **more: Any) -> Any:
        """Post a signed event about this customer."""
        return post(
            self.shop.app, event(kind, obj or {"object": "subscription", "customer": self.customer}, **more)
        )

    def state(self, event_id: str) -> str:
        return state_of(self.shop.app, event_id)


@pytest.fixture
def firm(gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    customer = double.client.v1.customers.create({"name": shop.tenant.name}).id
    with shop.work() as session:
        account = AccountService(session).lock()
        account.stripe_customer_id = customer
        sync.know(session, customer, shop.tenant.id)
        shop.tenant = context.tenant()
    return Firm(shop, gateway, double, customer, price)


def event(kind: str, obj: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make an event as Stripe shapes it."""
    base = {"id": f"evt_{new_id().hex}", "object": "event", "type": kind, "livemode": False}
    base |= {
        "api_version": stripe.api_version,
        "created": int(clock.now().timestamp()),
        "data": {"object": obj},
    }
    return base | more


def sign(body: bytes, secret: str = SECRET, ago: int = 0) -> str:
    """Sign a body with the SDK's own function."""
    when = int(clock.now().timestamp()) - ago
    return stripe.WebhookSignature.generate_signature_header(body.decode("utf-8", "replace"), secret, when)


def post(app: Flask, given: Any, header: str | None = None, secret: str = SECRET, ago: int = 0) -> Any:
    """Post an event or a raw body to the inbox."""
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    headers = {"Stripe-Signature": sign(body, secret, ago) if header is None else header}
    return app.test_client().post(ADDRESS, data=body, headers=headers, content_type="application/json")


def state_of(app: Flask, event_id: str) -> str:
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        found = session.execute(
            select(StripeEvent.state).where(StripeEvent.id == event_id)
        ).scalar_one_or_none()
    return found or "absent"


def sync_of(app: Flask, customer: str) -> Sync | None:
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        return session.execute(select(Sync).where(Sync.customer_id == customer)).scalar_one_or_none()
