"""How subscriptions are shown, listed and cancelled: https://docs.stripe.com/api/subscriptions."""

from __future__ import annotations

from typing import Any

from tests.stripe_double import lifecycle, prices
from tests.stripe_double.errors import invalid
from tests.stripe_double.fields import only
from tests.stripe_double.routes import listing, public, render, route
from tests.stripe_double.subscriptions import ENDED
from tests.stripe_double.world import Obj, World


@render("subscription")
def _render(world: World, shown: Obj) -> Obj:
    of = shown.pop("_of")
    items = [public(world, world.objects[i]) for i in of["_items"]]
    shown["items"] = listing(items, f"/v1/subscription_items?subscription={of['id']}")
    shown["default_tax_rates"] = [public(world, world.objects[r]) for r in of["_tax_rates"]]
    return shown


@render("subscription_item")
def _render_item(world: World, shown: Obj) -> Obj:
    of = shown.pop("_of")
    price = world.objects[of["price"]]
    shown |= {"price": public(world, price), "plan": prices.plan(price)}
    shown["tax_rates"] = [public(world, world.objects[r]) for r in of["_tax_rates"]]
    return shown


@route("GET /v1/subscriptions/{subscription}", "SubscriptionRetrieveParams")
def retrieve(world: World, p: Obj, subscription: str) -> Obj:
    """Return a subscription, also an ended one: https://docs.stripe.com/api/subscriptions/retrieve."""
    return world.get("subscription", subscription)


@route("GET /v1/subscriptions", "SubscriptionListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List subscriptions; ended ones only when asked: https://docs.stripe.com/api/subscriptions/list."""
    known = "customer price status test_clock "
    known += "collection_method limit starting_after ending_before created"
    only(p, known.split())
    wanted, price = p.get("status"), p.get("price")

    def fits(one: Obj) -> bool:
        by_status = {"all": True, "ended": one["status"] in ENDED, None: one["status"] != "canceled"}
        return (
            by_status.get(wanted, one["status"] == wanted)
            and p.get("customer") in (None, one["customer"])
            and p.get("collection_method") in (None, one["collection_method"])
            and p.get("test_clock") in (None, one["test_clock"])
            and (price is None or price in {world.objects[i]["price"] for i in one["_items"]})
        )

    return world.page("subscription", p, fits)


@route("DELETE /v1/subscriptions/{subscription}", "SubscriptionCancelParams")
def cancel(world: World, p: Obj, subscription: str) -> Obj:
    """Cancel at once: https://docs.stripe.com/api/subscriptions/cancel."""
    only(p, ("cancellation_details", "invoice_now", "prorate"))
    found = world.get("subscription", subscription)
    if found["status"] in ENDED:
        raise invalid(f"No such subscription: '{subscription}'", "id", "resource_missing", 404)
    details: Any = p.get("cancellation_details") or {}
    found["cancellation_details"] = found["cancellation_details"] | {k: v or None for k, v in details.items()}
    return lifecycle.cancel(
        world, found, "cancellation_requested", p.get("prorate", False), p.get("invoice_now", False)
    )
