"""Subscriptions: https://docs.stripe.com/api/subscriptions and https://docs.stripe.com/billing/subscriptions/overview."""

from __future__ import annotations

from tests.stripe_double import coupons, invoice_payments, invoices, lifecycle, lines, prices, stripe_tax
from tests.stripe_double.dates import add_interval
from tests.stripe_double.errors import card_error, invalid, missing_parameter
from tests.stripe_double.events import emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.lines import Span
from tests.stripe_double.meters import metered
from tests.stripe_double.payment_methods import codes
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

MAX_ITEMS = 20  # https://docs.stripe.com/billing/subscriptions/multiple-products
SETTINGS = (
    *("metadata", "default_payment_method", "default_tax_rates", "description", "collection_method"),
    *(
        "days_until_due",
        "payment_settings",
        "cancel_at_period_end",
        "cancel_at",
        "trial_settings",
        "off_session",
    ),
    *("automatic_tax", "invoice_settings"),
)
KNOWN = (*SETTINGS, "customer", "items", "currency", "discounts", "payment_behavior", "proration_behavior")
TRIAL = ("trial_end", "trial_period_days", "trial_from_plan")
ENDED = ("canceled", "incomplete_expired")


@route("POST /v1/subscriptions", "SubscriptionCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a subscription and its first invoice: https://docs.stripe.com/api/subscriptions/create."""
    only(p, (*KNOWN, *TRIAL, "billing_mode"))
    customer = world.get("customer", p.get("customer"), "customer")
    if not p.get("items"):
        raise missing_parameter("items")
    wanted = [(price_of(world, one), one) for one in p["items"]]
    currency = _currency(customer, wanted, p.get("currency"))
    now = world.now(customer)
    trial_end = _trial_end(wanted, p, now)
    behaviour = p.get("payment_behavior", "allow_incomplete")
    automatic = p.get("collection_method", "charge_automatically") == "charge_automatically"
    card = p.get("default_payment_method") or customer["invoice_settings"]["default_payment_method"]
    if (
        automatic
        and not card
        and trial_end is None
        and behaviour in ("allow_incomplete", "error_if_incomplete")
    ):
        message = (
            "This customer has no attached payment source or default payment method. Please add one first."
        )
        raise invalid(message, code="resource_missing")
    if behaviour == "error_if_incomplete" and card and automatic and trial_end is None:
        _refuse_bad_card(world, card)
    subscription = _blank(world, customer, currency, now)
    if (p.get("automatic_tax") or {}).get("enabled"):
        stripe_tax.check(world, customer, [price for price, _one in wanted], p.get("default_tax_rates"))
    put_settings(world, subscription, p)
    span = Span(now, trial_end or _end(wanted[0][0], now))
    for price, one in wanted:
        add_item(world, subscription, price, one, span)
    subscription["discounts"] = coupons.redeem(world, p.get("discounts") or [], subscription, "subscription")
    if trial_end:
        subscription |= {"trial_start": now, "trial_end": trial_end, "billing_cycle_anchor": trial_end}
        subscription["status"] = "trialing"
    elif automatic:
        subscription["status"] = "incomplete"
    emit(world, "customer.subscription.created", subscription)
    _first_invoice(world, subscription, span, behaviour, bool(trial_end))
    lifecycle.plan_ahead(world, subscription)
    if subscription["status"] == "incomplete":
        world.at(now + lifecycle.EXPIRY, "expire_incomplete", subscription["id"])
    return subscription


def _blank(world: World, customer: Obj, currency: str, now: int) -> Obj:
    absent = ("billing_schedules", "presentment_details", "managed_payments", "status_details")
    return world.new(
        "subscription",
        "sub",
        omit=absent[1:],
        automatic_tax=automatic(False),
        billing_cycle_anchor=now,
        billing_mode={
            "type": "flexible",
            "flexible": {"proration_discounts": "included"},
            "updated_at": None,
        },
        billing_schedules=[],
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method="charge_automatically",
        created=now,
        currency=currency,
        customer=customer["id"],
        discounts=[],
        invoice_settings={"account_tax_ids": None, "custom_fields": None, "description": None, "footer": None}
        | {"issuer": {"type": "self"}},
        metadata={},
        payment_settings={"payment_method_options": None, "payment_method_types": None}
        | {"save_default_payment_method": "off"},
        start_date=now,
        status="active",
        test_clock=customer["test_clock"],
        trial_settings={
            "end_behavior": {"missing_payment_method": "create_invoice", "billing_cycle_anchor": None}
        },
        _items=[],
        _tax_rates=[],
    )


def price_of(world: World, given: Obj) -> Obj:
    """Find the recurring price of an item, or make one from ``price_data``."""
    only(
        given,
        (
            "price",
            "price_data",
            "quantity",
            "metadata",
            "tax_rates",
            "id",
            "deleted",
            "clear_usage",
            "discounts",
        ),
    )
    price = prices.make(world, given["price_data"]) if "price_data" in given else None
    price = price or world.get("price", given.get("price"), "items[price]")
    if price["type"] != "recurring":
        raise invalid(f"The price `{price['id']}` is not recurring.", "items[price]")
    if metered(price) and "quantity" in given:
        # https://docs.stripe.com/api/subscription_items/create#create_subscription_item-quantity
        raise invalid("Quantity can be set only for prices whose usage_type is licensed.", "items[quantity]")
    if not price["active"]:
        raise invalid(
            "The price specified is inactive. This field only accepts active prices.", "items[price]"
        )
    return price


def _currency(customer: Obj, wanted: list[tuple[Obj, Obj]], asked: str | None) -> str:
    """Choose the currency; a customer never mixes two: https://docs.stripe.com/billing/customer#currency."""
    currency = (asked or customer["currency"] or wanted[0][0]["currency"]).lower()
    if customer["currency"] and customer["currency"] != currency:
        message = (
            f"You cannot combine currencies on a single customer. This customer has an active subscription or other "
            f"billing object with currency {customer['currency']}."
        )
        raise invalid(message, "currency")
    for price, _ in wanted:
        if currency != price["currency"] and currency not in price["_options"]:
            message = (
                f"The price specified only supports `{price['currency']}`. This doesn't match `{currency}`."
            )
            raise invalid(message, "items[price]")
    rhythm = {(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p, _ in wanted}
    if len(rhythm) > 1:
        raise invalid("The double does not know subscriptions of mixed intervals.", "items")
    if len(wanted) > MAX_ITEMS:
        raise invalid(f"Subscriptions have at most {MAX_ITEMS} items.", "items")
    if len({p["id"] for p, _ in wanted}) < len(wanted):
        raise invalid("Cannot add multiple subscription items with the same price.", "items")
    return currency


def _trial_end(wanted: list[tuple[Obj, Obj]], p: Obj, now: int) -> int | None:
    """Work out the end of the trial: https://docs.stripe.com/billing/subscriptions/trials."""
    if p.get("trial_end") == "now":
        return None
    if "trial_end" in p:
        if p["trial_end"] <= now:
            raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
        return int(p["trial_end"])
    days = p.get("trial_period_days")
    if days is None and p.get("trial_from_plan"):
        days = wanted[0][0]["recurring"]["trial_period_days"]
    return now + days * 86400 if days else None


def _end(price: Obj, start: int, anchor: int | None = None) -> int:
    recurring = price["recurring"]
    return add_interval(start, recurring["interval"], recurring["interval_count"], anchor)


def _refuse_bad_card(world: World, card: str) -> None:
    behaviour = world.get("payment_method", card, "default_payment_method")["_behaviour"]
    if behaviour.charge:
        code, decline, message = codes(behaviour.charge)
        raise card_error(message, code, decline)
    if behaviour.authenticate in ("always", "unless_set_up"):
        message = "The payment for this subscription requires additional action."
        raise card_error(message, "subscription_payment_intent_requires_action")


def put_settings(world: World, subscription: Obj, p: Obj) -> None:
    """Apply what creation and update share and costs nothing."""
    put_metadata(subscription, p)
    for name in ("description", "collection_method", "days_until_due"):
        if name in p:
            subscription[name] = p[name] or None
    if subscription["collection_method"] == "send_invoice" and subscription["days_until_due"] is None:
        raise invalid(
            "If collection_method is `send_invoice`, you must pass days_until_due.", "days_until_due"
        )
    if card := p.get("default_payment_method"):
        found = world.get("payment_method", card, "default_payment_method")
        if found["customer"] != subscription["customer"]:
            raise invalid(
                f"The customer does not have a payment method with the ID {card}.", "default_payment_method"
            )
        subscription["default_payment_method"] = card
    if "default_tax_rates" in p:
        subscription["_tax_rates"] = list(p["default_tax_rates"] or [])
        for rate in subscription["_tax_rates"]:
            world.get("tax_rate", rate, "default_tax_rates")
    for name in ("payment_settings", "trial_settings"):
        if name in p:
            subscription[name] = subscription[name] | p[name]
    if "automatic_tax" in p:
        subscription["automatic_tax"] = automatic(bool(p["automatic_tax"].get("enabled")))
    if subscription["automatic_tax"]["enabled"]:
        found = [world.objects[world.objects[one]["price"]] for one in subscription["_items"]]
        customer = world.get("customer", subscription["customer"])
        stripe_tax.check(world, customer, found, subscription["_tax_rates"])
    lifecycle.put_cancellation(world, subscription, p)


def automatic(enabled: bool) -> Obj:
    """Return how automatic tax stands on a subscription: https://docs.stripe.com/api/subscriptions/object."""
    liability = {"type": "self"} if enabled else None
    return {"enabled": enabled, "disabled_reason": None, "liability": liability}


def add_item(world: World, subscription: Obj, price: Obj, given: Obj, span: Span) -> Obj:
    """Add an item for a period."""
    item = world.new(
        "subscription_item",
        "si",
        omit=("billed_until", "current_trial"),
        created=world.now(subscription),
        current_period_start=span.start,
        current_period_end=span.end,
        metadata=dict(given.get("metadata") or {}),
        price=price["id"],
        plan=price["id"],
        quantity=None if metered(price) else given.get("quantity", 1),
        subscription=subscription["id"],
        _since=world.now(subscription),
        _tax_rates=list(given.get("tax_rates") or []),
    )
    subscription["_items"].append(item["id"])
    return item


def _first_invoice(world: World, subscription: Obj, span: Span, behaviour: str, trial: bool) -> None:
    bill = invoices.bill_of(world, subscription)
    made = [
        lines.period(world, bill, item, world.objects[item["price"]], item["quantity"], span, trial)
        for item in map(world.objects.__getitem__, subscription["_items"])
        if not metered(world.objects[item["price"]])
    ]
    invoice = invoices.draft(world, bill, "subscription_create", made, _days=subscription["days_until_due"])
    invoices.finalize(world, invoice)
    if invoice["status"] == "paid" or subscription["collection_method"] == "send_invoice":
        return
    if behaviour != "default_incomplete":
        invoice_payments.pay(world, invoice, None, off_session=False)
