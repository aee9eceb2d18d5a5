"""What time does: renewals, drafts, retries, trials, expiry. https://docs.stripe.com/billing/subscriptions/overview."""

from __future__ import annotations

from tests.stripe_double import invoice_items, invoice_payments, invoices, lifecycle, lines, meters
from tests.stripe_double.dates import add_interval
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.lines import Span
from tests.stripe_double.world import Obj, World, timer

HOUR = 3600


@timer
def end_period(world: World, identifier: str) -> None:
    """End a period: cancel as planned, else begin the next and bill it: https://docs.stripe.com/billing/subscriptions/cancel."""
    subscription = world.get("subscription", identifier)
    now = world.now(subscription)
    if subscription["status"] in (*lifecycle.ENDED, "paused"):
        return
    if lifecycle.span_of(world, subscription).end > now:
        return  # the period was moved since this was planned
    if subscription["cancel_at_period_end"]:
        # Prorations that wait are still collected: https://docs.stripe.com/api/subscriptions/cancel.
        lifecycle.cancel(world, subscription, "cancellation_requested", invoice_now=True)
        return
    if subscription["status"] == "incomplete":
        return
    if subscription["status"] == "trialing" and _ends_without_card(world, subscription):
        return
    begin_period(world, subscription, lifecycle.span_of(world, subscription).end)


def begin_period(
    world: World, subscription: Obj, start: int, reason: str = "subscription_cycle"
) -> Obj | None:
    """Move the items to the next period and make its invoice, a draft for about an hour.

    https://docs.stripe.com/billing/invoices/subscription#subscription-lifecycle-events.
    """
    if subscription["pending_update"]:
        expire_pending(world, subscription["id"])
    items = [world.objects[i] for i in subscription["_items"]]
    recurring = world.objects[items[0]["price"]]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    end = add_interval(start, recurring["interval"], recurring["interval_count"], anchor)
    before = lifecycle.span_of(world, subscription)
    used = meters.ended(world, invoices.bill_of(world, subscription), subscription, before)
    with Watch(world, "customer.subscription.updated", subscription):
        for item in items:
            item["current_period_start"], item["current_period_end"] = start, end
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        if subscription["cancel_at_period_end"]:
            subscription["cancel_at"] = end
    lifecycle.plan_ahead(world, subscription)
    bill = invoices.bill_of(world, subscription)
    made = invoice_items.take_pending(world, bill) + used
    made += [
        lines.period(world, bill, item, world.objects[item["price"]], item["quantity"], Span(start, end))
        for item in items
        if not meters.metered(world.objects[item["price"]])
    ]
    now = world.now(subscription)
    collect = subscription["status"] != "unpaid" and not subscription["pause_collection"]
    invoice = invoices.draft(
        world,
        bill,
        reason,
        made,
        auto_advance=collect,
        automatically_finalizes_at=now + HOUR if collect else None,
        next_payment_attempt=now + HOUR if collect else None,
        period_start=before.start,
        period_end=before.end,
        _days=subscription["days_until_due"],
    )
    world.at(now + HOUR, "finalize_draft", invoice["id"])
    return invoice


@timer
def finalize_draft(world: World, identifier: str) -> None:
    """Finalize a draft when its hour is over and try to collect it.

    https://docs.stripe.com/invoicing/integration/workflow-transitions; that Stripe waits up to 72 hours for
    webhooks to be answered is not played.
    """
    invoice = world.get("invoice", identifier)
    subscription = world.objects[invoice["_bill"].subscription]
    behaviour = (subscription.get("pause_collection") or {}).get("behavior")
    if invoice["status"] != "draft" or behaviour == "keep_as_draft":
        return
    if behaviour:
        invoices.finalize(world, invoice)
        if invoice["status"] == "open":
            invoices.void(world, invoice)
        return
    if not invoice["auto_advance"]:
        return
    invoice["next_payment_attempt"] = None
    invoices.finalize(world, invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        invoice_payments.pay(world, invoice, None, off_session=True)
    elif invoice["status"] == "open":
        emit(world, "invoice.sent", invoice)
        world.at(invoice["due_date"], "fall_due", identifier)


@timer
def fall_due(world: World, identifier: str) -> None:
    """Let a sent invoice fall due: the subscription is ``past_due`` from then on.

    https://docs.stripe.com/api/subscriptions/object#subscription_object-status
    """
    invoice = world.get("invoice", identifier)
    if invoice["status"] != "open":
        return
    emit(world, "invoice.overdue", invoice)
    subscription = world.objects[invoice["_bill"].subscription]
    if subscription["status"] == "active":
        with Watch(world, "customer.subscription.updated", subscription):
            subscription["status"] = "past_due"


@timer
def retry_payment(world: World, identifier: str) -> None:
    """Try again on the planned day: https://docs.stripe.com/billing/revenue-recovery/smart-retries."""
    invoice = world.get("invoice", identifier)
    if invoice["status"] == "open" and invoice["next_payment_attempt"]:
        invoice_payments.pay(world, invoice, None, off_session=True)


@timer
def warn_of_trial_end(world: World, identifier: str) -> None:
    """Send ``customer.subscription.trial_will_end`` three days before: https://docs.stripe.com/api/events/types."""
    subscription = world.get("subscription", identifier)
    if subscription["status"] == "trialing" and not subscription.get("_warned"):
        subscription["_warned"] = True
        emit(world, "customer.subscription.trial_will_end", subscription)


def _ends_without_card(world: World, subscription: Obj) -> bool:
    """Cancel or pause at a trial's end without a card, if that is set.

    https://docs.stripe.com/billing/subscriptions/trials#create-free-trials-without-payment.
    """
    customer = world.objects[subscription["customer"]]
    card = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    behaviour = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if card or behaviour == "create_invoice":
        return False
    if behaviour == "cancel":
        lifecycle.cancel(world, subscription, "cancellation_requested")
        return True
    with Watch(world, "customer.subscription.updated", subscription):
        subscription["status"] = "paused"
    emit(world, "customer.subscription.paused", subscription)
    return True


@timer
def expire_incomplete(world: World, identifier: str) -> None:
    """Expire a subscription whose first invoice was not paid within 23 hours; the invoice is voided.

    https://docs.stripe.com/api/subscriptions/object#subscription_object-status
    """
    subscription = world.get("subscription", identifier)
    if subscription["status"] != "incomplete":
        return
    invoice = world.objects[subscription["latest_invoice"]]
    if invoice["status"] == "open":
        invoices.void(world, invoice)
    with Watch(world, "customer.subscription.updated", subscription):
        subscription["status"] = "incomplete_expired"
        subscription["ended_at"] = world.now(subscription)


@timer
def expire_pending(world: World, identifier: str) -> None:
    """Discard an unpaid pending update: https://docs.stripe.com/billing/subscriptions/pending-updates."""
    subscription = world.get("subscription", identifier)
    pending = subscription["pending_update"]
    if not pending or pending["expires_at"] > world.now(subscription):
        return
    with Watch(world, "customer.subscription.updated", subscription):
        lifecycle.drop_pending(world, subscription)
    emit(world, "customer.subscription.pending_update_expired", subscription)


@timer
def cancel_as_planned(world: World, identifier: str) -> None:
    """Cancel at the moment of ``cancel_at``: https://docs.stripe.com/billing/subscriptions/cancel#custom-cancel-date."""
    subscription = world.get("subscription", identifier)
    when = subscription["cancel_at"]
    if subscription["status"] in lifecycle.ENDED or not when or when > world.now(subscription):
        return
    lifecycle.cancel(world, subscription, "cancellation_requested", invoice_now=True)
