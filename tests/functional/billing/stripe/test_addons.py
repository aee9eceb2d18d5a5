"""Paid add-ons as items of a subscription: nothing is granted before Stripe shows it, and nothing is paid twice."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from billing import addon_prices
from billing.addons import AddonService, switch_on_later
from billing.entitlements import plugin_entitled
from billing.models import Addon, Price, Subscription
from billing.purchases import PurchaseService
from billing.stripe import metering
from billing.stripe.gateway import Gateway
from billing.stripe.prices import publish
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION, Unanswered
from kehu.addons.models import TenantPlugin, UsageEvent
from kehu.api import count_usage
from kehu.core import clock, context, db
from kehu.core.errors import Conflict
from kehu.testkit.fixtures import Shop
from tests.functional.billing.paid import AMOUNTS, PRICE, SLUG, charge
from tests.functional.billing.stripe import steps
from tests.functional.billing.stripe.conftest import Firm
from tests.stripe_double.process import Running

PAGE = f"/settings/billing/addons/{SLUG}"
CARD = f"/settings/plugins/{SLUG}"


@pytest.fixture(scope="session")
def addon_prices_there(double: Running, price: str) -> None:
    """The prices of the add-on, as `kehu billing catalogue --apply` makes them."""
    v1: Any = double.client.v1
    product = v1.products.create({"name": "Car dealer"}).id
    for interval, amount in (("month", 450), ("year", 4500)):
        v1.prices.create(
            {
                "product": product,
                "currency": "eur",
                "unit_amount": amount,
                "recurring": {"interval": interval},
                "lookup_key": f"kehu_x-{SLUG}-v1-{interval}-eur",
                "metadata": {"kind": "addon", "plugin": SLUG},
            }
        )
    meter = v1.billing.meters.create(
        {
            "display_name": "Messages",
            "event_name": f"kehu_{SLUG}_messages",
            "default_aggregation": {"formula": "sum"},
        }
    ).id
    for interval, included in (("month", 100), ("year", 1200)):
        v1.prices.create(
            {
                "product": product,
                "currency": "eur",
                "recurring": {"interval": interval, "usage_type": "metered", "meter": meter},
                "billing_scheme": "tiered",
                "tiers_mode": "graduated",
                "tiers": [{"up_to": included, "unit_amount": 0}, {"up_to": "inf", "unit_amount": 2}],
                "lookup_key": f"kehu_x-{SLUG}-v1-messages-{interval}-eur",
            }
        )


@pytest.fixture
def firm(
    app: Flask,
    gateway: Gateway,
    double: Running,
    shop: Shop,
    price: str,
    addon_prices_there: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Firm:
    """A firm in Germany that pays for three seats."""
    charge(monkeypatch, replace(PRICE, amounts=AMOUNTS))
    app.extensions[EXTENSION] = StripeProvider(gateway)
    found = steps.newcomer(gateway, double, shop, price)
    steps.paid(found)
    steps.fresh(found)
    return found


def bill(firm: Firm) -> dict[str, int]:
    """Return plan and add-ons of the subscription at Stripe by lookup key, with their quantities."""
    items = steps.bought(firm)["items"].data
    return {one.price.lookup_key: one.quantity for one in items if one.quantity is not None}


def has(firm: Firm) -> bool:
    steps.fresh(firm)
    with firm.shop.work():
        return plugin_entitled(context.tenant(), SLUG)


def press(firm: Firm, path: str = "", client: Any = None, **data: str) -> str:
    """Press a button of the add-on's pages and do the worker's part; return where the waiting page leads."""
    client = client or firm.shop.client()
    answer = client.post(PAGE + path, data=data)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    where = str(answer.headers["Location"])
    assert where.startswith("/settings/billing/orders/"), where
    steps.run(firm, uuid.UUID(where.partition("?")[0].rpartition("/")[2]))
    steps.fresh(firm)
    return str(client.get(where).headers["Location"])


def buy(firm: Firm) -> str:
    client = firm.shop.client()
    page = client.get(PAGE).get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None, page
    return press(firm, client=client, token=token[1])


def change(firm: Firm, **wish: Any) -> None:
    """Order other seats or another plan on the page and carry it out."""
    with firm.shop.work() as session:
        service = PurchaseService(session)
        asked = service.wish(
            wish.get("plan", "team"), wish.get("interval", "month"), str(wish["seats"]), "EUR"
        )
        shown = service.preview(asked)
        url = service.order(asked, shown.at, shown.total).url
        firm.shop.tenant = context.tenant()
    assert steps.run(firm, uuid.UUID(url.rpartition("/")[2])) == "done"
    steps.fresh(firm)


def test_an_add_on_is_one_item_and_is_switched_on_once_stripe_shows_it(firm: Firm) -> None:
    assert not has(firm)
    before = len(steps.charged(firm))
    assert buy(firm) == CARD
    assert bill(firm) == {"kehu_team_v1_month_eur": 3, f"kehu_x-{SLUG}-v1-month-eur": 1}
    assert steps.charged(firm)[before:] == [round(450 * 1.19)]
    assert has(firm)
    added = next(one for one in steps.bought(firm)["items"].data if one.price.unit_amount == 450)
    assert added.metadata.to_dict() == {"kind": "addon", "plugin": SLUG}
    with firm.shop.work() as session:
        row = session.execute(select(Addon)).scalar_one()
        mirrored = session.execute(select(Subscription.addons)).scalar_one()
        assert (row.wanted, row.paid_quantity) == (False, 1)
        assert [(one["slug"], one["quantity"], one["item"]) for one in mirrored] == [(SLUG, 1, added.id)]
    switch_on_later(tenant_id=str(firm.shop.tenant.id), slug=SLUG)
    with firm.shop.work() as session:
        assert session.execute(select(TenantPlugin.state)).scalar_one() == "enabled"


def test_case_60_plan_and_seats_change_and_the_item_stays(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch, replace(PRICE, per="seat"))
    buy(firm)
    assert bill(firm)[f"kehu_x-{SLUG}-v1-month-eur"] == 3
    before = len(steps.charged(firm))
    change(firm, seats=5)
    assert bill(firm) == {"kehu_team_v1_month_eur": 5, f"kehu_x-{SLUG}-v1-month-eur": 5}
    assert steps.charged(firm)[before:] == [round(2 * (1400 + 450) * 1.19)]
    change(firm, seats=5, plan="business")
    assert bill(firm) == {"kehu_business_v1_month_eur": 5, f"kehu_x-{SLUG}-v1-month-eur": 5}
    assert has(firm)
    assert firm.mirror() == [("active", 5, True)]


def test_case_60_a_plan_that_brings_it_gives_back_what_was_paid(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch, replace(PRICE, amounts=AMOUNTS, included=("business",)))
    buy(firm)
    before = len(steps.charged(firm))
    change(firm, seats=3, plan="business")
    assert bill(firm) == {"kehu_business_v1_month_eur": 3}
    assert has(firm)
    # Tax is rounded line by line.
    assert steps.charged(firm)[before:] == [pytest.approx(round((3 * (2700 - 1400) - 450) * 1.19), abs=2)]


def test_another_interval_takes_the_item_along(firm: Firm) -> None:
    buy(firm)
    change(firm, seats=3, interval="year")
    assert bill(firm) == {"kehu_team_v1_year_eur": 3, f"kehu_x-{SLUG}-v1-year-eur": 1}
    assert has(firm)


def test_case_62_a_removed_item_is_usable_until_the_period_ends(firm: Firm) -> None:
    buy(firm)
    paid = len(steps.charged(firm))
    assert press(firm, "/remove") == CARD
    assert bill(firm) == {"kehu_team_v1_month_eur": 3}
    assert has(firm)
    assert press(firm, "/undo") == CARD
    assert f"kehu_x-{SLUG}-v1-month-eur" in bill(firm)
    press(firm, "/remove")
    # Bought again within the time that is paid, it costs nothing.
    buy(firm)
    assert f"kehu_x-{SLUG}-v1-month-eur" in bill(firm)
    assert len(steps.charged(firm)) == paid
    press(firm, "/remove")
    with firm.shop.work() as session:
        until = session.execute(select(Addon.paid_until)).scalar_one()
    assert until is not None
    with clock.ahead(until - clock.now()):
        assert not has(firm)


def test_case_50_a_declined_card_adds_no_item(firm: Firm) -> None:
    method = firm.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": firm.customer}).id
    firm.v1.customers.update(firm.customer, {"invoice_settings": {"default_payment_method": method}})
    sub = steps.bought(firm)
    firm.v1.subscriptions.update(sub.id, {"default_payment_method": method})
    page = buy(firm)
    assert "/pages/invoice/" in page
    assert bill(firm) == {"kehu_team_v1_month_eur": 3}
    assert not has(firm)
    assert firm.account().phase == "active"
    # Paid after all on Stripe's page, it is there.
    assert firm.double.press(page, card="pm_card_visa").status_code == 200
    firm.deliver("invoice.paid", {"object": "invoice", "customer": firm.customer})
    assert firm.bring_up() == "done"
    assert has(firm)


def test_case_32_a_lost_answer_buys_it_once(firm: Firm) -> None:
    with firm.shop.work() as session:
        service = AddonService(session)
        _wish, shown = service.preview(SLUG)
        url = service.buy(SLUG, shown.at, shown.total).url
        firm.shop.tenant = context.tenant()
    operation = uuid.UUID(url.rpartition("/")[2])
    before = len(steps.charged(firm))
    firm.double.control("faults", kind="lost", times=0, path=r"^/v1/subscriptions/sub_", method="POST")
    with pytest.raises(Unanswered):
        steps.run(firm, operation)
    firm.double.control("faults", clear=True)
    assert steps.run(firm, operation) == "done"
    assert (len(steps.charged(firm)), bill(firm)[f"kehu_x-{SLUG}-v1-month-eur"]) == (before + 1, 1)


def test_case_27_an_item_removed_in_the_dashboard_lapses_with_its_period(firm: Firm) -> None:
    buy(firm)
    item = next(one for one in steps.bought(firm)["items"].data if one.price.unit_amount == 450)
    firm.v1.subscription_items.delete(item.id, {"proration_behavior": "none"})
    firm.deliver("customer.subscription.updated")
    assert firm.bring_up() == "done"
    assert has(firm)
    with firm.shop.work() as session, pytest.raises(Conflict, match="not on your bill"):
        AddonService(session).remove(SLUG)


# --- what add-ons count ------------------------------------------------------------------------------------------


def use(firm: Firm, name: str, quantity: int) -> None:
    with firm.shop.work() as session:
        count_usage(session, f"{SLUG}.messages", name, quantity)


def send(firm: Firm) -> int:
    with firm.shop.app.app_context(), context.use(tenant=firm.shop.tenant, actor=context.SYSTEM):
        return metering.send(StripeProvider(firm.gateway))


@pytest.fixture
def timed(
    app: Flask,
    gateway: Gateway,
    double: Running,
    shop: Shop,
    price: str,
    addon_prices_there: None,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Firm, steps.Timer]:
    """A firm with the add-on whose customer lives on a test clock."""
    charge(monkeypatch, replace(PRICE, amounts=AMOUNTS))
    app.extensions[EXTENSION] = StripeProvider(gateway)
    firm = steps.newcomer(gateway, double, shop, price)
    timer = steps.on_a_clock(firm)
    steps.paid(firm)
    steps.fresh(firm)
    use(firm, "before it was bought", 900)
    assert send(firm) == 0
    use(firm, "a moment before", 900)
    buy(firm)
    return firm, timer


def test_what_is_counted_is_on_the_next_bill_once(timed: tuple[Firm, steps.Timer]) -> None:
    firm, timer = timed
    use(firm, "a", 60)
    use(firm, "b", 65)
    firm.double.control("faults", kind="lost", times=1, path=r"^/v1/billing/meter_events", method="POST")
    assert send(firm) == 2  # The SDK repeats the lost one with its key.
    assert send(firm) == 0
    with firm.shop.work() as session:  # As after a crash before it was noted.
        session.execute(update(UsageEvent).values(settled_at=None).where(UsageEvent.event == "a"))
    assert send(firm) == 1
    assert "Messages sent: 125 of 100 in this period" in steps.shown(firm)
    timer.to_end(2 * steps.HOUR)
    newest = firm.v1.invoices.list({"customer": firm.customer, "limit": 1}).data[0]
    lines = {one.pricing.price_details.price: (one.quantity, one.amount) for one in newest.lines.data}
    assert (125, 50) in lines.values()
    assert newest.total_excluding_tax == 3 * 1400 + 450 + 50


def test_case_62_usage_after_the_removal_is_billed_with_the_period(timed: tuple[Firm, steps.Timer]) -> None:
    firm, timer = timed
    press(firm, "/remove")
    use(firm, "a", 110)
    assert send(firm) == 1
    timer.to_end(2 * steps.HOUR)
    newest = firm.v1.invoices.list({"customer": firm.customer, "limit": 1}).data[0]
    assert newest.total_excluding_tax == 3 * 1400 + 20
    use(firm, "late", 500)
    assert send(firm) == 0  # Nothing is charged for it any more.


def test_case_31_stripe_down_while_usage_is_told(timed: tuple[Firm, steps.Timer]) -> None:
    firm, _timer = timed
    use(firm, "a", 1)
    firm.double.control("faults", kind="cut", times=0, path="/v1/billing/")
    with pytest.raises(Unanswered):
        send(firm)
    firm.double.control("faults", clear=True)
    assert send(firm) == 1


def test_prices_of_meters_are_made_at_stripe(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    free = replace(PRICE.meters[0], name="letters", included=0)
    charge(monkeypatch, replace(PRICE, version=7, meters=(PRICE.meters[0], free)))
    with firm.shop.app.app_context():
        with db.unit_of_work(tenant=None) as session:
            session.execute(delete(Price))
            for one in addon_prices.offered():
                if one.currency == "EUR" and one.interval == "month":
                    session.add(
                        Price(
                            lookup_key=one.lookup_key,
                            plan=one.ref,
                            interval=one.interval,
                            currency=one.currency,
                            amount=one.amount,
                            applied_at=clock.now(),
                        )
                    )
        assert publish(firm.gateway) == 3
        with db.unit_of_work(tenant=None) as session:
            session.execute(update(Price).values(stripe_price_id=None))
        assert publish(firm.gateway) == 0
        with db.unit_of_work(tenant=None) as session:
            session.execute(delete(Price))
    keys = [f"kehu_x-{SLUG}-v7-{name}month-eur" for name in ("", "messages-", "letters-")]
    found = {
        one.lookup_key: one
        for one in firm.v1.prices.list({"lookup_keys": keys, "expand": ["data.tiers"]}).data
    }
    plain, messages, letters = (found[key] for key in keys)
    assert (plain.unit_amount, plain.metadata.to_dict()["plugin"]) == (450, SLUG)
    assert [(one.up_to, one.unit_amount) for one in messages.tiers] == [(100, 0), (None, 2)]
    assert (letters.unit_amount, letters.recurring.usage_type) == (2, "metered")
    assert messages.recurring.meter != letters.recurring.meter
