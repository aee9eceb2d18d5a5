"""Cards as Stripe's test cards behave: https://docs.stripe.com/testing."""

from __future__ import annotations

from dataclasses import dataclass

from tests.stripe_double.errors import card_error, invalid, missing
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import ADDRESS, only, put_metadata
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World


@dataclass(frozen=True)
class Behaviour:
    """What a test card does: refused when attached, when charged, wants authentication."""

    last4: str
    attach: str | None = None
    charge: str | None = None
    authenticate: str = "never"  # always, unless_set_up, or on_session (already set up for off-session use)
    disputed: bool = False
    brand: str = "visa"


# Names of payment methods and numbers are those of https://docs.stripe.com/testing.
BEHAVIOUR = {
    "pm_card_visa": Behaviour("4242"),
    "pm_card_mastercard": Behaviour("4444", brand="mastercard"),
    "pm_card_amex": Behaviour("8431", brand="amex"),
    "pm_card_chargeDeclined": Behaviour("0002", "generic_decline", "generic_decline"),
    "pm_card_visa_chargeDeclined": Behaviour("0002", "generic_decline", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": Behaviour("9995", "insufficient_funds", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Behaviour(
        "9995", "insufficient_funds", "insufficient_funds"
    ),
    "pm_card_chargeDeclinedExpiredCard": Behaviour("0069", "expired_card", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": Behaviour("0127", "incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": Behaviour("0119", "processing_error", "processing_error"),
    "pm_card_chargeCustomerFail": Behaviour("0341", None, "generic_decline"),
    "pm_card_threeDSecure2Required": Behaviour("3220", authenticate="always"),
    "pm_card_authenticationRequired": Behaviour("3184", authenticate="always"),
    "pm_card_authenticationRequiredOnSetup": Behaviour("3155", authenticate="unless_set_up"),
    "pm_card_authenticationRequiredSetupForOffSession": Behaviour("0446", authenticate="on_session"),
    "pm_card_createDispute": Behaviour("0259", disputed=True),
}
# A code of its own stands beside these; every other refusal is ``card_declined`` with a decline code.
_OWN_CODE = {"expired_card", "incorrect_cvc", "processing_error"}
_MESSAGE = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def codes(reason: str) -> tuple[str, str | None, str]:
    """Return code, decline code and message of a refusal: https://docs.stripe.com/declines/codes."""
    message = _MESSAGE.get(reason, "Your card was declined.")
    return (reason, None, message) if reason in _OWN_CODE else ("card_declined", reason, message)


def make(world: World, like: str) -> Obj:
    """Make a card that behaves as a test card; each use of ``pm_card_…`` makes one."""
    behaviour = BEHAVIOUR[like]
    card = {
        "brand": behaviour.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": behaviour.brand,
        "exp_month": 12,
        "exp_year": 2040,
        "fingerprint": f"double{behaviour.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": behaviour.last4,
        "networks": {"available": [behaviour.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    method = {
        "id": world.name("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict(ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "card": card,
        "created": world.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_behaviour": behaviour,
        "_set_up": False,
    }
    world.keep(method)
    return method


def find(world: World, name: str, param: str = "payment_method") -> Obj:
    """Find a payment method; a test card's name makes a new one."""
    return make(world, name) if name in BEHAVIOUR else world.get("payment_method", name, param)


def attach_to(world: World, method: Obj, customer: Obj) -> Obj:
    """Attach a card; cards that decline are refused here already, with 402."""
    if method["customer"] not in (None, customer["id"]):
        raise invalid("The payment method you provided has already been attached to a customer.")
    if reason := method["_behaviour"].attach:
        code, decline, message = codes(reason)
        raise card_error(message, code, decline)
    if method["customer"] is None:
        method["customer"], method["_clock"] = customer["id"], customer["test_clock"]
        emit(world, "payment_method.attached", method)
    return method


@route("POST /v1/payment_methods", "PaymentMethodCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Make a card from a test token: raw numbers are refused: https://docs.stripe.com/api/payment_methods/create."""
    only(p, ("type", "card", "billing_details", "metadata"))
    token = str((p.get("card") or {}).get("token", ""))
    like = token.replace("tok_", "pm_card_", 1)
    if like not in BEHAVIOUR:
        message = (
            "Sending credit card numbers directly to the Stripe API is generally unsafe. Use a test token."
        )
        raise invalid(message, "card")
    method = make(world, like)
    method["billing_details"] |= p.get("billing_details") or {}
    put_metadata(method, p)
    return method


@route("GET /v1/payment_methods/{method}", "PaymentMethodRetrieveParams")
def retrieve(world: World, p: Obj, method: str) -> Obj:
    """Return a card: https://docs.stripe.com/api/payment_methods/retrieve."""
    return world.get("payment_method", method)


@route("POST /v1/payment_methods/{method}", "PaymentMethodUpdateParams")
def update(world: World, p: Obj, method: str) -> Obj:
    """Change a card's metadata or billing details: https://docs.stripe.com/api/payment_methods/update."""
    only(p, ("billing_details", "metadata"))
    found = world.get("payment_method", method, "payment_method")
    with Watch(world, "payment_method.updated", found):
        found["billing_details"] = found["billing_details"] | (p.get("billing_details") or {})
        put_metadata(found, p)
    return found


@route("POST /v1/payment_methods/{method}/attach", "PaymentMethodAttachParams")
def attach(world: World, p: Obj, method: str) -> Obj:
    """Attach a card to a customer: https://docs.stripe.com/api/payment_methods/attach."""
    customer = world.get("customer", p.get("customer"), "customer")
    return attach_to(world, find(world, method), customer)


@route("POST /v1/payment_methods/{method}/detach", "PaymentMethodDetachParams")
def detach(world: World, p: Obj, method: str) -> Obj:
    """Detach a card for good: https://docs.stripe.com/api/payment_methods/detach."""
    found = world.get("payment_method", method, "payment_method")
    customer = world.objects.get(found["customer"] or "")
    if customer is None:
        raise invalid("The payment method you provided is not attached to a customer.")
    if (customer.get("invoice_settings") or {}).get("default_payment_method") == found["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
    for subscription in world.all("subscription", default_payment_method=found["id"]):
        subscription["default_payment_method"] = None
    with Watch(world, "payment_method.detached", found):
        found["customer"] = None
    return found


@route("GET /v1/customers/{customer}/payment_methods", "CustomerListPaymentMethodsParams")
def list_of(world: World, p: Obj, customer: str) -> Obj:
    """List a customer's cards: https://docs.stripe.com/api/payment_methods/customer_list."""
    world.get("customer", customer)
    found = world.page("payment_method", p, lambda m: m["customer"] == customer)
    return found | {"url": f"/v1/customers/{customer}/payment_methods"}


@route("GET /v1/payment_methods", "PaymentMethodListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List cards, by customer: https://docs.stripe.com/api/payment_methods/list."""
    customer = p.get("customer")
    if not customer:
        raise missing("customer", "", "customer")
    return world.page("payment_method", p, lambda m: m["customer"] == customer)
