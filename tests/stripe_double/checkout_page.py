"""The stand-in for the page of a Checkout session."""

from __future__ import annotations

import html

from werkzeug.wrappers import Response

from tests.stripe_double import checkout, customers, intents, setup_intents
from tests.stripe_double.errors import Refusal, card_error
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.pages import Form, after_refusal, back, card_form, money, page, redirect, shown
from tests.stripe_double.payment_methods import attach_to, codes, make
from tests.stripe_double.world import Obj, World

DETAILS = "<label>E-mail <input name=email type=email></label> <label>Country <input name=country></label> "


@page("/c/pay/{session}")
def checkout_page(world: World, form: Form | None, session: str) -> Response:
    """Pay, fail or leave, as a person at Checkout does: https://docs.stripe.com/payments/checkout/how-checkout-works."""
    found = world.get("checkout.session", session)
    title = "Checkout"
    if found["status"] != "open":
        return shown(title, f"<p>This page is no longer open: {found['status']}.</p>", 410)
    if form is None:
        total = money(found["amount_total"], found["currency"])
        leave = ""
        if found["cancel_url"]:
            leave = f"<p><a href='{html.escape(found['cancel_url'])}'>Back</a></p>"
        button = "Save card" if found["mode"] == "setup" else "Pay"
        return shown(title, f"<p>Total: {total}</p>" + card_form(button, more=DETAILS) + leave)
    try:
        customer = _customer(world, found, form)
        if found["mode"] == "setup":
            return _save(world, found, customer, form["card"])
        return _pay(world, found, customer, form["card"])
    except Refusal as refusal:
        return shown(title, card_form("Pay", str(refusal), DETAILS), 402)


def _customer(world: World, session: Obj, form: Form) -> Obj:
    """Use the session's customer or make one, and take down what the page asked."""
    if session["customer"]:
        customer = world.get("customer", session["customer"], "customer")
    else:
        customer = customers.create(
            world, {"email": session["customer_email"] or form.get("email") or "a@example.com"}
        )
        session["customer"] = customer["id"]
    if form.get("country"):
        with Watch(world, "customer.updated", customer):
            customer["address"] = customers.address({"country": form["country"]})
        if session["automatic_tax"]["enabled"]:  # The total follows the address.
            checkout.price_up(world, session, session["_p"], customer)
            session["automatic_tax"]["status"] = "complete"
    return customer


def _pay(world: World, session: Obj, customer: Obj, like: str) -> Response:
    """Charge the card first: the subscription is made once that is paid, and a refusal leaves nothing behind.

    https://docs.stripe.com/changelog/basil/2025-03-31/checkout-legacy-subscription-upgrade.
    """
    method = make(world, like)
    behaviour = method["_behaviour"]
    method["customer"], method["_clock"] = customer["id"], customer["test_clock"]
    method["_set_up"] = True
    if not session["amount_total"]:
        if behaviour.charge:
            code, decline, message = codes(behaviour.charge)
            raise card_error(message, code, decline)
        return _subscribe(world, session, customer, method, None)
    intent = world.objects.get(session.get("_intent") or "")
    if intent is None:
        intent = intents.make(world, session["amount_total"], session["currency"], customer)
        session["_intent"] = intent["id"]
    status = intents.attempt(world, intent, method, off_session=False)
    if status == "requires_action":
        intent["_then"] = lambda w, i: _after_authentication(w, session, customer, method, i)
        intent["next_action"]["redirect_to_url"]["return_url"] = _return(session)
        return redirect(intent["next_action"]["redirect_to_url"]["url"], 303)
    if status != "succeeded":
        raise card_error(intent["last_payment_error"]["message"], intent["last_payment_error"]["code"])
    return _subscribe(world, session, customer, method, intent)


def _subscribe(world: World, session: Obj, customer: Obj, method: Obj, intent: Obj | None) -> Response:
    """Make the subscription, with its first invoice paid by what was charged."""
    made = checkout.subscribe(world, session, customer, method["id"])
    session["_subscription"] = made["id"]
    invoice = world.objects[made["latest_invoice"]]
    if intent is not None and invoice["status"] == "open":
        payment = world.objects[invoice["_payment"]]
        world.drop(world.objects[payment["payment"]["payment_intent"]])
        payment["payment"]["payment_intent"] = intent["id"]
        intent["_invoice"] = invoice["id"]
        intents.tell(world, intent)
    return complete(world, session)


def _return(session: Obj) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _after_authentication(world: World, session: Obj, customer: Obj, method: Obj, intent: Obj) -> None:
    if session["status"] != "open":
        return
    if intent["status"] == "succeeded":
        _subscribe(world, session, customer, method, intent)
    else:
        # Checkout shows its page again when 3-D Secure failed.
        intent["next_action"] = None


def _save(world: World, session: Obj, customer: Obj, like: str) -> Response:
    """Save a card in setup mode: https://docs.stripe.com/payments/save-and-reuse?platform=web&ui=stripe-hosted."""
    intent = world.objects.get(session["setup_intent"] or "") or setup_intents.make(world, customer)
    session["setup_intent"] = intent["id"]
    intent["metadata"] = dict((session["_p"].get("setup_intent_data") or {}).get("metadata") or {})
    method = make(world, like)
    setup_intents.confirm_now(world, intent, {"payment_method": method["id"], "return_url": _return(session)})
    if intent["status"] == "requires_action":
        intent["_then"] = lambda w, i: complete(w, session) if i["status"] == "succeeded" else None
        return redirect(intent["next_action"]["redirect_to_url"]["url"], 303)
    attach_to(world, method, customer)
    return complete(world, session)


def complete(world: World, session: Obj) -> Response:
    """Close a session as complete and send the person back with its id."""
    customer = world.objects[session["customer"]]
    session["status"], session["url"] = "complete", None
    if session["mode"] == "subscription":
        subscription = world.objects[session["_subscription"]]
        session |= {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
        session["payment_status"] = "paid" if session["amount_total"] else "no_payment_required"
    session["customer_details"] = {
        "address": customer["address"],
        "business_name": None,
        "email": customer["email"],
        "individual_name": None,
        "name": customer["name"],
        "phone": customer["phone"],
        "tax_exempt": customer["tax_exempt"],
        "tax_ids": [],
    }
    emit(world, "checkout.session.completed", session)
    return back(_return(session), "Thank you.")


__all__ = ["after_refusal", "checkout_page", "complete"]
