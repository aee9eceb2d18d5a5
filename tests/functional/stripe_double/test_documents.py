"""Taxes, discounts, credit notes, refunds, disputes and tax ids of the double."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.functional.stripe_double.conftest import DAY, Firm, Prices
from tests.stripe_double.process import Running


@pytest.fixture(scope="module")
def vat(v1: Any) -> str:
    return str(
        v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False, "country": "DE"}).id
    )


@pytest.mark.parametrize(
    ("inclusive", "exempt", "total", "tax", "reason"),
    [
        (False, "none", 2380, 380, "standard_rated"),
        (True, "none", 2000, 319, "standard_rated"),
        (False, "reverse", 2000, 0, "reverse_charge"),
        (False, "exempt", 2000, 0, "customer_exempt"),
    ],
)
def test_tax_rates(
    firm: Firm, prices: Prices, inclusive: bool, exempt: str, total: int, tax: int, reason: str
) -> None:
    rate = firm.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": inclusive})
    firm.v1.customers.update(firm.id, {"tax_exempt": exempt})
    firm.card("pm_card_visa")
    firm.subscribe(prices.team, 2, default_tax_rates=[rate.id])
    invoice = firm.invoices[0]
    assert (invoice.total, invoice.total_taxes[0].amount) == (total, tax)
    assert (invoice.total_taxes[0].taxability_reason, invoice.amount_paid) == (reason, total)


def test_prorations_are_taxed(firm: Firm, prices: Prices, vat: str) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 1, default_tax_rates=[vat])
    change = {
        "items": [{"id": bought["items"].data[0].id, "quantity": 2}],
        "proration_behavior": "always_invoice",
    }
    firm.v1.subscriptions.update(bought.id, change)
    assert firm.invoices[0].total == 1190


@pytest.mark.parametrize(
    ("coupon", "first", "second"),
    [
        ({"percent_off": 25, "duration": "once"}, 1500, 2000),
        ({"percent_off": 25, "duration": "forever"}, 1500, 1500),
        (
            {"amount_off": 500, "currency": "eur", "duration": "repeating", "duration_in_months": 1},
            1500,
            2000,
        ),
    ],
)
def test_coupons(firm: Firm, prices: Prices, coupon: dict[str, Any], first: int, second: int) -> None:
    made = firm.v1.coupons.create(coupon)
    firm.card("pm_card_visa")
    firm.subscribe(prices.team, 2, discounts=[{"coupon": made.id}])
    assert firm.invoices[0].total == first
    firm.renew()
    assert firm.invoices[0].total == second


def test_a_promotion_code_and_its_limit(firm: Firm, prices: Prices) -> None:
    coupon = firm.v1.coupons.create({"percent_off": 10, "duration": "forever", "max_redemptions": 1})
    code = firm.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING"}
    )
    assert firm.v1.promotion_codes.list({"code": "SPRING"}).data[0].id == code.id
    firm.card("pm_card_visa")
    firm.subscribe(prices.team, 1, discounts=[{"promotion_code": code.id}])
    assert firm.invoices[0].total == 900
    with pytest.raises(stripe.InvalidRequestError):
        firm.subscribe(prices.large, 1, discounts=[{"coupon": coupon.id}])


def test_refunds_are_never_more_than_was_paid(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.team, 2)
    invoice = firm.v1.invoices.retrieve(firm.invoices[0].id, {"expand": ["payments"]})
    intent = invoice.payments.data[0].payment.payment_intent
    assert firm.v1.refunds.create({"payment_intent": intent, "amount": 500}).status == "succeeded"
    firm.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        firm.v1.refunds.create({"payment_intent": intent})
    assert firm.events().count("charge.refunded") == 2


def test_credit_notes_for_paid_and_open_invoices(firm: Firm, prices: Prices, vat: str) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.team, 2, default_tax_rates=[vat])
    paid = firm.invoices[0].id
    note = firm.v1.credit_notes.create(
        {"invoice": paid, "amount": 238, "refund_amount": 100, "credit_amount": 138}
    )
    assert (note.type, note.post_payment_amount, note.total_taxes[0].amount) == ("post_payment", 238, 38)
    assert firm.v1.customers.retrieve(firm.id).balance == -138
    with pytest.raises(stripe.InvalidRequestError):
        firm.v1.credit_notes.create({"invoice": paid, "amount": 100, "refund_amount": 50})
    firm.card("pm_card_chargeCustomerFail")
    firm.renew()
    owed = firm.invoices[0]
    assert owed.amount_due == 2380 - 138
    firm.v1.credit_notes.create({"invoice": owed.id, "amount": owed.amount_due})
    assert (firm.invoices[0].status, firm.subscription.status) == ("paid", "active")


def test_a_dispute_names_its_charge_only(firm: Firm, prices: Prices, double: Running) -> None:
    firm.card("pm_card_createDispute")
    firm.subscribe(prices.team)
    charge = firm.v1.charges.list({"customer": firm.id}).data[0]
    dispute = firm.v1.disputes.list({"charge": charge.id}).data[0]
    assert (dispute.status, charge.disputed, "customer" in dispute) == ("needs_response", True, False)
    with pytest.raises(stripe.InvalidRequestError):
        firm.v1.refunds.create({"charge": charge.id})
    assert double.control("dispute", dispute=dispute.id, status="won")["status"] == "won"
    assert not firm.v1.charges.retrieve(charge.id).disputed


@pytest.mark.parametrize(
    ("value", "status"),
    [("DE000000000", "verified"), ("DE111111111", "unverified"), ("DE222222222", "pending")],
)
def test_tax_ids_are_verified_later(firm: Firm, double: Running, value: str, status: str) -> None:
    made = firm.v1.customers.tax_ids.create(firm.id, {"type": "eu_vat", "value": value})
    assert firm.v1.customers.tax_ids.retrieve(firm.id, made.id).verification.status == status
    double.control("tax_id", tax_id=made.id, status="verified")
    assert firm.v1.customers.tax_ids.list(firm.id).data[0].verification.status == "verified"
    with pytest.raises(stripe.InvalidRequestError):
        firm.v1.customers.tax_ids.create(firm.id, {"type": "eu_vat", "value": "nonsense!"})


def test_items_by_hand_and_a_zero_decimal_currency(firm: Firm, prices: Prices) -> None:
    yen = firm.v1.prices.create(
        {
            "product": prices.product,
            "currency": "jpy",
            "unit_amount": 1200,
            "recurring": {"interval": "month"},
        }
    )
    firm.card("pm_card_visa")
    firm.subscribe(yen.id, 3)
    assert (firm.invoices[0].currency, firm.invoices[0].total) == ("jpy", 3600)
    firm.v1.invoice_items.create(
        {"customer": firm.id, "amount": 700, "currency": "jpy", "description": "Setup"}
    )
    asked = {"customer": firm.id, "pending_invoice_items_behavior": "include"}
    made = firm.v1.invoices.create(asked)
    firm.v1.invoices.finalize_invoice(made.id)
    assert firm.v1.invoices.pay(made.id).amount_paid == 700


def test_deleting_a_customer_ends_its_subscriptions(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team)
    firm.v1.customers.delete(firm.id)
    assert firm.v1.customers.retrieve(firm.id).deleted
    assert firm.v1.subscriptions.retrieve(bought.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        firm.v1.customers.update(firm.id, {"name": "Gone"})


def test_a_clock_goes_forward_two_intervals_at_most(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.team)
    with pytest.raises(stripe.InvalidRequestError):
        firm.advance(70 * DAY)
    firm.now -= 70 * DAY
    firm.v1.test_helpers.test_clocks.delete(firm.clock)
    assert firm.v1.customers.retrieve(firm.id).deleted


@pytest.mark.parametrize(
    ("country", "vat", "exempt", "tax", "reason"),
    [
        ("DE", "", "none", 380, "standard_rated"),
        ("FI", "", "none", 510, "standard_rated"),
        ("DE", "DE123456789", "none", 380, "standard_rated"),
        ("FR", "FRAB123456789", "none", 0, "reverse_charge"),
        ("JP", "", "none", 0, "not_collecting"),
        ("FR", "", "reverse", 0, "reverse_charge"),
        ("FR", "", "exempt", 0, "customer_exempt"),
    ],
)
def test_stripe_tax(
    firm: Firm, prices: Prices, country: str, vat: str, exempt: str, tax: int, reason: str
) -> None:
    firm.v1.prices.update(prices.team, {"tax_behavior": "exclusive"})
    firm.v1.customers.update(firm.id, {"address": {"country": country}, "tax_exempt": exempt})
    if vat:
        firm.v1.customers.tax_ids.create(firm.id, {"type": "eu_vat", "value": vat})
    firm.card("pm_card_visa")
    asked = {"items": [{"price": prices.team, "quantity": 2}]}
    shown = firm.v1.invoices.create_preview(
        {"customer": firm.id, "subscription_details": asked, "automatic_tax": {"enabled": True}}
    )
    bought = firm.subscribe(prices.team, 2, automatic_tax={"enabled": True})
    invoice = firm.invoices[0]
    assert (invoice.total, invoice.total_taxes[0].amount) == (2000 + tax, tax) == (shown.total, tax)
    assert (invoice.total_taxes[0].taxability_reason, invoice.automatic_tax.status) == (reason, "complete")
    rate = firm.v1.tax_rates.retrieve(invoice.total_taxes[0].tax_rate_details.tax_rate)
    assert (rate.active, rate.country, rate.percentage) == (False, country, tax / 20)
    change = {
        "items": [{"id": bought["items"].data[0].id, "quantity": 3}],
        "proration_behavior": "always_invoice",
    }
    firm.v1.subscriptions.update(bought.id, change)
    assert firm.invoices[0].total == 1000 + tax // 2


def test_stripe_tax_needs_a_place_a_behaviour_and_no_rate_by_hand(
    firm: Firm, prices: Prices, vat: str
) -> None:
    firm.card("pm_card_visa")
    automatic = {"automatic_tax": {"enabled": True}}
    own = firm.v1.prices.create(
        {
            "product_data": {"name": "Own"},
            "currency": "eur",
            "unit_amount": 100,
            "recurring": {"interval": "month"},
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="tax_behavior"):
        firm.subscribe(own.id, 1, **automatic)
    firm.v1.prices.update(prices.team, {"tax_behavior": "exclusive"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        firm.subscribe(prices.team, 1, **automatic)
    assert refused.value.code == "customer_tax_location_invalid"
    firm.v1.customers.update(firm.id, {"address": {"country": "DE"}})
    with pytest.raises(stripe.InvalidRequestError, match="default_tax_rates"):
        firm.subscribe(prices.team, 1, default_tax_rates=[vat], **automatic)


def test_a_preview_counts_coupons_and_uses_up_none(firm: Firm, prices: Prices) -> None:
    coupon = firm.v1.coupons.create({"percent_off": 25, "duration": "once", "max_redemptions": 1}).id
    firm.card("pm_card_visa")
    asked = {"customer": firm.id, "discounts": [{"coupon": coupon}]}
    asked["subscription_details"] = {"items": [{"price": prices.team, "quantity": 2}]}
    assert [firm.v1.invoices.create_preview(asked).total for _turn in range(2)] == [1500, 1500]
    firm.subscribe(prices.team, 2, discounts=[{"coupon": coupon}])
    assert firm.invoices[0].total == 1500
