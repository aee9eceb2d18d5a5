"""Taking events in: stored once, the customer's mirror marked as behind, answered at once. Needs no worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.stripe import plain
from kehu.core import clock, jobs

log = structlog.get_logger(__name__)

CONVERGE = "billing.stripe.converge"
PLACE = "billing.stripe.place"

TAKEN = Counter("kehu_stripe_events", "Events of Stripe that were taken in", ["state"])
REFUSED = Counter("kehu_stripe_refused", "Deliveries that were not believed", ["why"])

FOLLOWED = (
    *("customer.subscription.", "customer.updated", "customer.deleted", "customer.tax_id.", "invoice."),
    *("checkout.session.", "payment_method.", "charge.refunded", "charge.dispute.", "credit_note."),
    *("refund.updated", "refund.failed"),
)
"""Beginnings of the types that can change what we mirror; all others are kept and passed over."""

# One statement and one round trip, where the ORM would need three: the row is inserted once however often the event
# comes, and only the first one raises what is wanted of the customer. `idle` says that nobody is at work on it.
_TAKE_IN = text(
    """
    WITH made AS (
        INSERT INTO billing_stripe_events
            (id, type, object_id, customer_id, livemode, api_version, state, body, received_at)
        VALUES (:id, :type, :object_id, :customer_id, :livemode, :api_version, :state,
                CAST(:body AS jsonb), :now)
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    ), raised AS (
        INSERT INTO billing_sync (customer_id, want, next_at, since)
        SELECT CAST(:customer_id AS text), 1, :now, :now FROM made
        WHERE CAST(:customer_id AS text) IS NOT NULL AND :state = 'new'
        ON CONFLICT (customer_id) DO UPDATE SET want = billing_sync.want + 1
        RETURNING want - 1 = done OR attempts >= 12 AS idle
    )
    SELECT (SELECT count(*) FROM made), (SELECT idle FROM raised)
    """
)


def take_in(session: Session, event: Mapping[str, Any], *, live: bool) -> str:
    """Keep an event and return what became of it: new, ignored, parked, or seen.

    :param live: whether this installation charges real cards; events of the other kind are kept and passed over.
    """
    customer_id, found = plain.customer_of(event), event["data"].get("object")
    found = found if isinstance(found, Mapping) else {}
    state = "new"
    if bool(event.get("livemode")) != live or not str(event["type"]).startswith(FOLLOWED):
        state = "ignored"
    elif customer_id is None:
        state = "parked"
    body = json.dumps(event).replace("\\u0000", "")
    row = {
        "id": event["id"],
        "type": event["type"],
        "object_id": str(found.get("id") or ""),
        "customer_id": customer_id,
        "livemode": bool(event.get("livemode")),
        "api_version": str(event.get("api_version") or ""),
        "state": state,
        "body": body,
        "now": clock.now(),
    }
    made, idle = session.execute(_TAKE_IN, row).one()
    if not made:
        TAKEN.labels("seen").inc()
        return "seen"
    if idle:
        jobs.enqueue(session, CONVERGE, customer_id=customer_id)
    elif state == "parked" and isinstance(found.get("charge"), str):
        jobs.enqueue(session, PLACE, event_id=event["id"], charge_id=found["charge"])
    TAKEN.labels(state).inc()
    return state
