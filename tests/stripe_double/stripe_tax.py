"""Stripe Tax: https://docs.stripe.com/tax/how-tax-works and https://docs.stripe.com/tax/zero-tax.

The account is registered where the control's settings say (``head_office``, ``registrations`` in percent).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.stripe_double.amounts import whole
from tests.stripe_double.errors import invalid
from tests.stripe_double.world import Obj, World

EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


def place_of(customer: Obj) -> str:
    """Return the country that decides: https://docs.stripe.com/tax/customer-locations."""
    return str((customer.get("address") or {}).get("country") or "")


def check(world: World, customer: Obj, prices: list[Obj], rates: Any) -> None:
    """Refuse what automatic tax can't work with.

    A location is needed (https://docs.stripe.com/tax/customer-locations), a tax behaviour of each price
    (https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior), and no rate given by hand
    (https://docs.stripe.com/api/invoices/object#invoice_object-automatic_tax-enabled).
    """
    if rates:
        raise invalid("You cannot use default_tax_rates with automatic_tax.", "default_tax_rates")
    for price in prices:
        if price["tax_behavior"] == "unspecified":
            message = f"The price {price['id']} needs a tax_behavior to be used with automatic tax."
            raise invalid(message, "automatic_tax[enabled]")
    if not place_of(customer):
        message = "The customer's location isn't recognized. Set a valid customer address."
        raise invalid(message, "automatic_tax[enabled]", "customer_tax_location_invalid")


def state(enabled: bool, customer: Obj | None) -> Obj:
    """Return how automatic tax stands on an invoice: https://docs.stripe.com/api/invoices/object."""
    found = "complete" if customer and place_of(customer) else "requires_location_inputs"
    return {
        "enabled": enabled,
        "disabled_reason": None,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": found if enabled else None,
    }


def tax(world: World, customer: Obj, amount: int) -> list[Obj]:
    """Tax one line where the account is registered; a zero says why.

    A tax id makes the customer a business whether it was verified or not: Stripe Tax doesn't check ids
    (https://docs.stripe.com/api/tax/calculations/create#calculate_tax-customer_details-tax_ids); an exemption on the
    customer comes first (https://docs.stripe.com/tax/customers#tax-status).
    """
    country, settings = place_of(customer), world.settings
    if not country:
        return []
    percent = Decimal(str(settings["registrations"].get(country, 0)))
    reason = "standard_rated" if percent else "not_collecting"
    if percent and country in EU and country != settings["head_office"] and _business(world, customer):
        reason = "reverse_charge"
    reason = {"exempt": "customer_exempt", "reverse": "reverse_charge"}.get(customer["tax_exempt"], reason)
    if reason != "standard_rated":
        percent = Decimal(0)
    return [
        {
            "amount": whole(amount * percent / 100),
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": _rate(world, country, percent)},
            "taxability_reason": reason,
            "taxable_amount": amount if percent else 0,
            "type": "tax_rate_details",
        }
    ]


def _business(world: World, customer: Obj) -> bool:
    return any(one["type"] == "eu_vat" for one in world.all("tax_id", customer=customer.get("id")))


def _rate(world: World, country: str, percent: Decimal) -> str:
    """Return the rate that Stripe makes by itself; such rates are not active (same page as ``tax``)."""
    found = [one for one in world.all("tax_rate", country=country) if one.get("_auto") == str(percent)]
    if found:
        return str(found[0]["id"])
    made = world.new(
        "tax_rate",
        "txr",
        active=False,
        country=country,
        created=world.now(),
        display_name="VAT",
        effective_percentage=float(percent),
        inclusive=False,
        jurisdiction=country,
        metadata={},
        percentage=float(percent),
        rate_type="percentage",
        tax_type="vat",
        _auto=str(percent),
    )
    return str(made["id"])
