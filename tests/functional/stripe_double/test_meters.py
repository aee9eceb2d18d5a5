"""Usage at the double: counted once, billed with the period in which it happened."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.functional.stripe_double.conftest import Firm, Prices


@pytest.fixture
def metered(prices: Prices) -> str:
    """A hundred in the price, each further one two cents."""
    return prices.metered


def use(v1: Any, firm: Firm, value: int, identifier: str, **more: Any) -> Any:
    payload = {"stripe_customer_id": firm.id, "value": str(value)}
    return v1.billing.meter_events.create(
        {"event_name": "messages", "payload": payload, "identifier": f"{firm.id}-{identifier}"} | more
    )


def test_usage_is_billed_with_the_next_period(v1: Any, firm: Firm, prices: Prices, metered: str) -> None:
    firm.card("pm_card_visa")
    bought = firm.subscribe(prices.team, 2)
    v1.subscriptions.update(
        bought.id,
        {
            "items": [{"price": metered}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    added = v1.subscriptions.retrieve(bought.id)["items"].data[1]
    assert (added.quantity, len(firm.invoices)) == (None, 1)
    use(v1, firm, 60, "a")
    use(v1, firm, 65, "b")
    with pytest.raises(stripe.InvalidRequestError, match="An event already exists with identifier"):
        use(v1, firm, 65, "b")
    firm.renew()
    lines = {
        one.pricing.price_details.price: (one.quantity, one.amount) for one in firm.invoices[0].lines.data
    }
    assert lines == {prices.team: (2, 2000), metered: (125, 50)}
    use(v1, firm, 7, "c")
    v1.subscriptions.update(bought.id, {"cancel_at_period_end": True})
    firm.renew()
    assert v1.subscriptions.retrieve(bought.id).status == "canceled"
    assert [one.total for one in firm.invoices] == [
        2050,
        2000,
    ]  # Seven are in the price: nothing more is billed.


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"event_name": "letters"}, "No active meter"),
        ({"timestamp": 1}, "past 35 days"),
        ({"payload": {"stripe_customer_id": "cus_nobody", "value": "1"}}, "No such customer"),
    ],
)
def test_what_can_not_be_counted_is_refused(
    v1: Any, firm: Firm, metered: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=said):
        use(v1, firm, 1, "x", **more)
    with pytest.raises(stripe.InvalidRequestError, match="Quantity can be set only"):
        v1.subscriptions.create({"customer": firm.id, "items": [{"price": metered, "quantity": 1}]})
