"""Every address of the double answers, and every answer has the fields and types of the SDK's classes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import stripe

from tests.functional.stripe_double.conftest import DAY, Firm, Prices
from tests.stripe_double import families, routes, sdk
from tests.stripe_double.process import Running

# The client of these tests is ``process.Checking``: it holds each answer of every test here to the SDK's types.
assert families


def _catalogue(v1: Any, firm: Firm, prices: Prices) -> None:
    v1.products.update(prices.product, {"unit_label": "seat"})
    v1.products.retrieve(prices.product)
    v1.products.list({"limit": 1})
    v1.products.delete(v1.products.create({"name": "Gone"}).id)
    v1.prices.update(prices.team, {"nickname": "Team"})
    v1.prices.list({"lookup_keys": ["team_month"]})
    v1.prices.retrieve(prices.tiered, {"expand": ["tiers", "currency_options"]})
    meter = v1.billing.meters.create(
        {
            "display_name": "Messages",
            "event_name": "types_messages",
            "default_aggregation": {"formula": "sum"},
        }
    )
    v1.billing.meters.retrieve(meter.id)
    v1.billing.meters.list({"limit": 1})
    payload = {"stripe_customer_id": firm.id, "value": "3"}
    assert v1.billing.meter_events.create({"event_name": "types_messages", "payload": payload}).payload
    rate = v1.tax_rates.create({"display_name": "VAT", "percentage": 7, "inclusive": False})
    v1.tax_rates.update(rate.id, {"active": False})
    v1.tax_rates.retrieve(rate.id)
    v1.tax_rates.list({"limit": 1})
    coupon = v1.coupons.create({"percent_off": 5, "applies_to": {"products": [prices.product]}})
    assert v1.coupons.retrieve(coupon.id, {"expand": ["applies_to"]}).applies_to.products == [prices.product]
    v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    v1.promotion_codes.list({"limit": 1})
    v1.coupons.list({"limit": 1})
    v1.coupons.delete(coupon.id)


def _customer(v1: Any, firm: Firm) -> None:
    v1.customers.update(firm.id, {"balance": -100, "address": {"country": "DE"}, "metadata": {"a": "b"}})
    v1.customers.retrieve(firm.id)
    v1.customers.list({"test_clock": firm.clock})
    v1.customers.balance_transactions.list(firm.id)
    tax_id = v1.customers.tax_ids.create(firm.id, {"type": "eu_vat", "value": "DE123456789"})
    v1.customers.tax_ids.retrieve(firm.id, tax_id.id)
    v1.customers.tax_ids.list(firm.id)
    v1.customers.tax_ids.delete(firm.id, tax_id.id)
    method = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    v1.payment_methods.attach(method.id, {"customer": firm.id})
    v1.payment_methods.update(method.id, {"metadata": {"a": "b"}})
    v1.payment_methods.retrieve(method.id)
    v1.payment_methods.list({"customer": firm.id})
    v1.customers.payment_methods.list(firm.id)
    v1.payment_methods.detach(method.id)


def _payments(v1: Any, firm: Firm, double: Running) -> None:
    intent = v1.payment_intents.create({"amount": 500, "currency": "eur", "customer": firm.id})
    v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_createDispute"})
    v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    v1.payment_intents.list({"customer": firm.id})
    v1.payment_intents.cancel(
        v1.payment_intents.create({"amount": 5, "currency": "eur", "customer": firm.id}).id
    )
    charge = v1.charges.list({"customer": firm.id}).data[0]
    v1.charges.retrieve(charge.id)
    dispute = v1.disputes.list({"charge": charge.id}).data[0]
    v1.disputes.retrieve(dispute.id)
    v1.disputes.close(dispute.id)
    paid = v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "eur",
            "customer": firm.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )
    refund = v1.refunds.create({"payment_intent": paid.id, "amount": 1})
    v1.refunds.retrieve(refund.id)
    v1.refunds.list({"payment_intent": paid.id})
    setup = v1.setup_intents.create({"customer": firm.id})
    v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_threeDSecure2Required"})
    v1.setup_intents.retrieve(setup.id)
    v1.setup_intents.cancel(setup.id)
    with pytest.raises(stripe.CardError) as refusal:
        setup = v1.setup_intents.create({"customer": firm.id})
        v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_chargeDeclined"})
    assert refusal.value.code == "card_declined"


def _subscription(v1: Any, firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    rate = v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False})
    bought = firm.subscribe(prices.team, 2, default_tax_rates=[rate.id], expand=["latest_invoice.payments"])
    v1.subscriptions.retrieve(bought.id, {"expand": ["customer.subscriptions", "items.data.price.product"]})
    v1.subscriptions.list({"customer": firm.id})
    item = v1.subscription_items.create({"subscription": bought.id, "price": prices.addon})
    v1.subscription_items.update(item.id, {"quantity": 2})
    v1.subscription_items.retrieve(item.id)
    v1.subscription_items.list({"subscription": bought.id})
    v1.subscription_items.delete(item.id)
    v1.invoices.create_preview({"subscription": bought.id})
    v1.subscriptions.update(bought.id, {"pause_collection": {"behavior": "void"}})
    v1.subscriptions.update(bought.id, {"pause_collection": "", "metadata": {"a": "b"}})
    v1.subscriptions.cancel(bought.id, {"prorate": True, "invoice_now": True})
    paused = firm.subscribe(
        prices.team, trial_period_days=1, trial_settings={"end_behavior": {"missing_payment_method": "pause"}}
    )
    for method in v1.payment_methods.list({"customer": firm.id}).data:
        v1.payment_methods.detach(method.id)
    firm.advance(2 * DAY)
    firm.card("pm_card_visa")
    v1.subscriptions.resume(paused.id)


def _invoices(v1: Any, firm: Firm) -> None:
    invoice = firm.invoices[0]
    v1.invoices.line_items.list(invoice.id)
    v1.invoices.retrieve(
        invoice.id, {"expand": ["confirmation_secret", "payments.data.payment.payment_intent"]}
    )
    v1.invoices.update(invoice.id, {"metadata": {"a": "b"}})
    payment = v1.invoice_payments.list({"invoice": firm.invoices[-1].id}).data[0]
    v1.invoice_payments.retrieve(payment.id)
    waiting = v1.invoice_items.create({"customer": firm.id, "amount": 300, "currency": "eur"})
    v1.invoice_items.retrieve(waiting.id)
    v1.invoice_items.list({"customer": firm.id})
    v1.invoice_items.delete(waiting.id)

    def made(amount: int = 300) -> str:
        v1.invoice_items.create({"customer": firm.id, "amount": amount, "currency": "eur"})
        asked = {"customer": firm.id, "pending_invoice_items_behavior": "include"}
        return str(v1.invoices.create(asked | {"collection_method": "send_invoice", "days_until_due": 5}).id)

    v1.invoices.delete(v1.invoices.create({"customer": firm.id}).id)
    v1.customers.update(firm.id, {"balance": 0})
    sent = made()
    v1.invoices.send_invoice(sent)
    note = v1.credit_notes.create({"invoice": sent, "amount": 100})
    v1.credit_notes.retrieve(note.id)
    v1.credit_notes.list({"invoice": sent})
    v1.credit_notes.void_credit_note(note.id)
    v1.invoices.pay(sent, {"paid_out_of_band": True})
    bad = made()
    v1.invoices.finalize_invoice(bad)
    v1.invoices.mark_uncollectible(bad)
    v1.invoices.void_invoice(bad)


def _rest(v1: Any, firm: Firm, prices: Prices, double: Running) -> None:
    asked = {"mode": "subscription", "customer": firm.id, "success_url": "https://kehu.example/"}
    session = v1.checkout.sessions.create(asked | {"line_items": [{"price": prices.team, "quantity": 1}]})
    v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    v1.checkout.sessions.line_items.list(session.id)
    v1.checkout.sessions.list({"customer": firm.id})
    v1.checkout.sessions.expire(session.id)
    v1.billing_portal.sessions.create({"customer": firm.id})
    event = v1.events.list({"limit": 100}).data[0]
    v1.events.retrieve(event.id)
    assert v1.accounts.retrieve_current().id
    hook = v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["charge.expired"]})
    v1.webhook_endpoints.list({})
    v1.webhook_endpoints.delete(hook.id)
    v1.test_helpers.test_clocks.list({"limit": 1})
    v1.test_helpers.test_clocks.retrieve(firm.clock)
    v1.customers.delete(firm.id)
    v1.test_helpers.test_clocks.delete(firm.clock)


def test_every_address_answers_in_the_sdks_types(
    v1: Any, double: Running, firm: Firm, prices: Prices
) -> None:
    _catalogue(v1, firm, prices)
    _customer(v1, firm)
    _payments(v1, firm, double)
    _subscription(v1, firm, prices)
    _invoices(v1, firm)
    _rest(v1, firm, prices, double)
    walked = double.asked()
    left = {
        f"{route.method} {route.path}"
        for route in routes.ROUTES
        if not any(method == route.method and route.pattern.match(path) for method, path in walked)
    }
    assert left == set()


def test_events_hold_objects_of_the_sdks_types(v1: Any) -> None:
    for event in v1.events.list({"limit": 100}).data:
        shown = event.data.object.to_dict()
        assert sdk.problems(_jsonable(shown)) == [], event.type


def _jsonable(value: Any) -> Any:
    """Write decimals as the wire has them: the SDK turned them into ``Decimal``."""
    if isinstance(value, dict):
        return {k: _jsonable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_jsonable(v) for v in value]
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def test_each_behaviour_cites_its_page() -> None:
    cites = re.compile(r"https://docs\.stripe\.com/")
    silent = [route.path for route in routes.ROUTES if not cites.search(route.handler.__doc__ or "")]
    assert silent == []


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"object": "subscription", "id": "sub_1", "current_period_end": 1}, "no such field"),
        ({"object": "customer", "id": 5}, "5 is no"),
        ({"object": "customer", "id": "cus_1"}, "missing"),
        ({"object": "test_helpers.test_clock", "status": "asleep"}, "asleep"),
        ({"object": "spaceship"}, "no known object"),
    ],
)
def test_the_check_finds_what_is_wrong(answer: dict[str, Any], wrong: str) -> None:
    assert any(wrong in problem for problem in sdk.problems(answer))
