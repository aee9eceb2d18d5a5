"""Steps that ``billing-e2e`` has no word for, as commands of its ``check: {run: …}``.

``python -m tests.stripe_double.step seats 5``. It works on the run's subscription (``BILLING_E2E_SUBSCRIPTION``) at the
double that ``STRIPE_ADDRESS`` names, else at Stripe with the test key in ``STRIPE_TEST_KEY``. It speaks HTTP itself:
loading the SDK would take longer than the step.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

CHARGED = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
SUBSCRIPTION = "subscriptions/" + os.environ.get("BILLING_E2E_SUBSCRIPTION", "")


def call(path: str, form: dict[str, str] | None = None) -> Any:
    """Ask Stripe, by GET or with a form; a refusal raises and so ends the step with 1."""
    address = os.environ.get("STRIPE_ADDRESS", "https://api.stripe.com")
    headers = {"Authorization": f"Bearer {os.environ['STRIPE_TEST_KEY']}"}
    data = urlencode(form).encode() if form is not None else None
    with urlopen(Request(f"{address}/v1/{path}", data, headers), timeout=30) as answer:
        return json.load(answer)


def seats(number: str) -> None:
    """Set the number of seats: more are charged at once, fewer cost nothing now."""
    item = call(SUBSCRIPTION)["items"]["data"][0]
    if item["quantity"] != int(number):
        terms = CHARGED if int(number) > item["quantity"] else {"proration_behavior": "none"}
        call(SUBSCRIPTION, {"items[0][id]": item["id"], "items[0][quantity]": number, **terms})


def plugin(price: str) -> None:
    """Add a paid plugin, or take it away when it is there."""
    there = [item["id"] for item in call(SUBSCRIPTION)["items"]["data"] if item["price"]["id"] == price]
    item = {"items[0][id]": there[0], "items[0][deleted]": "true"} if there else {"items[0][price]": price}
    call(SUBSCRIPTION, item | CHARGED)


def adds(price: str, metered: str) -> None:
    """Add a paid plugin with what it counts."""
    call(SUBSCRIPTION, {"items[0][price]": price, "items[1][price]": metered} | CHARGED)


def drops(price: str) -> None:
    """Take a plugin off the bill; what is paid is not given back."""
    (there,) = [item["id"] for item in call(SUBSCRIPTION)["items"]["data"] if item["price"]["id"] == price]
    call(SUBSCRIPTION, {"items[0][id]": there, "items[0][deleted]": "true", "proration_behavior": "none"})


def regains(price: str) -> None:
    """Put a plugin back whose period is paid."""
    call(SUBSCRIPTION, {"items[0][price]": price, "proration_behavior": "none"})


def uses(price: str, event: str, number: str) -> None:
    """Count something by the meter of a price; a second time under the same name is refused and changes nothing."""
    meter = call(f"billing/meters/{call(f'prices/{price}')['recurring']['meter']}")
    subscription = call(SUBSCRIPTION)
    told = {
        "event_name": meter["event_name"],
        "identifier": f"{subscription['id']}-{event}",
        "payload[stripe_customer_id]": subscription["customer"],
        "payload[value]": number,
    }
    try:
        call("billing/meter_events", told)
    except HTTPError as refusal:
        if "already exists with identifier" not in refusal.read().decode():
            raise


def pays() -> None:
    """Pay what is open."""
    query = urlencode({"subscription": os.environ["BILLING_E2E_SUBSCRIPTION"], "status": "open"})
    for invoice in call(f"invoices?{query}")["data"]:
        call(f"invoices/{invoice['id']}/pay", {})


def undo() -> None:
    """Take a cancellation back."""
    call(SUBSCRIPTION, {"cancel_at_period_end": "false"})


STEPS: dict[str, Any] = {
    "seats": seats,
    "plugin": plugin,
    "pays": pays,
    "undo": undo,
    "adds": adds,
    "drops": drops,
    "regains": regains,
    "uses": uses,
}

if __name__ == "__main__":
    STEPS[sys.argv[1]](*sys.argv[2:])
