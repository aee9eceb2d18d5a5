"""Jobs of the Stripe mode: fetching after events, picking up what was lost, forgetting old bodies."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import update

from billing import modes
from billing.stripe import inbox, reconciling, sync
from billing.stripe.models import StripeEvent
from billing.stripe.views import gateway
from kehu.core import clock, db, jobs
from plugins.results import BillingMode

RECONCILE_ONE = "billing.stripe.reconcile_one"
BODY_KEPT = dt.timedelta(days=90)


@jobs.platform_task(inbox.CONVERGE, queue="events")
def converge(customer_id: str, **_whose: Any) -> str:
    """Bring the mirror of a customer up; who comes second finds the lease taken and leaves.

    Asked for from within a firm, the queue adds the firm and who asked; what counts is whose customer it is.
    """
    return sync.bring_up(gateway(), customer_id)


@jobs.platform_task(inbox.PLACE, queue="events")
def place(event_id: str, charge_id: str, **_whose: Any) -> None:
    """Find the customer of an event that names only a charge."""
    sync.place(gateway(), event_id, charge_id)


@jobs.platform_task("billing.stripe.sweep", cron="* * * * *")
def sweep() -> None:
    """Wake what is behind without a job, and forget the bodies of events after 90 days."""
    if modes.mode() is not BillingMode.STRIPE:
        return
    with db.unit_of_work(tenant=None) as session:
        for customer_id in sync.overdue(session):
            jobs.enqueue(
                session, inbox.CONVERGE, queueing_lock=f"stripe:{customer_id}", customer_id=customer_id
            )
        old = update(StripeEvent).where(
            StripeEvent.received_at < clock.now() - BODY_KEPT, StripeEvent.body.is_not(None)
        )
        session.execute(old.values(body=None))


@jobs.platform_task(RECONCILE_ONE, queue="events")
def reconcile_one(customer_id: str, **_whose: Any) -> int:
    """Compare one customer, for an operator; return how many differences there are."""
    return len(reconciling.reconcile_customer(gateway(), customer_id))


@jobs.platform_task("billing.stripe.reconcile", cron="20 3 * * *")
def reconcile() -> None:
    """Compare everything with Stripe, each night."""
    if modes.mode() is BillingMode.STRIPE:
        reconciling.reconcile(gateway())
