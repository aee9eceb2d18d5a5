"""Lines of invoices: https://docs.stripe.com/api/invoice-line-item/object."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tests.stripe_double import amounts, stripe_tax
from tests.stripe_double.dates import long_date
from tests.stripe_double.world import Obj, World


@dataclass
class Bill:
    """Whom lines are for: the customer's currency, standing discounts and tax rates."""

    customer: Obj
    currency: str
    discounts: list[str] = field(default_factory=list)
    tax_rates: list[str] = field(default_factory=list)
    subscription: str | None = None
    automatic: bool = False


@dataclass
class Span:
    """A stretch of a billing period."""

    start: int
    end: int


def name_of(world: World, price: Obj, quantity: int) -> str:
    """Name what is bought: ``3 × Team``."""
    return f"{quantity} × {world.objects[price['product']].get('name', 'Product')}"


def make(
    world: World, bill: Bill, *, amount: int, text: str, span: Span, price: Obj | None, quantity: int, parent: Obj,
    discountable: bool = True, rates: list[str] | None = None,
) -> Obj:  # fmt: skip
    """Make a line; discounts and taxes are worked out when the invoice is summed up."""
    unit = None
    if price and quantity:
        unit = amounts.exact(price, bill.currency, quantity) / quantity
    return {
        "id": world.name("il"),
        "object": "line_item",
        "amount": amount,
        "currency": bill.currency,
        "description": text,
        "discount_amounts": [],
        "discountable": discountable,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": parent,
        "period": {"start": span.start, "end": span.end},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": format(unit.normalize(), "f") if unit is not None else "0",
        }
        if price
        else None,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": bill.subscription,
        "subtotal": amount,
        "taxes": [],
        "_rates": rates or [],
    }


def item_parent(subscription: str | None, item: str, proration: bool, invoice_item: str | None = None) -> Obj:
    """Say which subscription item a line comes from, and whether it is a proration."""
    details = {
        "invoice_item": invoice_item,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": subscription,
        "subscription_item": item,
    }
    return {
        "type": "subscription_item_details",
        "subscription_item_details": details,
        "invoice_item_details": None,
    }


def period(
    world: World, bill: Bill, item: Obj, price: Obj, quantity: int, span: Span, trial: bool = False
) -> Obj:
    """Charge a whole period of one item, or nothing in a trial."""
    amount = 0 if trial else amounts.whole(amounts.exact(price, bill.currency, quantity))
    each = amounts.exact(price, bill.currency, quantity) / (quantity or 1) / 100
    what = name_of(world, price, quantity)
    text = (
        f"Trial period for {what[4:]}"
        if trial
        else f"{what} (at {each:.2f} / {price['recurring']['interval']})"
    )
    parent = item_parent(bill.subscription, item["id"], False)
    return make(
        world, bill, amount=amount, text=text, span=span, price=price, quantity=quantity, parent=parent,
        rates=_rates(item),
    )  # fmt: skip


def proration(
    world: World, bill: Bill, item: Obj, price: Obj, quantity: int, since: int, span: Span, credit: bool
) -> Obj:
    """Charge or credit the rest of a period to the second.

    A percentage that stands on the subscription is already in the amount: the default ``proration_discounts`` of the
    flexible mode is ``included`` (https://docs.stripe.com/billing/subscriptions/billing-mode).
    """
    full = amounts.exact(price, bill.currency, quantity)
    for identifier in bill.discounts:
        percent = world.objects[identifier]["_coupon"]["percent_off"]
        full = full * (100 - Decimal(str(percent or 0))) / 100
    amount = amounts.part(full, since, span.start, span.end)
    word = "Unused" if credit else "Remaining"
    return make(
        world,
        bill,
        amount=-amount if credit else amount,
        text=f"{word} time on {name_of(world, price, quantity)} after {long_date(since)}",
        span=Span(since, span.end),
        price=price,
        quantity=quantity,
        parent=item_parent(bill.subscription, item["id"], True),
        discountable=False,
        rates=_rates(item),
    )


def _rates(item: Obj) -> list[str]:
    return list(item.get("_tax_rates") or [])


def discount(world: World, bill: Bill, lines: list[Obj]) -> None:
    """Take discounts off the lines that allow it: https://docs.stripe.com/billing/subscriptions/coupons.

    A percentage comes off each line; an amount is spread over the lines in proportion, the last takes the rest.
    """
    for identifier in bill.discounts:
        coupon = world.objects[identifier]["_coupon"]
        open_to = [
            line
            for line in lines
            if line["discountable"]
            and line["amount"] > 0
            and (
                not coupon["_products"]
                or (line["pricing"] or {})["price_details"]["product"] in coupon["_products"]
            )
        ]
        left = {
            line["id"]: line["amount"] - sum(d["amount"] for d in line["discount_amounts"])
            for line in open_to
        }
        budget, total = coupon["amount_off"] or 0, sum(left.values())
        budget = min(budget, total)
        spent = 0
        for place, line in enumerate(open_to):
            if coupon["percent_off"] is not None:
                off = amounts.whole(Decimal(left[line["id"]]) * Decimal(str(coupon["percent_off"])) / 100)
            elif place == len(open_to) - 1:
                off = budget - spent
            else:
                off = amounts.whole(Decimal(budget) * left[line["id"]] / total)
            spent += off
            if off:
                line["discount_amounts"].append({"amount": off, "discount": identifier})
                line["discounts"].append(identifier)


def tax(world: World, bill: Bill, lines: list[Obj]) -> None:
    """Tax what is left of each line after discounts."""
    for line in lines:
        net = line["amount"] - sum(d["amount"] for d in line["discount_amounts"])
        if bill.automatic:
            line["taxes"] = stripe_tax.tax(world, bill.customer, net)
            continue
        rates = line["_rates"] or bill.tax_rates
        line["taxes"] = amounts.taxes(world, net, rates, bill.customer["tax_exempt"])
