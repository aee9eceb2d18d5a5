"""Taking events in: stored once, the customer's mirror marked as behind, answered at once. Needs no worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.exc import DataError

from billing.stripe import plain
from kehu.core import clock, db, jobs

CONVERGE = "billing.stripe.converge"
PLACE = "billing.stripe.place"

TAKEN = Counter("kehu_stripe_events", "Events of Stripe that were taken in", ["state"])
REFUSED = Counter("kehu_stripe_refused", "Deliveries that were not believed", ["why"])

FOLLOWED = (
    *("customer.subscription.", "customer.updated", "customer.deleted", "customer.tax_id.", "invoice."),
    *("checkout.session.", "payment_method.", "charge.refunded", "charge.dispute.", "credit_note."),
)
"""Beginnings of the types that can change what we mirror; all others are kept and passed over."""

# One statement, one round trip and one transaction, where the ORM would need six: the row is inserted once however
# often the event comes, only the first one raises what is wanted of the customer, and a job is put into the queue
# unless one is under way already (`idle`). A parked event's job looks for its customer.
_TAKE_IN = text(
    f"""
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
    ), job AS (
        SELECT {jobs.QUEUED} FROM made
        WHERE CAST(:task AS varchar) IS NOT NULL AND COALESCE((SELECT idle FROM raised), true)
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM job)
    """  # noqa: S608 - a constant of ours
)
_NO_JOB: dict[str, Any] = {"queue": None, "task": None, "arguments": None}


class NotStored(ValueError):
    """Raised for an event whose names no database can hold; it is not believed."""


def take_in(event: Mapping[str, Any], body: str, *, live: bool) -> str:
    """Keep an event and return what became of it: new, ignored, parked, or seen.

    :param body: the text that the event was read from.
    :param live: whether this installation charges real cards; events of the other kind are kept and passed over.
    :raises NotStored: when its id or type has characters that no text of the database may have.
    """
    customer_id, found = plain.customer_of(event), event["data"].get("object")
    found = found if isinstance(found, Mapping) else {}
    state, job = "new", _NO_JOB
    if bool(event.get("livemode")) != live or not str(event["type"]).startswith(FOLLOWED):
        state = "ignored"
    elif customer_id is not None:
        job = jobs.queued(CONVERGE, customer_id=customer_id)
    else:
        state = "parked"
        if isinstance(found.get("charge"), str):
            job = jobs.queued(PLACE, event_id=event["id"], charge_id=found["charge"])
    row = {
        "id": event["id"],
        "type": event["type"],
        "object_id": _writable(str(found.get("id") or "")),
        "customer_id": customer_id,
        "livemode": bool(event.get("livemode")),
        "api_version": _writable(str(event.get("api_version") or "")),
        "state": state,
        "body": body,
        "now": clock.now(),
    } | job
    try:
        made = _store(row)
    except (DataError, UnicodeEncodeError):
        # JSON may spell characters that jsonb may not hold; what counts of the event is in the other columns.
        made = _store_without_body(row)
    if not made:
        state = "seen"
    TAKEN.labels(state).inc()
    return state


def _store(row: Mapping[str, Any]) -> bool:
    with db.lone_statement() as connection:
        return bool(connection.execute(_TAKE_IN, row).one()[0])


def _store_without_body(row: Mapping[str, Any]) -> bool:
    try:
        return _store({**row, "body": None})
    except (DataError, UnicodeEncodeError) as error:
        raise NotStored(row["type"]) from error


def _writable(value: str) -> str:
    return value.replace("\0", "").encode("utf-8", "replace").decode()
