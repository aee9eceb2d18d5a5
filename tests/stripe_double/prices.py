"""Prices, with tiers, several currencies and lookup keys: https://docs.stripe.com/api/prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.stripe_double.errors import invalid, missing_parameter
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import only, put, put_metadata
from tests.stripe_double.routes import includable, render, route
from tests.stripe_double.world import Obj, World

KNOWN = (
    *("currency", "product", "product_data", "unit_amount", "unit_amount_decimal", "recurring", "nickname"),
    *("lookup_key", "transfer_lookup_key", "metadata", "active", "tax_behavior"),
    *("billing_scheme", "tiers", "tiers_mode", "currency_options"),
)
_RECURRING = {"interval": "month", "interval_count": 1, "meter": None, "trial_period_days": None}


@route("POST /v1/prices", "PriceCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a price: https://docs.stripe.com/api/prices/create."""
    only(p, KNOWN)
    return make(world, p)


def make(world: World, p: Obj) -> Obj:
    """Make a price from its own parameters or from ``price_data`` of a line."""
    if "currency" not in p:
        raise missing_parameter("currency")
    if "product_data" in p:
        product = world.new("product", "prod", active=True, name=p["product_data"]["name"], type="service")
        product["created"] = product["updated"] = world.now()
    elif "product" in p:
        product = world.get("product", p["product"], "product")
    else:
        raise missing_parameter("product")
    amounts = _amounts(p)
    if (p.get("recurring") or {}).get("usage_type") == "metered":
        # https://docs.stripe.com/api/prices/create#create_price-recurring-meter
        world.get("billing.meter", p["recurring"].get("meter"), "recurring[meter]")
    price = world.new(
        "price",
        "price",
        omit=("currency_options", "tiers"),
        active=p.get("active", True),
        billing_scheme=p.get("billing_scheme", "per_unit"),
        created=world.now(),
        currency=p["currency"].lower(),
        nickname=p.get("nickname"),
        product=product["id"],
        recurring=_RECURRING | {"usage_type": "licensed"} | p["recurring"] if "recurring" in p else None,
        tax_behavior=p.get("tax_behavior", "unspecified"),
        tiers_mode=p.get("tiers_mode"),
        type="recurring" if "recurring" in p else "one_time",
        unit_amount=amounts["unit_amount"],
        unit_amount_decimal=amounts["unit_amount_decimal"],
        _tiers=amounts["tiers"],
        _options={
            k.lower(): _amounts(v | {"billing_scheme": p.get("billing_scheme")}) for k, v in _options(p)
        },
    )
    put_metadata(price, p)
    _take_key(world, price, p)
    emit(world, "price.created", price)
    return price


def _options(p: Obj) -> list[tuple[str, Obj]]:
    return list((p.get("currency_options") or {}).items())


def _amounts(p: Obj) -> Obj:
    """Read the amount of one currency: a unit amount or tiers (https://docs.stripe.com/products-prices/pricing-models)."""
    tiers = [_tier(t) for t in p.get("tiers", [])]
    if p.get("billing_scheme") == "tiered":
        if not tiers or tiers[-1]["up_to"] is not None:
            raise invalid("The last tier must have up_to set to `inf`.", "tiers")
        return {"unit_amount": None, "unit_amount_decimal": None, "tiers": tiers}
    amount = p.get("unit_amount")
    exact = Decimal(p["unit_amount_decimal"]) if p.get("unit_amount_decimal") is not None else amount
    if exact is None:
        raise missing_parameter("unit_amount")
    whole = int(exact) if exact == int(exact) else None
    return {"unit_amount": whole, "unit_amount_decimal": str(exact), "tiers": []}


def _tier(given: Obj) -> Obj:
    flat, unit = given.get("flat_amount"), given.get("unit_amount")
    return {
        "flat_amount": flat,
        "flat_amount_decimal": None if flat is None else str(flat),
        "unit_amount": unit,
        "unit_amount_decimal": str(given["unit_amount_decimal"])
        if "unit_amount_decimal" in given
        else (None if unit is None else str(unit)),
        "up_to": None if given["up_to"] == "inf" else int(given["up_to"]),
    }


def _take_key(world: World, price: Obj, p: Obj) -> None:
    """Give a lookup key, from another price if that is asked: https://docs.stripe.com/products-prices/manage-prices."""
    key = p.get("lookup_key")
    if not key:
        return
    for other in list(world.all("price", lookup_key=key)):
        if other is price:
            continue
        if not p.get("transfer_lookup_key"):
            message = f"A price (`{other['id']}`) already uses that lookup key."
            raise invalid(message, "lookup_key", "resource_already_exists")
        with Watch(world, "price.updated", other):
            other["lookup_key"] = None
    price["lookup_key"] = key


@route("GET /v1/prices/{price}", "PriceRetrieveParams")
def retrieve(world: World, p: Obj, price: str) -> Obj:
    """Return a price: https://docs.stripe.com/api/prices/retrieve."""
    return world.get("price", price)


@route("POST /v1/prices/{price}", "PriceUpdateParams")
def update(world: World, p: Obj, price: str) -> Obj:
    """Change what may change; amounts never do: https://docs.stripe.com/api/prices/update."""
    only(p, ("active", "nickname", "metadata", "lookup_key", "transfer_lookup_key", "tax_behavior"))
    found = world.get("price", price, "price")
    with Watch(world, "price.updated", found):
        put(found, p, ("active", "nickname", "tax_behavior"))
        put_metadata(found, p)
        _take_key(world, found, p)
    return found


@route("GET /v1/prices", "PriceListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List prices, up to ten lookup keys at once: https://docs.stripe.com/api/prices/list."""
    keys = p.get("lookup_keys")
    if keys and len(keys) > 10:
        raise invalid("You may only specify up to 10 lookup keys.", "lookup_keys")
    same = {k: p[k] for k in ("active", "currency", "product", "type") if k in p}
    return world.page(
        "price",
        p,
        lambda o: all(o[k] == v for k, v in same.items()) and (not keys or o["lookup_key"] in keys),
    )


@includable("price", "tiers")
def tiers(world: World, shown: Obj) -> Any:
    """Show tiers when asked: https://docs.stripe.com/api/prices/object#price_object-tiers."""
    return [dict(t) for t in world.objects[shown["id"]]["_tiers"]] or None


@includable("price", "currency_options")
def currency_options(world: World, shown: Obj) -> Obj:
    """Show all currencies when asked: https://docs.stripe.com/api/prices/object#price_object-currency_options."""
    price = world.objects[shown["id"]]
    own = {k: price[k] for k in ("unit_amount", "unit_amount_decimal")} | {"tiers": price["_tiers"]}
    every = {price["currency"]: own} | price["_options"]
    return {
        currency: {"custom_unit_amount": None, "tax_behavior": price["tax_behavior"]}
        | {k: v for k, v in amounts.items() if k != "tiers" or v}
        for currency, amounts in every.items()
    }


def plan(price: Obj) -> Obj:
    """Show the price as the older plan that items still carry: https://docs.stripe.com/api/plans/object."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "livemode": False,
        "metadata": dict(price["metadata"]),
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": None,
        **{
            k: recurring[k]
            for k in ("interval", "interval_count", "meter", "trial_period_days", "usage_type")
        },
    }


@render("price")
def _render(world: World, shown: Obj) -> Obj:
    shown.pop("_of")
    return shown
