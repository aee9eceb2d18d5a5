"""How a subscription's status moves: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses."""

from __future__ import annotations

from tests.stripe_double import invoice_items, invoice_payments, invoices, lines, meters
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.lines import Span
from tests.stripe_double.world import Obj, World

EXPIRY = 23 * 3600  # an unpaid first invoice, and a pending update, wait 23 hours
DAY = 86400
ENDED = ("canceled", "incomplete_expired")


def span_of(world: World, subscription: Obj) -> Span:
    """Return the current period; since 2025-03-31 it stands on the items."""
    item = world.objects[subscription["_items"][0]]
    return Span(item["current_period_start"], item["current_period_end"])


def plan_ahead(world: World, subscription: Obj) -> None:
    """Put the end of the period, and the warning before a trial's end, on the agenda."""
    end = span_of(world, subscription).end
    world.at(end, "end_period", subscription["id"])
    if subscription["status"] == "trialing":
        # Three days before, or at once for a shorter trial: https://docs.stripe.com/billing/subscriptions/trials
        world.at(max(world.now(subscription), end - 3 * DAY), "warn_of_trial_end", subscription["id"])
    if subscription["cancel_at"] and not subscription["cancel_at_period_end"]:
        world.at(subscription["cancel_at"], "cancel_as_planned", subscription["id"])


def put_cancellation(world: World, subscription: Obj, p: Obj) -> None:
    """Plan a cancellation or take it back: https://docs.stripe.com/billing/subscriptions/cancel."""
    details = p.get("cancellation_details") or {}
    known = {k: v or None for k, v in details.items() if k in ("comment", "feedback")}
    subscription["cancellation_details"] = subscription["cancellation_details"] | known
    if not {"cancel_at_period_end", "cancel_at"} & set(p):
        return
    if p.get("cancel_at_period_end") is not None and p.get("cancel_at"):
        raise invalid(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", "cancel_at"
        )
    subscription["cancel_at_period_end"] = bool(p.get("cancel_at_period_end"))
    when = p.get("cancel_at") or None
    if p.get("cancel_at_period_end") or when in ("min_period_end", "max_period_end"):
        when = span_of(world, subscription).end if subscription["_items"] else None
    if when and subscription["_items"] and when != span_of(world, subscription).end:
        # It would shorten a period and prorate it: https://docs.stripe.com/billing/subscriptions/cancel#custom-cancel-date
        raise invalid("The double knows cancel_at at the end of the present period only.", "cancel_at")
    subscription["cancel_at"] = when
    subscription["canceled_at"] = (
        world.now(subscription) if when or subscription["cancel_at_period_end"] else None
    )
    reason = "cancellation_requested" if subscription["canceled_at"] else None
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"reason": reason}
    if when and not subscription["cancel_at_period_end"]:
        world.at(when, "cancel_as_planned", subscription["id"])


def cancel(
    world: World, subscription: Obj, reason: str, prorate: bool = False, invoice_now: bool = False
) -> Obj:
    """End a subscription; open invoices are no longer collected: https://docs.stripe.com/billing/subscriptions/cancel.

    Prorations that wait go with it, unless they are credited or billed now: https://docs.stripe.com/api/subscriptions/cancel.
    """
    now = world.now(subscription)
    bill = invoices.bill_of(world, subscription)
    drop_pending(world, subscription)
    if prorate:
        credit_rest(world, subscription, now)
    waiting: list[Obj] = []
    if invoice_now:
        # https://docs.stripe.com/api/subscriptions/cancel#cancel_subscription-invoice_now
        span = span_of(world, subscription)
        used = meters.ended(world, bill, subscription, Span(span.start, min(span.end, now)))
        waiting = [*invoice_items.take_pending(world, bill), *(one for one in used if one["amount"])]
    if not prorate and not invoice_now:
        invoice_items.drop_prorations(world, subscription["id"])
    for invoice in world.all("invoice", customer=subscription["customer"]):
        if invoice["_bill"].subscription == subscription["id"] and invoice["status"] in ("draft", "open"):
            invoice["auto_advance"], invoice["next_payment_attempt"] = False, None
    subscription["status"], subscription["ended_at"] = "canceled", now
    if not subscription["canceled_at"]:
        subscription["canceled_at"] = now
    was = subscription["cancellation_details"]
    subscription["cancellation_details"] = was | {"reason": was["reason"] or reason}
    if waiting:
        invoice = invoices.draft(world, bill, "subscription_update", waiting)
        invoices.finalize(world, invoice)
        if invoice["status"] == "open":
            invoice_payments.pay(world, invoice, None, off_session=True)
    emit(world, "customer.subscription.deleted", subscription)
    return subscription


def credit_rest(world: World, subscription: Obj, since: int) -> None:
    """Credit the unused time of all items as waiting items."""
    bill, span = invoices.bill_of(world, subscription), span_of(world, subscription)
    if subscription["status"] == "trialing":
        return
    for identifier in subscription["_items"]:
        item = world.objects[identifier]
        price = world.objects[item["price"]]
        if meters.metered(price):
            continue
        line = lines.proration(world, bill, item, price, item["quantity"], since, span, credit=True)
        invoice_items.wait(world, bill, line)


def drop_pending(world: World, subscription: Obj) -> None:
    """Discard a pending update and void its invoice: https://docs.stripe.com/billing/subscriptions/pending-updates."""
    if subscription["pending_update"]:
        subscription["pending_update"] = None
        change = subscription.pop("_pending", None)
        invoice = world.objects.get(change["invoice"]) if change else None
        if invoice and invoice["status"] == "open":
            invoices.void(world, invoice)


def on_paid(world: World, invoice: Obj) -> None:
    """Move on when an invoice was paid: first payment, renewal, pending update, resumption."""
    subscription = world.objects.get(invoice["_bill"].subscription or "")
    if subscription is None or subscription.get("deleted") or subscription["status"] in ENDED:
        return
    waiting = subscription.get("_pending")
    if waiting and waiting["invoice"] == invoice["id"]:
        from tests.stripe_double.updates import apply_pending

        apply_pending(world, subscription)
        return
    with Watch(world, "customer.subscription.updated", subscription):
        keep = subscription["payment_settings"]["save_default_payment_method"] == "on_subscription"
        if keep and invoice["_attempted_method"]:
            subscription["default_payment_method"] = invoice["_attempted_method"]
        if subscription["status"] == "incomplete" or (
            subscription["status"] in ("past_due", "unpaid", "paused")
            and subscription["latest_invoice"] == invoice["id"]
        ):
            resumed = subscription["status"] == "paused"
            subscription["status"] = "active"
            if resumed:
                emit(world, "customer.subscription.resumed", subscription)


def on_failed(world: World, invoice: Obj, acts: bool) -> None:
    """Fall behind when a payment failed; a first payment and a pending update leave the status as it is.

    Retries by days of the account's settings: https://docs.stripe.com/billing/revenue-recovery/smart-retries.
    """
    subscription = world.objects.get(invoice["_bill"].subscription or "")
    if (
        subscription is None
        or subscription.get("deleted")
        or subscription["status"] in (*ENDED, "incomplete")
    ):
        return
    waiting = subscription.get("_pending")
    if (waiting and waiting["invoice"] == invoice["id"]) or invoice.get("_for_pending"):
        return
    if (
        invoice["collection_method"] == "charge_automatically"
        and invoice["billing_reason"] == "subscription_cycle"
    ):
        plan_retry(world, subscription, invoice)
    if subscription["status"] in ("active", "trialing"):
        with Watch(world, "customer.subscription.updated", subscription):
            subscription["status"] = "past_due"


def plan_retry(world: World, subscription: Obj, invoice: Obj) -> None:
    """Plan the next attempt, or do what the account does after the last."""
    retries = world.settings["retries"]
    tried = invoice["attempt_count"]
    if tried > len(retries):
        if invoice["next_payment_attempt"] is not None or not retries:
            give_up(world, subscription, invoice)
        return
    if tried == 0:
        return
    when = world.now(invoice) + retries[tried - 1] * DAY
    if invoice["next_payment_attempt"] is None or invoice["next_payment_attempt"] <= world.now(invoice):
        with Watch(world, "invoice.updated", invoice):
            invoice["next_payment_attempt"] = when
        world.at(when, "retry_payment", invoice["id"])


def give_up(world: World, subscription: Obj, invoice: Obj) -> None:
    """Cancel, mark unpaid or leave past due: https://docs.stripe.com/billing/subscriptions/overview#settings."""
    invoice["next_payment_attempt"] = None
    after = world.settings["after_retries"]
    if after == "cancel":
        cancel(world, subscription, "payment_failed")
    elif after == "unpaid":
        with Watch(world, "customer.subscription.updated", subscription):
            subscription["status"] = "unpaid"


invoice_payments.PAID.append(on_paid)
invoice_payments.FAILED.append(on_failed)
