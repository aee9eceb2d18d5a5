"""What quantities cost, what a part of a period costs, and tax: whole minor units, halves away from zero."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.stripe_double.errors import invalid
from tests.stripe_double.world import Obj, World


def whole(amount: Decimal) -> int:
    """Round to the minor unit."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def exact(price: Obj, currency: str, quantity: int) -> Decimal:
    """Price a quantity: per unit, or by tiers, graduated or by volume.

    https://docs.stripe.com/products-prices/pricing-models#tiered-pricing; other currencies:
    https://docs.stripe.com/products-prices/pricing-models#multicurrency.
    """
    if currency == price["currency"]:
        own = price["unit_amount_decimal"], price["_tiers"]
    elif currency in price["_options"]:
        own = price["_options"][currency]["unit_amount_decimal"], price["_options"][currency]["tiers"]
    else:
        message = f"The price specified only supports `{price['currency']}`. This doesn't match `{currency}`."
        raise invalid(message, "currency")
    if price["billing_scheme"] == "per_unit":
        return Decimal(own[0]) * quantity
    return _volume(own[1], quantity) if price["tiers_mode"] == "volume" else _graduated(own[1], quantity)


def _volume(tiers: list[Obj], quantity: int) -> Decimal:
    tier = next(t for t in tiers if t["up_to"] is None or quantity <= t["up_to"])
    return Decimal(tier["unit_amount_decimal"] or 0) * quantity + Decimal(tier["flat_amount_decimal"] or 0)


def _graduated(tiers: list[Obj], quantity: int) -> Decimal:
    total, below = Decimal(0), 0
    for tier in tiers:
        top = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        if top > below or (quantity == 0 and below == 0):
            total += Decimal(tier["unit_amount_decimal"] or 0) * (top - below) + Decimal(
                tier["flat_amount_decimal"] or 0
            )
        if top >= quantity:
            break
        below = top
    return total


def part(amount: Decimal, since: int, start: int, end: int) -> int:
    """Price the rest of a period to the second: https://docs.stripe.com/billing/subscriptions/prorations."""
    if not start <= since <= end:
        raise invalid("Invalid timestamp: proration_date must be in the current period.", "proration_date")
    return whole(amount * (end - since) / (end - start))


def taxes(world: World, amount: int, rates: list[str], exempt: str | None) -> list[Obj]:
    """Tax one line by its rates: https://docs.stripe.com/billing/taxes/tax-rates.

    A customer who is ``exempt`` or ``reverse`` pays none, and the reason says so:
    https://docs.stripe.com/tax/customers#tax-status.
    """
    done: list[Obj] = []
    for identifier in rates:
        rate = world.get("tax_rate", identifier, "tax_rates")
        share = Decimal(str(rate["percentage"])) / 100
        reason = {"exempt": "customer_exempt", "reverse": "reverse_charge"}.get(exempt or "")
        if rate["inclusive"]:
            tax = whole(amount - amount / (1 + share))
            base = amount - tax
        else:
            tax, base = whole(amount * share), amount
        done.append(
            {
                "amount": 0 if reason else tax,
                "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
                "tax_rate_details": {"tax_rate": identifier},
                "taxability_reason": reason or ("standard_rated" if share else "zero_rated"),
                "taxable_amount": base,
                "type": "tax_rate_details",
            }
        )
    return done


def gather(lines: list[Obj], key: str, ident: Any) -> list[Obj]:
    """Add up taxes or discounts of lines that share an identity."""
    sums: dict[Any, Obj] = {}
    for line in lines:
        for one in line[key]:
            name = ident(one)
            if name in sums:
                for field in ("amount", "taxable_amount"):
                    if field in one:
                        sums[name][field] += one[field]
            else:
                sums[name] = dict(one)
    return list(sums.values())
