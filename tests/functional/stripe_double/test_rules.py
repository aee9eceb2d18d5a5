"""Rules that Stripe's pages state and that were once written otherwise here; each names its page."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.functional.stripe_double.conftest import DAY, Firm, Prices


def _more(firm: Firm, quantity: int) -> None:
    """Raise the quantity; what it costs waits for the next invoice."""
    bought = firm.subscription
    item = {"id": bought["items"].data[0].id, "quantity": quantity}
    firm.v1.subscriptions.update(bought.id, {"items": [item], "proration_behavior": "create_prorations"})


def _waiting(firm: Firm) -> list[Any]:
    return firm.v1.invoice_items.list({"customer": firm.id, "pending": True}).data  # type: ignore[no-any-return]


def _bought(firm: Firm, prices: Prices) -> str:
    """Buy three seats and add two of which nothing is billed yet."""
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 3).id
    firm.advance(10 * DAY)
    _more(firm, 5)
    assert len(_waiting(firm)) == 2
    return bought


def test_cancelling_at_once_drops_prorations_that_wait(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/api/subscriptions/cancel."""
    bought = _bought(firm, prices)
    firm.v1.subscriptions.cancel(bought)
    assert _waiting(firm) == []
    assert len(firm.invoices) == 1


def test_cancelling_at_once_bills_them_when_asked(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/api/subscriptions/cancel#cancel_subscription-invoice_now."""
    bought = _bought(firm, prices)
    firm.v1.subscriptions.cancel(bought, {"invoice_now": True})
    assert _waiting(firm) == []
    assert [one.status for one in firm.invoices] == ["paid", "paid"]


def test_the_end_of_the_period_collects_prorations_that_wait(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/billing/subscriptions/cancel: they are left in place and collected then."""
    bought = _bought(firm, prices)
    [credit, charge] = sorted(one.amount for one in _waiting(firm))
    firm.v1.subscriptions.update(bought, {"cancel_at_period_end": True})
    firm.renew()
    assert firm.subscription.status == "canceled"
    assert (firm.invoices[0].total, firm.invoices[0].status) == (credit + charge, "paid")
    assert _waiting(firm) == []


def test_an_end_within_the_period_is_not_known(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/billing/subscriptions/cancel#custom-cancel-date: it would shorten and prorate."""
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team)
    with pytest.raises(stripe.InvalidRequestError, match="cancel_at"):
        firm.v1.subscriptions.update(bought.id, {"cancel_at": firm.now + 5 * DAY})
    end = bought["items"].data[0].current_period_end
    assert firm.v1.subscriptions.update(bought.id, {"cancel_at": end}).cancel_at == end


def test_an_incomplete_subscription_is_changed_in_its_metadata_only(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/api/subscriptions/object#subscription_object-status."""
    firm.card("pm_card_chargeCustomerFail")
    bought = firm.subscribe(prices.team)
    assert bought.status == "incomplete"
    with pytest.raises(stripe.InvalidRequestError, match="incomplete"):
        _more(firm, 2)
    assert firm.v1.subscriptions.update(bought.id, {"metadata": {"a": "b"}}).metadata["a"] == "b"


def test_the_first_attempt_counts_by_hand_too_and_later_ones_by_schedule_only(
    firm: Firm, prices: Prices
) -> None:
    """https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count."""
    firm.card("pm_card_chargeCustomerFail")
    bought = firm.subscribe(prices.team, payment_behavior="default_incomplete")
    bill = str(bought.latest_invoice)
    for _turn in range(2):
        with pytest.raises(stripe.CardError):
            firm.v1.invoices.pay(bill)
        assert firm.v1.invoices.retrieve(bill).attempt_count == 1


def test_what_was_refunded_can_not_be_credited_again(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/api/credit_notes/create: refunds are taken off what can be credited."""
    firm.card("pm_card_visa")
    firm.subscribe(prices.team, 3)
    [bill] = firm.invoices
    charge = firm.v1.charges.list({"customer": firm.id}).data[0].id
    firm.v1.refunds.create({"charge": charge, "amount": 2000})
    with pytest.raises(stripe.InvalidRequestError, match="left to credit"):
        firm.v1.credit_notes.create({"invoice": bill.id, "amount": 1001, "credit_amount": 1001})
    note = firm.v1.credit_notes.create({"invoice": bill.id, "amount": 1000, "refund_amount": 1000})
    assert note.post_payment_amount == 1000


def test_a_bad_debt_is_credited_like_an_open_invoice(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/invoicing/integration/programmatic-credit-notes."""
    firm.card("pm_card_chargeCustomerFail")
    bill = str(firm.subscribe(prices.team, 3).latest_invoice)
    firm.v1.invoices.mark_uncollectible(bill)
    note = firm.v1.credit_notes.create({"invoice": bill, "amount": 1000})
    assert (note.pre_payment_amount, firm.v1.invoices.retrieve(bill).amount_due) == (1000, 2000)


def test_ending_a_trial_at_once_is_told_like_its_end(firm: Firm, prices: Prices) -> None:
    """https://docs.stripe.com/api/events/types."""
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, trial_period_days=14)
    assert "customer.subscription.trial_will_end" not in firm.events()
    firm.v1.subscriptions.update(bought.id, {"trial_end": "now"})
    assert firm.events().count("customer.subscription.trial_will_end") == 1


def test_northern_ireland_has_a_number_of_the_union(firm: Firm) -> None:
    """https://docs.stripe.com/billing/customer/tax-ids#supported-tax-id-types."""
    with pytest.raises(stripe.InvalidRequestError):
        firm.v1.customers.tax_ids.create(firm.id, {"type": "gb_vat", "value": "XI123456789"})
    assert (
        firm.v1.customers.tax_ids.create(firm.id, {"type": "eu_vat", "value": "XI123456789"}).country == "XI"
    )
