"""Items of a subscription by themselves: https://docs.stripe.com/api/subscription_items."""

from __future__ import annotations

from tests.stripe_double.errors import invalid
from tests.stripe_double.fields import only
from tests.stripe_double.routes import route
from tests.stripe_double.updates import change
from tests.stripe_double.world import Obj, World

OWN = ("price", "price_data", "quantity", "metadata", "tax_rates")
SHARED = ("payment_behavior", "proration_behavior", "proration_date")


@route("POST /v1/subscription_items", "SubscriptionItemCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Add an item: https://docs.stripe.com/api/subscription_items/create."""
    only(p, (*OWN, *SHARED, "subscription"))
    found = world.get("subscription", p.get("subscription"), "subscription")
    before = set(found["_items"])
    _change(world, found, {k: p[k] for k in OWN if k in p}, p)
    new = set(found["_items"]) - before
    if not new:
        # A pending update keeps the item until it is paid; the answer shows it as it will be.
        return dict(found["pending_update"]["subscription_items"][-1])
    return world.get("subscription_item", new.pop())


@route("POST /v1/subscription_items/{item}", "SubscriptionItemUpdateParams")
def update(world: World, p: Obj, item: str) -> Obj:
    """Change an item: https://docs.stripe.com/api/subscription_items/update."""
    only(p, (*OWN, *SHARED))
    found = world.get("subscription_item", item, "item")
    _change(world, _of(world, found), {"id": item} | {k: p[k] for k in OWN if k in p}, p)
    return found


@route("DELETE /v1/subscription_items/{item}", "SubscriptionItemDeleteParams")
def delete(world: World, p: Obj, item: str) -> Obj:
    """Remove an item: https://docs.stripe.com/api/subscription_items/delete."""
    only(p, (*SHARED,))
    found = world.get("subscription_item", item, "item")
    _change(world, _of(world, found), {"id": item, "deleted": True}, p)
    return world.objects[item]


def _of(world: World, item: Obj) -> Obj:
    return world.get("subscription", item["subscription"])


def _change(world: World, subscription: Obj, one: Obj, p: Obj) -> None:
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise invalid("This subscription has ended.", code="invalid_canceled_subscription_fields")
    change(world, subscription, {"items": [one]} | {k: p[k] for k in SHARED if k in p})


@route("GET /v1/subscription_items/{item}", "SubscriptionItemRetrieveParams")
def retrieve(world: World, p: Obj, item: str) -> Obj:
    """Return an item: https://docs.stripe.com/api/subscription_items/retrieve."""
    return world.get("subscription_item", item)


@route("GET /v1/subscription_items", "SubscriptionItemListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List the items of a subscription: https://docs.stripe.com/api/subscription_items/list."""
    found = world.get("subscription", p.get("subscription"), "subscription")
    return world.page("subscription_item", p, lambda i: i["id"] in found["_items"])
