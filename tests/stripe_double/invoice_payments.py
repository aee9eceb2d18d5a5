"""How invoices are paid: https://docs.stripe.com/api/invoice-payment and /billing/invoices/subscription."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.stripe_double import intents
from tests.stripe_double.errors import card_error, invalid
from tests.stripe_double.events import emit
from tests.stripe_double.payment_methods import find
from tests.stripe_double.routes import includable, listing, public, route
from tests.stripe_double.world import Obj, World

# Subscriptions learn here that one of their invoices was paid, or that a payment failed (``lifecycle.py``).
PAID: list[Callable[[World, Obj], None]] = []
FAILED: list[Callable[[World, Obj, bool], None]] = []


def open_payment(world: World, invoice: Obj) -> Obj:
    """Give a finalized invoice its payment intent."""
    customer = world.get("customer", invoice["customer"])
    intent = intents.make(
        world,
        invoice["amount_due"],
        invoice["currency"],
        customer,
        description=f"Payment for {invoice['number']}",
    )
    intent["_invoice"] = invoice["id"]
    if method := method_of(world, invoice):
        intent["payment_method"], intent["status"] = method["id"], "requires_confirmation"
    invoice["_payment"] = world.new(
        "invoice_payment",
        "inpay",
        amount_requested=invoice["amount_due"],
        created=world.now(invoice),
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
    )["id"]
    return intent


def close_payment(world: World, invoice: Obj, reason: str) -> None:
    """Cancel the payment of an invoice that needs none any more."""
    if payment := world.objects.get(invoice.get("_payment") or ""):
        intents.give_up(world, world.objects[payment["payment"]["payment_intent"]], reason)
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = world.now(invoice)


def intent_of(world: World, invoice: Obj) -> Obj | None:
    """Find the payment intent of an invoice."""
    payment = world.objects.get(invoice.get("_payment") or "")
    return world.objects[payment["payment"]["payment_intent"]] if payment else None


def method_of(world: World, invoice: Obj) -> Obj | None:
    """Choose the card: the invoice's, the subscription's, the customer's (documented in this order)."""
    details = ((invoice["parent"] or {}).get("subscription_details")) or {}
    subscription = world.objects.get(details.get("subscription") or "", {})
    customer = world.objects[invoice["customer"]]
    settings = customer.get("invoice_settings") or {}
    for name in (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        settings.get("default_payment_method"),
    ):
        if name:
            return world.get("payment_method", name)
    return None


def pay(world: World, invoice: Obj, method: str | None, off_session: bool, by_hand: bool = False) -> str:
    """Attempt the payment of an open invoice and return how its intent stands."""
    intent = intent_of(world, invoice)
    if intent is None:
        raise invalid("This invoice has no payment.")
    card = find(world, method) if method else method_of(world, invoice)
    if card is None and by_hand:
        message = "There is no default_payment_method set on this Customer or Invoice."
        raise invalid(
            message, code="invoice_payment_intent_requires_action" if intent["next_action"] else "missing"
        )
    if not by_hand or not invoice["attempt_count"]:
        # Any attempt counts as the first, later ones only by schedule:
        # https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count
        invoice["attempt_count"] += 1
    invoice["attempted"] = True
    status = intents.attempt(world, intent, card, off_session)
    settle(world, intent)
    if by_hand and status == "requires_payment_method":
        error = intent["last_payment_error"]
        raise card_error(error["message"], error["code"], error["decline_code"])
    if by_hand and status == "requires_action":
        message = "This payment requires additional user action before it can be completed successfully."
        raise card_error(message, "invoice_payment_intent_requires_action")
    return status


def settle(world: World, intent: Obj) -> None:
    """Carry the state of a payment over to its invoice and subscription."""
    invoice = world.objects.get(intent.get("_invoice") or "")
    if invoice is None or invoice["status"] not in ("open", "uncollectible"):
        return
    if intent["status"] == "succeeded":
        invoice["_attempted_method"] = intent["payment_method"]
        mark_paid(world, invoice)
        return
    acts = intent["status"] == "requires_action"
    if acts:
        emit(world, "invoice.payment_action_required", invoice)
    emit(world, "invoice.payment_failed", invoice)
    for listener in FAILED:
        listener(world, invoice, acts)


intents.RESULT.append(settle)


def mark_paid(world: World, invoice: Obj, outside: bool = False) -> Obj:
    """Close an invoice as paid: ``invoice.paid`` covers every way, also those without a charge."""
    now = world.now(invoice)
    invoice["status"], invoice["attempted"], invoice["next_payment_attempt"] = "paid", True, None
    invoice["auto_advance"] = False
    invoice["status_transitions"]["paid_at"] = now
    invoice["amount_paid"], invoice["amount_remaining"] = invoice["amount_due"], 0
    if (payment := world.objects.get(invoice.get("_payment") or "")) and not outside:
        payment["status"], payment["amount_paid"] = "paid", invoice["amount_due"]
        payment["status_transitions"]["paid_at"] = now
        emit(world, "invoice_payment.paid", payment)
    emit(world, "invoice.paid", invoice)
    emit(world, "invoice.payment_succeeded", invoice)
    for listener in PAID:
        listener(world, invoice)
    return invoice


@includable("invoice", "payments")
def payments(world: World, shown: Obj) -> Obj:
    """Show payments when asked: https://docs.stripe.com/api/invoices/object#invoice_object-payments."""
    identifier = world.objects[shown["id"]].get("_payment")
    found = [public(world, world.objects[identifier])] if identifier else []
    return listing(found, "/v1/invoice_payments")


@includable("invoice", "confirmation_secret")
def confirmation_secret(world: World, shown: Obj) -> Any:
    """Show the secret that a page confirms the payment with, when asked."""
    intent = intent_of(world, world.objects[shown["id"]])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"} if intent else None


@route("GET /v1/invoice_payments", "InvoicePaymentListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List payments of invoices: https://docs.stripe.com/api/invoice-payment/list."""
    wanted = (p.get("payment") or {}).get("payment_intent")
    return world.page(
        "invoice_payment",
        p,
        lambda o: (
            p.get("invoice") in (None, o["invoice"])
            and p.get("status") in (None, o["status"])
            and wanted in (None, o["payment"]["payment_intent"])
        ),
    )


@route("GET /v1/invoice_payments/{payment}", "InvoicePaymentRetrieveParams")
def retrieve(world: World, p: Obj, payment: str) -> Obj:
    """Return one: https://docs.stripe.com/api/invoice-payment/retrieve."""
    return world.get("invoice_payment", payment)
