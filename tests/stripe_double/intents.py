"""Payments: https://docs.stripe.com/payments/paymentintents/lifecycle and the charges that they make."""

from __future__ import annotations

from collections.abc import Callable

from tests.stripe_double.errors import card_error, invalid
from tests.stripe_double.events import emit
from tests.stripe_double.fields import ADDRESS, only, put_metadata
from tests.stripe_double.payment_methods import attach_to, codes, find
from tests.stripe_double.routes import public, route
from tests.stripe_double.world import Obj, World

# Invoices learn here how the payment of one went (``invoice_payments.py`` adds its function).
RESULT: list[Callable[[World, Obj], None]] = []


def make(world: World, amount: int, currency: str, customer: Obj, **more: object) -> Obj:
    """Make a payment intent of a customer."""
    identifier = world.name("pi")
    intent = world.new(
        "payment_intent",
        "pi",
        identifier,
        omit=("amount_details", "hooks", "payment_details", "presentment_details", "payment_record"),
        amount=amount,
        capture_method="automatic",
        client_secret=f"{identifier}_secret_{world.name('x')[2:]}",
        confirmation_method="automatic",
        created=world.now(customer),
        currency=currency,
        customer=customer["id"],
        metadata={},
        payment_method_types=["card"],
        status="requires_payment_method",
        test_clock=customer["test_clock"],
        **more,
    )
    intent["_clock"] = intent.pop("test_clock")
    emit(world, "payment_intent.created", intent)
    return intent


def attempt(
    world: World, intent: Obj, method: Obj | None, off_session: bool, authenticated: bool = False
) -> str:
    """Try to charge a card and return the intent's new status."""
    if method is None:
        intent["status"] = "requires_payment_method"
        return "requires_payment_method"
    behaviour = method["_behaviour"]
    intent["payment_method"], intent["next_action"] = method["id"], None
    # https://docs.stripe.com/testing#regulatory-cards says which card asks when.
    asks = {
        "always": True,
        "unless_set_up": not method["_set_up"],
        "on_session": not off_session,
        "never": False,
    }[behaviour.authenticate]
    if asks and not authenticated:
        intent["status"] = "requires_action"
        link = f"{world.address}/pages/authenticate/{intent['id']}"
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": link, "return_url": None},
        }
        emit(world, "payment_intent.requires_action", intent)
        return "requires_action"
    if behaviour.charge:
        decline(world, intent, method, behaviour.charge)
        return "requires_payment_method"
    charge = _charge(world, intent, method, "succeeded")
    intent["latest_charge"], intent["status"] = charge["id"], "succeeded"
    intent["amount_received"], intent["last_payment_error"] = intent["amount"], None
    emit(world, "charge.succeeded", charge)
    emit(world, "payment_intent.succeeded", intent)
    if behaviour.disputed:
        from tests.stripe_double.disputes import open_dispute

        open_dispute(world, charge["id"], "fraudulent")
    return "succeeded"


def decline(world: World, intent: Obj, method: Obj, reason: str) -> None:
    """Note a refusal: the intent waits for another card."""
    code, decline_code, message = codes(reason)
    charge = _charge(world, intent, method, "failed", code, message)
    intent["latest_charge"], intent["status"] = charge["id"], "requires_payment_method"
    intent["payment_method"] = None
    intent["last_payment_error"] = {
        "type": "card_error",
        "code": code,
        "decline_code": decline_code,
        "message": message,
        "charge": charge["id"],
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "payment_method": public(world, method),
    }
    emit(world, "charge.failed", charge)
    emit(world, "payment_intent.payment_failed", intent)


def _charge(
    world: World, intent: Obj, method: Obj, status: str, code: str | None = None, text: str | None = None
) -> Obj:
    paid = status == "succeeded"
    outcome = {"network_status": "approved_by_network" if paid else "declined_by_network", "reason": None}
    outcome |= {
        "risk_level": "normal",
        "seller_message": "Payment complete." if paid else "The bank declined.",
    }
    return world.new(
        "charge",
        "ch",
        omit=("authorization_code", "level3", "presentment_details", "radar_options", "refunds", "transfer"),
        amount=intent["amount"],
        amount_captured=intent["amount"] if paid else 0,
        billing_details={
            "address": dict(ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        captured=paid,
        created=world.now(intent["_clock"]),
        currency=intent["currency"],
        customer=intent["customer"],
        failure_code=code,
        failure_message=text,
        metadata={},
        outcome=outcome | {"type": "authorized" if paid else "issuer_declined"},
        paid=paid,
        payment_intent=intent["id"],
        payment_method=method["id"],
        receipt_url=f"{world.address}/pages/receipt/{intent['id']}" if paid else None,
        status=status,
        _clock=intent["_clock"],
    )


def tell(world: World, intent: Obj) -> None:
    """Let whoever waits for this payment know how it stands."""
    for listener in RESULT:
        listener(world, intent)


@route("POST /v1/payment_intents", "PaymentIntentCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a payment: https://docs.stripe.com/api/payment_intents/create."""
    known = (
        "amount",
        "currency",
        "customer",
        "payment_method",
        "confirm",
        "off_session",
        "metadata",
        "description",
    )
    only(p, (*known, "automatic_payment_methods", "payment_method_types", "return_url"))
    customer = world.get("customer", p.get("customer"), "customer")
    intent = make(world, p["amount"], p["currency"].lower(), customer, description=p.get("description"))
    put_metadata(intent, p)
    if p.get("payment_method"):
        intent["payment_method"], intent["status"] = (
            find(world, p["payment_method"])["id"],
            "requires_confirmation",
        )
    return confirm_now(world, intent, p) if p.get("confirm") else intent


@route("GET /v1/payment_intents/{intent}", "PaymentIntentRetrieveParams")
def retrieve(world: World, p: Obj, intent: str) -> Obj:
    """Return a payment: https://docs.stripe.com/api/payment_intents/retrieve."""
    return world.get("payment_intent", intent)


@route("GET /v1/payment_intents", "PaymentIntentListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List payments: https://docs.stripe.com/api/payment_intents/list."""
    return world.page("payment_intent", p, lambda i: p.get("customer") in (None, i["customer"]))


@route("POST /v1/payment_intents/{intent}/confirm", "PaymentIntentConfirmParams")
def confirm(world: World, p: Obj, intent: str) -> Obj:
    """Try to pay: https://docs.stripe.com/api/payment_intents/confirm."""
    only(p, ("payment_method", "off_session", "return_url"))
    return confirm_now(world, world.get("payment_intent", intent, "intent"), p)


def confirm_now(world: World, intent: Obj, p: Obj) -> Obj:
    """Charge the card that is given or known; a refusal is answered with 402."""
    if intent["status"] in ("succeeded", "canceled"):
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise invalid(message, code="payment_intent_unexpected_state")
    method = find(world, p.get("payment_method") or intent["payment_method"] or "")
    if method["customer"] is None and intent["customer"] and not method["_behaviour"].attach:
        attach_to(world, method, world.get("customer", intent["customer"]))
    status = attempt(world, intent, method, p.get("off_session") is True)
    if intent["next_action"] and p.get("return_url"):
        intent["next_action"]["redirect_to_url"]["return_url"] = p["return_url"]
    tell(world, intent)
    if status == "requires_payment_method":
        error = intent["last_payment_error"]
        shown = public(world, intent)
        raise card_error(error["message"], error["code"], error["decline_code"], payment_intent=shown)
    return intent


@route("POST /v1/payment_intents/{intent}/cancel", "PaymentIntentCancelParams")
def cancel(world: World, p: Obj, intent: str) -> Obj:
    """Give a payment up: https://docs.stripe.com/api/payment_intents/cancel."""
    found = world.get("payment_intent", intent, "intent")
    if found["status"] in ("succeeded", "canceled"):
        raise invalid("This PaymentIntent cannot be canceled.", code="payment_intent_unexpected_state")
    return give_up(world, found, p.get("cancellation_reason"))


def give_up(world: World, intent: Obj, reason: str | None) -> Obj:
    """Cancel an intent that can no longer be paid."""
    if intent["status"] not in ("succeeded", "canceled"):
        intent["status"], intent["cancellation_reason"] = "canceled", reason
        intent["canceled_at"], intent["next_action"] = world.now(intent["_clock"]), None
        emit(world, "payment_intent.canceled", intent)
    return intent


def authenticate(world: World, intent: Obj, passed: bool) -> str:
    """End 3-D Secure as the person at the page does; a failure asks for another card."""
    method = world.get("payment_method", intent["payment_method"])
    if intent["status"] != "requires_action":
        return str(intent["status"])
    if passed:
        attempt(world, intent, method, off_session=False, authenticated=True)
    else:
        intent["status"], intent["next_action"], intent["payment_method"] = (
            "requires_payment_method",
            None,
            None,
        )
        message = "The provided PaymentMethod has failed authentication."
        code = "payment_intent_authentication_failure"
        intent["last_payment_error"] = {"type": "invalid_request_error", "code": code, "message": message}
        emit(world, "payment_intent.payment_failed", intent)
    tell(world, intent)
    return str(intent["status"])
