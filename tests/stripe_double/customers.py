"""Customers and their balance: https://docs.stripe.com/api/customers."""

from __future__ import annotations

from typing import Any

from tests.stripe_double import tax_ids
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import address, only, put, put_metadata
from tests.stripe_double.routes import includable, listing, public, route
from tests.stripe_double.world import Obj, World

PLAIN = ("email", "name", "phone", "description", "tax_exempt", "preferred_locales", "business_name")
KNOWN = (
    *PLAIN,
    "metadata",
    "address",
    "shipping",
    "invoice_settings",
    "balance",
    "payment_method",
    "test_clock",
)
_ABSENT = (
    "sources",
    "subscriptions",
    "tax_ids",
    "tax",
    "cash_balance",
    "invoice_credit_balance",
    "individual_name",
)
_SETTINGS = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}


@route("POST /v1/customers", "CustomerCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a customer, on a test clock if named: https://docs.stripe.com/api/customers/create."""
    only(p, (*KNOWN, "tax_id_data"))
    clock = p.get("test_clock")
    if clock:
        world.get("test_helpers.test_clock", clock, "test_clock")
        # A clock holds three customers at most: https://docs.stripe.com/billing/testing/test-clocks
        if sum(1 for _ in world.all("customer", test_clock=clock)) >= 3:
            raise invalid("You can only have up to 3 customers on a test clock.", "test_clock")
    customer = world.new(
        "customer",
        "cus",
        omit=_ABSENT,
        balance=0,
        created=world.now(clock),
        delinquent=False,
        invoice_prefix=world.name("x")[2:10].upper(),
        invoice_settings=dict(_SETTINGS),
        next_invoice_sequence=1,
        preferred_locales=[],
        tax_exempt="none",
        metadata={},
        test_clock=clock,
    )
    change(world, customer, p)
    for data in p.get("tax_id_data", []):
        tax_ids.add(world, customer, data)
    emit(world, "customer.created", customer)
    return customer


def change(world: World, customer: Obj, p: Obj) -> None:
    """Apply what creation and update share."""
    put(customer, p, PLAIN)
    put_metadata(customer, p)
    for name in ("address", "shipping"):
        if name in p:
            customer[name] = address(p[name]) if name == "address" else _shipping(p[name])
    if "balance" in p:
        adjust(world, customer, p["balance"] - customer["balance"], "adjustment")
    if method := p.get("payment_method"):
        attached = world.get("payment_method", method, "payment_method")
        attached["customer"] = customer["id"]
    for name, value in (p.get("invoice_settings") or {}).items():
        if name == "default_payment_method" and value:
            method = world.get("payment_method", value, "invoice_settings[default_payment_method]")
            if method["customer"] != customer["id"]:
                message = f"The customer does not have a payment method with the ID {value}."
                raise invalid(message, "invoice_settings[default_payment_method]", "resource_missing")
        customer["invoice_settings"][name] = value or None


def _shipping(given: Any) -> Obj | None:
    if not isinstance(given, dict):
        return None
    blank = {"carrier": None, "name": None, "phone": None, "tracking_number": None}
    return blank | given | {"address": address(given.get("address"))}


def adjust(world: World, customer: Obj, amount: int, kind: str, **more: Any) -> Obj | None:
    """Move the credit balance and record it: https://docs.stripe.com/billing/customer/balance."""
    if not amount:
        return None
    customer["balance"] += amount
    return world.new(
        "customer_balance_transaction",
        "cbtxn",
        amount=amount,
        created=world.now(customer),
        currency=customer["currency"] or more.get("currency") or "usd",
        customer=customer["id"],
        ending_balance=customer["balance"],
        metadata={},
        type=kind,
        **{k: v for k, v in more.items() if k in ("invoice", "credit_note", "description")},
    )


@route("GET /v1/customers/{customer}", "CustomerRetrieveParams")
def retrieve(world: World, p: Obj, customer: str) -> Obj:
    """Return a customer; a deleted one as a stub: https://docs.stripe.com/api/customers/retrieve."""
    return world.get("customer", customer)


@route("POST /v1/customers/{customer}", "CustomerUpdateParams")
def update(world: World, p: Obj, customer: str) -> Obj:
    """Change a customer: https://docs.stripe.com/api/customers/update."""
    only(p, KNOWN)
    found = world.get("customer", customer, "customer")
    with Watch(world, "customer.updated", found):
        change(world, found, p)
    return found


@route("DELETE /v1/customers/{customer}", "CustomerDeleteParams")
def delete(world: World, p: Obj, customer: str) -> Obj:
    """Delete a customer and cancel its subscriptions at once: https://docs.stripe.com/api/customers/delete."""
    from tests.stripe_double.lifecycle import cancel

    found = world.get("customer", customer, "customer")
    for subscription in list(world.all("subscription", customer=customer)):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            cancel(world, subscription, "cancellation_requested")
    emit(world, "customer.deleted", found)
    return world.drop(found)


@route("GET /v1/customers", "CustomerListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List customers, by e-mail or clock: https://docs.stripe.com/api/customers/list."""
    clock, email = p.get("test_clock"), p.get("email")
    # Customers on clocks are left out of lists that don't name the clock (same page, ``test_clock``).
    return world.page(
        "customer", p, lambda c: c["test_clock"] == clock and (email is None or c["email"] == email)
    )


@route("GET /v1/customers/{customer}/balance_transactions", "CustomerListBalanceTransactionsParams")
def balance_transactions(world: World, p: Obj, customer: str) -> Obj:
    """List the movements of a balance: https://docs.stripe.com/api/customer_balance_transactions/list."""
    return world.page("customer_balance_transaction", p, lambda t: t["customer"] == customer)


@includable("customer", "subscriptions")
def _subscriptions(world: World, shown: Obj) -> Obj:
    found = [
        public(world, s)
        for s in world.all("subscription", customer=shown["id"])
        if s["status"] not in ("canceled", "incomplete_expired")
    ]
    return listing(found, f"/v1/customers/{shown['id']}/subscriptions")


@includable("customer", "tax_ids")
def _tax_ids(world: World, shown: Obj) -> Obj:
    found = [public(world, one) for one in world.all("tax_id", customer=shown["id"])]
    return listing(found, f"/v1/customers/{shown['id']}/tax_ids")
