"""Changing a subscription: https://docs.stripe.com/api/subscriptions/update and /billing/subscriptions/change."""

from __future__ import annotations

from typing import Any

from tests.stripe_double import coupons, invoice_items, invoice_payments, invoices, lifecycle
from tests.stripe_double.changes import Change, work_out
from tests.stripe_double.errors import card_error, invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.lines import Span
from tests.stripe_double.meters import metered
from tests.stripe_double.payment_methods import codes
from tests.stripe_double.routes import public, route
from tests.stripe_double.subscriptions import ENDED, SETTINGS, add_item, put_settings
from tests.stripe_double.world import Obj, World

COSTLY = (
    "items",
    "proration_behavior",
    "proration_date",
    "payment_behavior",
    "billing_cycle_anchor",
    "trial_end",
)
# https://docs.stripe.com/billing/pending-updates-reference#supported-attributes, metadata since 2026-05-27.
PENDING = (*COSTLY, "expand", "trial_from_plan", "add_invoice_items", "metadata")


@route("POST /v1/subscriptions/{subscription}", "SubscriptionUpdateParams")
def update(world: World, p: Obj, subscription: str) -> Obj:
    """Change a subscription: https://docs.stripe.com/api/subscriptions/update.

    What it costs follows ``proration_behavior``, what becomes of a failed payment ``payment_behavior``.
    """
    only(p, (*SETTINGS, *COSTLY, "discounts", "pause_collection"))
    return change(world, world.get("subscription", subscription, "subscription"), p)


def change(world: World, subscription: Obj, p: Obj) -> Obj:
    """Carry a change out, at once or pending until it is paid."""
    if subscription["status"] in ENDED:
        allowed = {"metadata", "cancellation_details"}
        if set(p) - allowed:
            message = "A canceled subscription can only update its cancellation_details and metadata."
            raise invalid(message, code="invalid_canceled_subscription_fields")
    if subscription["status"] == "incomplete" and set(p) - {"metadata"}:
        # https://docs.stripe.com/api/subscriptions/object#subscription_object-status
        raise invalid("A subscription that is incomplete can only update its metadata and default_source.")
    behaviour = p.get("payment_behavior", "allow_incomplete")
    if behaviour == "pending_if_incomplete":
        _check_pending(subscription, p)
    if "discounts" in p:
        subscription["discounts"] = coupons.redeem(world, p["discounts"] or [], subscription, "subscription")
    if not {"items", "billing_cycle_anchor", "trial_end"} & set(p):
        with Watch(world, "customer.subscription.updated", subscription):
            _settings(world, subscription, p)
        return subscription
    planned = work_out(world, subscription, p)
    lifecycle.drop_pending(world, subscription)
    if planned.invoices_now and behaviour == "error_if_incomplete":
        _refuse_bad_card(world, subscription)
    if planned.invoices_now and behaviour == "pending_if_incomplete":
        return _pending(world, subscription, planned, p)
    with Watch(world, "customer.subscription.updated", subscription):
        _settings(world, subscription, p)
        apply(world, subscription, planned)
    collect(world, subscription, planned, behaviour)
    return subscription


def _settings(world: World, subscription: Obj, p: Obj) -> None:
    put_settings(world, subscription, p)
    if "pause_collection" in p:
        given = p["pause_collection"] or None
        subscription["pause_collection"] = {"resumes_at": None} | given if given else None


def _check_pending(subscription: Obj, p: Obj) -> None:
    for name in p:
        if name not in PENDING:
            message = f"You cannot use `{name}` with `payment_behavior=pending_if_incomplete`."
            raise invalid(message, name)
    if subscription["collection_method"] != "charge_automatically":
        message = (
            "payment_behavior=pending_if_incomplete is only for subscriptions that are charged automatically."
        )
        raise invalid(message, "payment_behavior")


def _refuse_bad_card(world: World, subscription: Obj) -> None:
    customer = world.objects[subscription["customer"]]
    card = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    behaviour = world.get("payment_method", card, "default_payment_method")["_behaviour"]
    if behaviour.charge:
        code, decline, message = codes(behaviour.charge)
        raise card_error(message, code, decline)
    if behaviour.authenticate == "always":
        raise card_error(
            "This payment requires additional action.", "subscription_payment_intent_requires_action"
        )


def apply(world: World, subscription: Obj, planned: Change) -> None:
    """Put the items, the period and the trial as the change wants them."""
    for target in planned.targets:
        if target.item is None:
            add_item(
                world, subscription, target.price, target.given | {"quantity": target.quantity}, planned.span
            )
        elif target.quantity is None:
            subscription["_items"].remove(target.item["id"])
            world.drop(target.item)
        else:
            target.item |= {
                "price": target.price["id"],
                "plan": target.price["id"],
                "quantity": None if metered(target.price) else target.quantity,
            }
            if metered(target.price) and (planned.resets or "price" in target.given):
                target.item["_since"] = world.now(subscription)
            put_metadata(target.item, target.given)
            if "tax_rates" in target.given:
                target.item["_tax_rates"] = list(target.given["tax_rates"] or [])
    if planned.resets:
        subscription["billing_cycle_anchor"] = planned.span.start
        if subscription["status"] == "trialing":
            # https://docs.stripe.com/api/events/types: also when a trial is ended at once.
            emit(world, "customer.subscription.trial_will_end", subscription)
            subscription["status"], subscription["trial_end"] = "active", planned.span.start
        _move(world, subscription, planned.span)
    if planned.trial_end:
        now = world.now(subscription)
        subscription |= {"trial_end": planned.trial_end, "status": "trialing"}
        subscription["trial_start"] = subscription["trial_start"] or now
        subscription["billing_cycle_anchor"] = planned.trial_end
        _move(world, subscription, Span(now, planned.trial_end))


def _move(world: World, subscription: Obj, span: Span) -> None:
    for identifier in subscription["_items"]:
        item = world.objects[identifier]
        item["current_period_start"], item["current_period_end"] = span.start, span.end
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = span.end
    lifecycle.plan_ahead(world, subscription)


def collect(world: World, subscription: Obj, planned: Change, behaviour: str) -> None:
    """Bill a change now, or let its prorations wait for the next invoice."""
    bill = invoices.bill_of(world, subscription)
    if not planned.invoices_now:
        for line in planned.prorations:
            invoice_items.wait(world, bill, line)
        return
    invoice = bill_change(world, subscription, planned)
    automatic = invoice["collection_method"] == "charge_automatically"
    if invoice["status"] == "open" and automatic and behaviour != "default_incomplete":
        invoice_payments.pay(world, invoice, None, off_session=True)


def bill_change(world: World, subscription: Obj, planned: Change, **values: Any) -> Obj:
    """Make and finalize the invoice of a change, with whatever waits."""
    bill = invoices.bill_of(world, subscription)
    made = [*invoice_items.take_pending(world, bill), *planned.prorations, *planned.periods]
    days = subscription["days_until_due"]
    invoice = invoices.draft(world, bill, "subscription_update", made, _days=days, **values)
    if invoice["parent"]:
        invoice["parent"]["subscription_details"]["subscription_proration_date"] = planned.since
    return invoices.finalize(world, invoice)


def _pending(world: World, subscription: Obj, planned: Change, p: Obj) -> Obj:
    """Bill a change and apply it only once that is paid: https://docs.stripe.com/billing/subscriptions/pending-updates.

    The status stays as it is when the payment fails; the update waits 23 hours, or until the period ends.
    """
    subscription["_pending"] = {"invoice": None, "change": planned, "p": p}
    invoice = bill_change(world, subscription, planned, _for_pending=True)
    subscription["_pending"]["invoice"] = invoice["id"]
    if invoice["status"] == "open":
        invoice_payments.pay(world, invoice, None, off_session=True)
    elif invoice["status"] == "paid":
        apply_pending(world, subscription)
    if "_pending" not in subscription:
        return subscription
    now = world.now(subscription)
    expires = min(now + lifecycle.EXPIRY, max(lifecycle.span_of(world, subscription).end, now + 1))
    with Watch(world, "customer.subscription.updated", subscription):
        subscription["pending_update"] = {
            "billing_cycle_anchor": planned.span.start if planned.resets else None,
            "expires_at": expires,
            "metadata": p.get("metadata") or None,
            "subscription_items": [
                _as_pending(world, subscription, t) for t in planned.targets if t.quantity is not None
            ],
            "trial_end": planned.trial_end,
            "trial_from_plan": None,
        }
    world.at(expires, "expire_pending", subscription["id"])
    return subscription


def _as_pending(world: World, subscription: Obj, target: Any) -> Obj:
    base = target.item or world.objects[subscription["_items"][0]] | {"id": world.name("si"), "metadata": {}}
    number = None if metered(target.price) else target.quantity
    return public(world, base | {"price": target.price["id"], "quantity": number})


def apply_pending(world: World, subscription: Obj) -> None:
    """Apply what waited for its payment."""
    waiting = subscription.pop("_pending")
    was_pending = subscription["pending_update"] is not None
    with Watch(world, "customer.subscription.updated", subscription):
        put_metadata(subscription, waiting["p"])
        apply(world, subscription, waiting["change"])
        subscription["pending_update"] = None
    if was_pending:
        emit(world, "customer.subscription.pending_update_applied", subscription)


@route("POST /v1/subscriptions/{subscription}/resume", "SubscriptionResumeParams")
def resume(world: World, p: Obj, subscription: str) -> Obj:
    """Resume a paused subscription, once its invoice is paid: https://docs.stripe.com/api/subscriptions/resume."""
    from tests.stripe_double.cycle import begin_period

    only(p, ("billing_cycle_anchor", "proration_behavior", "proration_date"))
    found = world.get("subscription", subscription, "subscription")
    if found["status"] != "paused":
        raise invalid("You can only resume a subscription that is paused.")
    now = world.now(found)
    found["billing_cycle_anchor"] = now
    invoice = begin_period(world, found, now, "subscription_update")
    assert invoice is not None
    invoices.finalize(world, invoice)
    if invoice["status"] == "open":
        invoice_payments.pay(world, invoice, None, off_session=True)
    elif found["status"] == "paused":
        lifecycle.on_paid(world, invoice)
    return found
