"""Subscriptions, prorations, declines, dunning and previews of the double, each with its documented outcome."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.functional.stripe_double.conftest import DAY, Firm, Prices
from tests.stripe_double.process import Running

HALF_OF = 31 * DAY


def _item(subscription: Any) -> Any:
    return subscription["items"].data[0]


def _quantity(v1: Any, subscription: Any, quantity: int, **more: Any) -> Any:
    item = _item(subscription).id
    base = {"items": [{"id": item, "quantity": quantity}], "proration_behavior": "always_invoice"}
    return v1.subscriptions.update(subscription.id, base | more)


def test_first_payment_makes_it_active(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 3)
    assert bought.status == "active"
    invoice = firm.invoices[0]
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", 3000, "subscription_create")
    assert invoice.parent.subscription_details.subscription == bought.id
    happened = firm.events()
    for kind in ("customer.subscription.created", "invoice.created", "invoice.finalized", "invoice.paid"):
        assert kind in happened


@pytest.mark.parametrize("card", ["pm_card_chargeCustomerFail", "pm_card_threeDSecure2Required"])
def test_first_payment_fails_and_expires_after_23_hours(firm: Firm, prices: Prices, card: str) -> None:
    firm.card(card)
    assert firm.subscribe(prices.team).status == "incomplete"
    firm.advance(22 * 3600)
    assert firm.subscription.status == "incomplete"
    firm.advance(2 * 3600)
    assert firm.subscription.status == "incomplete_expired"
    assert firm.invoices[0].status == "void"


def test_a_declining_card_is_refused_when_attached(firm: Firm) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        firm.card("pm_card_chargeDeclined")
    assert (refusal.value.code, refusal.value.http_status) == ("card_declined", 402)


def test_no_card_is_refused_and_error_if_incomplete_leaves_nothing(firm: Firm, prices: Prices) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        firm.subscribe(prices.team)
    firm.card("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        firm.subscribe(prices.team, payment_behavior="error_if_incomplete")
    assert firm.v1.subscriptions.list({"customer": firm.id, "status": "all"}).data == []


def test_prorations_are_counted_to_the_second_and_equal_the_preview(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 3)
    firm.advance(10 * DAY + 4321)
    since = firm.now
    details = {
        "items": [{"id": _item(bought).id, "quantity": 5}],
        "proration_behavior": "always_invoice",
        "proration_date": since,
    }
    shown = firm.v1.invoices.create_preview({"subscription": bought.id, "subscription_details": details})
    firm.advance(60)
    _quantity(firm.v1, bought, 5, proration_date=since)
    span, left = HALF_OF, HALF_OF - 10 * DAY - 4321
    expected = round(5000 * left / span) - round(3000 * left / span)
    assert shown.total == firm.invoices[0].total == expected
    assert firm.invoices[0].status == "paid"
    assert [line.parent.subscription_item_details.proration for line in shown.lines.data] == [True, True]


def test_create_prorations_wait_for_the_renewal(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 2)
    firm.advance(15 * DAY)
    _quantity(firm.v1, bought, 4, proration_behavior="create_prorations")
    assert len(firm.invoices) == 1
    waiting = firm.v1.invoice_items.list({"customer": firm.id, "pending": True}).data
    assert len(waiting) == 2
    firm.renew()
    renewal = firm.invoices[0]
    assert renewal.total == 4000 + sum(w.amount for w in waiting)
    assert renewal.status == "paid"


def test_none_changes_the_quantity_for_nothing(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 5)
    firm.advance(5 * DAY)
    assert _item(_quantity(firm.v1, bought, 2, proration_behavior="none")).quantity == 2
    assert len(firm.invoices) == 1
    firm.renew()
    assert firm.invoices[0].total == 2000


@pytest.mark.parametrize("card", ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"])
def test_a_pending_update_keeps_status_and_quantity_until_paid(firm: Firm, prices: Prices, card: str) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 2)
    firm.advance(DAY)
    firm.card(card)
    changed = _quantity(firm.v1, bought, 6, payment_behavior="pending_if_incomplete")
    assert (changed.status, _item(changed).quantity) == ("active", 2)
    assert changed.pending_update.subscription_items[0].quantity == 6
    assert changed.pending_update.expires_at == firm.now + 23 * 3600
    firm.card("pm_card_visa")
    firm.v1.invoices.pay(changed.latest_invoice)
    after = firm.subscription
    assert (after.status, _item(after).quantity, after.pending_update) == ("active", 6, None)
    assert "customer.subscription.pending_update_applied" in firm.events()


def test_a_pending_update_expires_and_its_invoice_is_voided(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 2)
    firm.card("pm_card_chargeCustomerFail")
    firm.advance(DAY)
    _quantity(firm.v1, bought, 6, payment_behavior="pending_if_incomplete")
    firm.advance(DAY)
    after = firm.subscription
    assert (after.status, _item(after).quantity, after.pending_update) == ("active", 2, None)
    assert firm.invoices[0].status == "void"
    assert "customer.subscription.pending_update_expired" in firm.events()


def test_pending_updates_take_few_parameters(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 2)
    with pytest.raises(stripe.InvalidRequestError):
        _quantity(firm.v1, bought, 3, payment_behavior="pending_if_incomplete", cancel_at_period_end=True)


def test_a_failed_renewal_is_retried_on_days_3_5_7_then_cancelled(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.team)
    firm.card("pm_card_chargeCustomerFail")
    firm.renew()
    assert firm.subscription.status == "past_due"
    invoice = firm.invoices[0]
    assert invoice.attempt_count == 1
    assert 3 * DAY - 200 <= invoice.next_payment_attempt - firm.now <= 3 * DAY
    firm.advance(9 * DAY)
    assert firm.invoices[0].attempt_count == 3
    firm.advance(7 * DAY)
    ended = firm.subscription
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert firm.invoices[0].status == "open"


def test_paying_in_the_retries_makes_it_active_at_once(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.team)
    firm.card("pm_card_chargeCustomerFail")
    firm.renew()
    firm.card("pm_card_visa")
    firm.v1.invoices.pay(firm.invoices[0].id)
    assert firm.subscription.status == "active"


def test_unpaid_when_the_account_says_so(firm: Firm, prices: Prices, double: Running) -> None:
    double.control("settings", after_retries="unpaid")
    firm.card("pm_card_visa")
    firm.subscribe(prices.team)
    firm.card("pm_card_chargeCustomerFail")
    firm.renew()
    firm.advance(16 * DAY)
    double.control("settings", after_retries="cancel")
    assert firm.subscription.status == "unpaid"


def test_a_trial_costs_nothing_then_renews(firm: Firm, prices: Prices) -> None:
    bought = firm.subscribe(prices.team, 2, trial_period_days=14)
    assert (bought.status, firm.invoices[0].total) == ("trialing", 0)
    firm.advance(12 * DAY)
    assert "customer.subscription.trial_will_end" in firm.events()
    firm.card("pm_card_visa")
    firm.renew()
    assert (firm.subscription.status, firm.invoices[0].total) == ("active", 2000)


@pytest.mark.parametrize(("behaviour", "status"), [("cancel", "canceled"), ("pause", "paused")])
def test_a_trial_without_card_ends_as_asked(firm: Firm, prices: Prices, behaviour: str, status: str) -> None:
    ends = {"end_behavior": {"missing_payment_method": behaviour}}
    firm.subscribe(prices.team, trial_period_days=3, trial_settings=ends)
    firm.advance(4 * DAY)
    assert firm.subscription.status == status
    if status == "paused":
        firm.card("pm_card_visa")
        firm.v1.subscriptions.resume(firm.subscription.id)
        assert firm.subscription.status == "active"


def test_cancel_at_period_end_and_undo(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team)
    planned = firm.v1.subscriptions.update(bought.id, {"cancel_at_period_end": True})
    assert planned.cancel_at == _item(bought).current_period_end
    undone = firm.v1.subscriptions.update(bought.id, {"cancel_at_period_end": False})
    assert (undone.cancel_at, undone.canceled_at) == (None, None)
    firm.v1.subscriptions.update(bought.id, {"cancel_at_period_end": True})
    firm.renew()
    assert firm.subscription.status == "canceled"
    assert (
        firm.events()[-1] == "customer.subscription.deleted"
        or "customer.subscription.deleted" in firm.events()
    )
    assert len(firm.invoices) == 1


def test_a_new_interval_begins_a_period_and_bills_it(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 1)
    firm.advance(10 * DAY)
    change = {"items": [{"id": _item(bought).id, "price": prices.yearly}]}
    after = firm.v1.subscriptions.update(bought.id, change)
    left = HALF_OF - 10 * DAY
    assert firm.invoices[0].total == 10000 - round(1000 * left / HALF_OF)
    assert _item(after).current_period_start == firm.now
    assert datetime.fromtimestamp(_item(after).current_period_end, UTC).year == 2028


def test_items_come_and_go(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 2)
    added = firm.v1.subscription_items.create(
        {"subscription": bought.id, "price": prices.addon, "quantity": 1}
    )
    assert len(firm.subscription["items"].data) == 2
    firm.v1.subscription_items.delete(added.id, {"proration_behavior": "none"})
    assert [i.price.id for i in firm.subscription["items"].data] == [prices.team]
    with pytest.raises(stripe.InvalidRequestError):
        firm.v1.subscription_items.create({"subscription": bought.id, "price": prices.team})


def test_the_last_day_of_the_month_stays_the_anchor(firm: Firm, prices: Prices) -> None:
    firm.advance(21 * DAY)  # 31 January
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team)
    ends = []
    for _ in range(2):
        ends.append(
            datetime.fromtimestamp(_item(firm.subscription).current_period_end, UTC).strftime("%m-%d")
        )
        firm.renew()
    assert ends == ["02-28", "03-31"]
    assert firm.subscription.id == bought.id


@pytest.mark.parametrize(("quantity", "total"), [(1, 1000), (10, 10000), (12, 12100), (25, 21000)])
def test_graduated_tiers(firm: Firm, prices: Prices, quantity: int, total: int) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.tiered, quantity)
    assert firm.invoices[0].total == total


def test_a_customer_keeps_one_currency(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.team, currency="usd")
    assert (firm.invoices[0].currency, firm.invoices[0].total) == ("usd", 1100)
    with pytest.raises(stripe.InvalidRequestError, match="combine currencies"):
        firm.subscribe(prices.large, currency="eur")


def test_credit_of_a_downgrade_pays_the_next_invoice(firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 10)
    firm.advance(DAY)
    _quantity(firm.v1, bought, 1)
    credit = firm.invoices[0].total
    assert credit < 0
    assert firm.v1.customers.retrieve(firm.id).balance == credit
    firm.renew()
    assert (firm.invoices[0].total, firm.invoices[0].amount_due) == (1000, 0)
    assert firm.v1.customers.retrieve(firm.id).balance == credit + 1000


def test_payers_by_invoice_fall_behind_when_it_is_due(firm: Firm, prices: Prices) -> None:
    firm.subscribe(prices.team, collection_method="send_invoice", days_until_due=10)
    assert firm.subscription.status == "active"
    firm.renew()
    assert firm.invoices[0].status == "open"
    firm.advance(11 * DAY)
    assert firm.subscription.status == "past_due"
    with pytest.raises(stripe.InvalidRequestError):
        _quantity(firm.v1, firm.subscription, 3, payment_behavior="pending_if_incomplete")
