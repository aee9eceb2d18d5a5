"""Tax ids of customers: https://docs.stripe.com/api/tax_ids and https://docs.stripe.com/billing/customer/tax-ids."""

from __future__ import annotations

import re

from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

# https://docs.stripe.com/billing/customer/tax-ids#validation lists these test values.
MAGIC = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}
FORMS = {
    "eu_vat": r"[A-Z]{2}[0-9A-Z+*.]{2,13}",
    "gb_vat": r"GB\d{9}(\d{3})?",  # Northern Ireland's XI is an eu_vat
    "ru_inn": r"\d{10}(\d{2})?",
}
VERIFIED_KINDS = {"eu_vat", "gb_vat", "au_abn"}


def add(world: World, customer: Obj, data: Obj) -> Obj:
    """Keep a tax id; its form is checked at once, whether it exists a moment later."""
    kind, value = data["type"], data["value"]
    if not re.fullmatch(FORMS.get(kind, r".{3,40}"), value):
        raise invalid(f"Invalid value for {kind}.", "value", "tax_id_invalid")
    verification = {"status": "pending", "verified_address": None, "verified_name": None}
    if kind not in VERIFIED_KINDS:
        verification["status"] = "unavailable"
    tax_id = world.new(
        "tax_id",
        "txi",
        country=value[:2] if kind.endswith("_vat") else kind[:2].upper(),
        created=world.now(customer),
        customer=customer["id"],
        owner={"type": "customer", "customer": customer["id"], "account": None, "application": None}
        | {"customer_account": None},
        type=kind,
        value=value,
        verification=verification,
    )
    emit(world, "customer.tax_id.created", tax_id)
    ending = next((state for digits, state in MAGIC.items() if value.endswith(digits)), None)
    if ending in ("verified", "unverified") and kind in VERIFIED_KINDS:
        verify(world, tax_id["id"], ending)
    return tax_id


def verify(world: World, identifier: str, status: str) -> Obj:
    """End a verification and announce it with ``customer.tax_id.updated``."""
    tax_id = world.get("tax_id", identifier)
    with Watch(world, "customer.tax_id.updated", tax_id):
        tax_id["verification"] = dict(tax_id["verification"], status=status)
        if status == "verified":
            tax_id["verification"] |= {
                "verified_name": "Registered name",
                "verified_address": "Registered address",
            }
    return tax_id


@route("POST /v1/customers/{customer}/tax_ids", "CustomerCreateTaxIdParams")
def create(world: World, p: Obj, customer: str) -> Obj:
    """Add a tax id: https://docs.stripe.com/api/tax_ids/customer_create."""
    return add(world, world.get("customer", customer, "customer"), p)


@route("GET /v1/customers/{customer}/tax_ids", "CustomerListTaxIdsParams")
def list_all(world: World, p: Obj, customer: str) -> Obj:
    """List tax ids: https://docs.stripe.com/api/tax_ids/customer_list."""
    return world.page("tax_id", p, lambda t: t["customer"] == customer) | {
        "url": f"/v1/customers/{customer}/tax_ids"
    }


@route("GET /v1/customers/{customer}/tax_ids/{tax_id}", "CustomerRetrieveTaxIdParams")
def retrieve(world: World, p: Obj, customer: str, tax_id: str) -> Obj:
    """Return a tax id: https://docs.stripe.com/api/tax_ids/customer_retrieve."""
    return world.get("tax_id", tax_id)


@route("DELETE /v1/customers/{customer}/tax_ids/{tax_id}", "CustomerDeleteTaxIdParams")
def delete(world: World, p: Obj, customer: str, tax_id: str) -> Obj:
    """Remove a tax id: https://docs.stripe.com/api/tax_ids/customer_delete."""
    found = world.get("tax_id", tax_id, "tax_id")
    emit(world, "customer.tax_id.deleted", found)
    return world.drop(found)
