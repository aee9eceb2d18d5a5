"""Checkout sessions: https://docs.stripe.com/api/checkout/sessions and https://docs.stripe.com/payments/checkout."""

from __future__ import annotations

from tests.stripe_double import intents, lines, stripe_tax, subscriptions
from tests.stripe_double.errors import invalid, missing_parameter
from tests.stripe_double.events import emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.previews import create_preview
from tests.stripe_double.routes import route
from tests.stripe_double.subscriptions import price_of
from tests.stripe_double.world import Obj, World, timer

DAY = 86400
KNOWN = (
    *(
        "mode",
        "customer",
        "customer_email",
        "client_reference_id",
        "line_items",
        "subscription_data",
        "metadata",
    ),
    *(
        "success_url",
        "cancel_url",
        "currency",
        "expires_at",
        "locale",
        "billing_address_collection",
        "ui_mode",
    ),
    *(
        "tax_id_collection",
        "allow_promotion_codes",
        "discounts",
        "customer_update",
        "payment_method_collection",
    ),
    *("payment_method_types", "setup_intent_data", "automatic_tax"),
)
_ABSENT = (
    *("adaptive_pricing", "branding_settings", "currency_conversion", "integration_identifier", "line_items"),
    *("managed_payments", "name_collection", "optional_items", "origin_context", "permissions"),
    *("presentment_details", "wallet_options", "after_expiration", "allowed_payment_method_types"),
    *("excluded_payment_method_types", "phone_number_collection"),
)


@route("POST /v1/checkout/sessions", "checkout.SessionCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Open a session with its page: https://docs.stripe.com/api/checkout/sessions/create."""
    only(p, KNOWN)
    mode = p.get("mode", "payment")
    if mode == "payment":
        raise invalid("The double knows the modes subscription and setup.", "mode")
    if not p.get("success_url"):
        raise missing_parameter("success_url")
    customer = world.get("customer", p["customer"], "customer") if p.get("customer") else None
    now = world.now()
    expires = p.get("expires_at", now + DAY)
    # Between 30 minutes and 24 hours from now (same page, ``expires_at``).
    if not now + 1800 - 5 <= expires <= now + DAY + 5:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at"
        )
    identifier = world.name("cs_test")
    session = world.new(
        "checkout.session",
        "cs_test",
        identifier,
        omit=_ABSENT,
        allow_promotion_codes=p.get("allow_promotion_codes"),
        automatic_tax=_automatic(bool((p.get("automatic_tax") or {}).get("enabled")), customer, p),
        billing_address_collection=p.get("billing_address_collection"),
        cancel_url=p.get("cancel_url"),
        client_reference_id=p.get("client_reference_id"),
        created=now,
        customer=customer["id"] if customer else None,
        customer_email=p.get("customer_email"),
        customer_details=None,
        expires_at=expires,
        locale=p.get("locale"),
        mode=mode,
        metadata={},
        payment_method_collection=p.get("payment_method_collection", "always")
        if mode == "subscription"
        else None,
        payment_method_types=["card"],
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        status="open",
        success_url=p["success_url"],
        tax_id_collection={
            "enabled": (p.get("tax_id_collection") or {}).get("enabled", False),
            "required": "never",
        },
        ui_mode="hosted_page",
        url=f"{world.address}/c/pay/{identifier}",
        _p=p,
        _lines=[],
    )
    put_metadata(session, p)
    if mode == "subscription":
        price_up(world, session, p, customer)
    elif not customer and not p.get("currency"):
        raise missing_parameter("currency")
    world.at(expires, "expire_session", identifier)
    return session


def _automatic(enabled: bool, customer: Obj | None, p: Obj) -> Obj:
    """Say how automatic tax stands; a customer without an address must be allowed to get one on the page.

    https://docs.stripe.com/tax/checkout#existing-customers.
    """
    kept = (p.get("customer_update") or {}).get("address") == "auto"
    if enabled and customer and not stripe_tax.place_of(customer) and not kept:
        message = (
            "Automatic tax calculation in Checkout requires a valid address on the Customer. "
            "Add a valid address to the Customer or set `customer_update[address]` to 'auto'."
        )
        raise invalid(message, "automatic_tax[enabled]")
    found = stripe_tax.state(enabled, customer)
    return {name: found[name] for name in ("enabled", "liability", "provider", "status")}


def price_up(world: World, session: Obj, p: Obj, customer: Obj | None) -> None:
    """Work the amounts out before anybody pays; the data of the subscription is checked as well."""
    if not p.get("line_items"):
        raise missing_parameter("line_items")
    only(
        p.get("subscription_data") or {},
        ("metadata", "trial_end", "trial_period_days", "trial_settings", "default_tax_rates", "description"),
    )
    currency = p.get("currency") or price_of(world, _item(p["line_items"][0]))["currency"]
    items = [_item(one) for one in p["line_items"]]
    stand_in: Obj = customer or {
        "id": None,
        "balance": 0,
        "currency": None,
        "tax_exempt": "none",
        "_guest": True,
    }
    if customer:
        asked: Obj = {
            "customer": customer["id"],
            "currency": currency,
            "subscription_details": {"items": items},
        }
        rates = (p.get("subscription_data") or {}).get("default_tax_rates")
        if rates:
            asked["subscription_details"]["default_tax_rates"] = rates
        for name in ("automatic_tax", "discounts"):
            if p.get(name):
                asked[name] = p[name]
        invoice = create_preview(world, asked)
        session["_lines"], total = invoice["_lines"], invoice["total"]
        subtotal, tax = invoice["subtotal"], sum(t["amount"] for t in invoice["total_taxes"])
        off = sum(one["amount"] for one in invoice["total_discount_amounts"])
    else:
        bill = lines.Bill(stand_in, currency.lower())
        span = lines.Span(session["created"], session["created"])
        found = [(price_of(world, one), one["quantity"]) for one in items]
        session["_lines"] = [lines.period(world, bill, {"id": "si_new"}, f, q, span) for f, q in found]
        subtotal = total = sum(line["amount"] for line in session["_lines"])
        tax = off = 0
    data = p.get("subscription_data") or {}
    if data.get("trial_end") or data.get("trial_period_days"):
        subtotal = total = tax = off = 0
    session |= {"currency": currency.lower(), "amount_subtotal": subtotal, "amount_total": total}
    session["total_details"] = {"amount_discount": off, "amount_shipping": 0, "amount_tax": tax}


def _item(given: Obj) -> Obj:
    only(given, ("price", "price_data", "quantity", "tax_rates", "metadata", "adjustable_quantity"))
    return {k: v for k, v in given.items() if k != "adjustable_quantity"} | {
        "quantity": given.get("quantity", 1)
    }


def items_of(session: Obj) -> list[Obj]:
    """Return the items of the subscription that the session will make."""
    return [_item(one) for one in session["_p"]["line_items"]]


@route("GET /v1/checkout/sessions/{session}", "checkout.SessionRetrieveParams")
def retrieve(world: World, p: Obj, session: str) -> Obj:
    """Return a session: https://docs.stripe.com/api/checkout/sessions/retrieve."""
    return world.get("checkout.session", session)


@route("GET /v1/checkout/sessions", "checkout.SessionListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List sessions: https://docs.stripe.com/api/checkout/sessions/list."""
    same = {k: p[k] for k in ("customer", "subscription", "payment_intent", "status") if k in p}
    return world.page("checkout.session", p, lambda s: all(s[k] == v for k, v in same.items()))


@route("POST /v1/checkout/sessions/{session}/expire", "checkout.SessionExpireParams")
def expire(world: World, p: Obj, session: str) -> Obj:
    """Close an open session: https://docs.stripe.com/api/checkout/sessions/expire."""
    found = world.get("checkout.session", session, "session")
    if found["status"] != "open":
        message = (
            f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {found["status"]}.'
        )
        raise invalid(message)
    return close(world, found)


def close(world: World, session: Obj) -> Obj:
    """Let a session end unused; a payment that was begun on it is given up."""
    session["status"], session["url"] = "expired", None
    if intent := world.objects.get(session.get("_intent") or ""):
        intents.give_up(world, intent, "abandoned")
    emit(world, "checkout.session.expired", session)
    return session


@timer
def expire_session(world: World, identifier: str) -> None:
    """Expire a session 24 hours after it was opened, or when it asked for: https://docs.stripe.com/api/checkout/sessions/create."""
    session = world.get("checkout.session", identifier)
    if session["status"] == "open" and session["expires_at"] <= world.now(session):
        close(world, session)


def subscribe(world: World, session: Obj, customer: Obj, card: str) -> Obj:
    """Make the session's subscription; its first invoice is open until the payment is put to it."""
    data = session["_p"].get("subscription_data") or {}
    asked = {"customer": customer["id"], "items": items_of(session), "currency": session["currency"]}
    asked |= {"default_payment_method": card, "payment_behavior": "default_incomplete"}
    asked |= {"payment_settings": {"save_default_payment_method": "off"}}
    for name in ("discounts", "automatic_tax"):
        if session["_p"].get(name):
            asked[name] = session["_p"][name]
    return subscriptions.create(world, asked | data)
