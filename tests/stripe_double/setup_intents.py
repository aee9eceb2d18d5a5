"""Saving a card for later: https://docs.stripe.com/payments/save-and-reuse and /api/setup_intents."""

from __future__ import annotations

from tests.stripe_double.errors import card_error, invalid
from tests.stripe_double.events import emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.payment_methods import attach_to, codes, find
from tests.stripe_double.routes import public, route
from tests.stripe_double.world import Obj, World


@route("POST /v1/setup_intents", "SetupIntentCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a setup intent: https://docs.stripe.com/api/setup_intents/create."""
    known = "customer payment_method confirm usage "
    known += "metadata payment_method_types return_url automatic_payment_methods description"
    only(p, known.split())
    intent = make(world, world.get("customer", p["customer"], "customer") if p.get("customer") else None)
    intent["usage"] = p.get("usage", "off_session")
    intent["description"] = p.get("description")
    put_metadata(intent, p)
    if p.get("payment_method"):
        intent["payment_method"], intent["status"] = (
            find(world, p["payment_method"])["id"],
            "requires_confirmation",
        )
    return confirm_now(world, intent, p) if p.get("confirm") else intent


def make(world: World, customer: Obj | None) -> Obj:
    """Make a setup intent that waits for a card."""
    identifier = world.name("seti")
    intent = world.new(
        "setup_intent",
        "seti",
        identifier,
        omit=("attach_to_self", "managed_payments"),
        client_secret=f"{identifier}_secret_{world.name('x')[2:]}",
        created=world.now(customer),
        customer=customer["id"] if customer else None,
        metadata={},
        payment_method_types=["card"],
        status="requires_payment_method",
        usage="off_session",
    )
    emit(world, "setup_intent.created", intent)
    return intent


def confirm_now(world: World, intent: Obj, p: Obj) -> Obj:
    """Check the card with its bank; a refusal is answered with 402."""
    if intent["status"] in ("succeeded", "canceled"):
        message = f"You cannot confirm this SetupIntent because it has a status of {intent['status']}."
        raise invalid(message, code="setup_intent_unexpected_state")
    method = find(world, p.get("payment_method") or intent["payment_method"] or "")
    behaviour = method["_behaviour"]
    if behaviour.attach:
        code, decline, message = codes(behaviour.attach)
        intent["status"], intent["payment_method"] = "requires_payment_method", None
        intent["last_setup_error"] = {
            "type": "card_error",
            "code": code,
            "decline_code": decline,
            "message": message,
        }
        emit(world, "setup_intent.setup_failed", intent)
        raise card_error(message, code, decline, setup_intent=public(world, intent))
    intent["payment_method"], intent["last_setup_error"] = method["id"], None
    if behaviour.authenticate in ("always", "unless_set_up"):
        intent["status"] = "requires_action"
        link = f"{world.address}/pages/authenticate/{intent['id']}"
        redirect = {"url": link, "return_url": p.get("return_url")}
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
        emit(world, "setup_intent.requires_action", intent)
        return intent
    return succeed(world, intent, method)


def succeed(world: World, intent: Obj, method: Obj) -> Obj:
    """Keep the card for later payments."""
    if intent["customer"]:
        attach_to(world, method, world.get("customer", intent["customer"]))
    method["_set_up"] = True
    intent["status"], intent["next_action"] = "succeeded", None
    emit(world, "setup_intent.succeeded", intent)
    return intent


def authenticate(world: World, intent: Obj, passed: bool) -> str:
    """End 3-D Secure as the person at the page does."""
    if intent["status"] == "requires_action":
        if passed:
            succeed(world, intent, world.get("payment_method", intent["payment_method"]))
        else:
            intent["status"], intent["next_action"] = "requires_payment_method", None
            code = "setup_intent_authentication_failure"
            message = (
                "The latest attempt to set up the payment method has failed because authentication failed."
            )
            intent["last_setup_error"] = {"type": "invalid_request_error", "code": code, "message": message}
            emit(world, "setup_intent.setup_failed", intent)
    return str(intent["status"])


@route("GET /v1/setup_intents/{intent}", "SetupIntentRetrieveParams")
def retrieve(world: World, p: Obj, intent: str) -> Obj:
    """Return a setup intent: https://docs.stripe.com/api/setup_intents/retrieve."""
    return world.get("setup_intent", intent)


@route("POST /v1/setup_intents/{intent}/confirm", "SetupIntentConfirmParams")
def confirm(world: World, p: Obj, intent: str) -> Obj:
    """Confirm a setup intent: https://docs.stripe.com/api/setup_intents/confirm."""
    only(p, ("payment_method", "return_url"))
    return confirm_now(world, world.get("setup_intent", intent, "intent"), p)


@route("POST /v1/setup_intents/{intent}/cancel", "SetupIntentCancelParams")
def cancel(world: World, p: Obj, intent: str) -> Obj:
    """Give a setup up: https://docs.stripe.com/api/setup_intents/cancel."""
    found = world.get("setup_intent", intent, "intent")
    if found["status"] in ("succeeded", "canceled"):
        raise invalid("This SetupIntent cannot be canceled.", code="setup_intent_unexpected_state")
    found["status"], found["cancellation_reason"] = "canceled", p.get("cancellation_reason")
    emit(world, "setup_intent.canceled", found)
    return found
