"""Coupons, promotion codes and the discounts they make: https://docs.stripe.com/billing/subscriptions/coupons."""

from __future__ import annotations

from typing import Any

from tests.stripe_double.dates import add_interval
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import emit
from tests.stripe_double.fields import only, put, put_metadata
from tests.stripe_double.routes import includable, route
from tests.stripe_double.world import Obj, World

PLAIN = (
    "amount_off",
    "currency",
    "duration_in_months",
    "max_redemptions",
    "name",
    "percent_off",
    "redeem_by",
)


@route("POST /v1/coupons", "CouponCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a coupon, in per cent or as an amount: https://docs.stripe.com/api/coupons/create."""
    only(p, (*PLAIN, "id", "duration", "applies_to", "metadata"))
    if ("percent_off" in p) == ("amount_off" in p):
        raise invalid("You must pass either percent_off or amount_off.", "percent_off")
    if "amount_off" in p and "currency" not in p:
        raise invalid("You must pass currency when passing amount_off.", "currency")
    if p.get("duration") == "repeating" and not p.get("duration_in_months"):
        raise invalid("You must pass duration_in_months with duration=repeating.", "duration_in_months")
    made = world.new(
        "coupon",
        "",
        p.get("id") or world.name("c")[2:10],
        omit=("applies_to", "currency_options"),
        created=world.now(),
        duration=p.get("duration", "once"),
        valid=True,
        metadata={},
        _products=(p.get("applies_to") or {}).get("products"),
    )
    put(made, p, PLAIN)
    put_metadata(made, p)
    emit(world, "coupon.created", made)
    return made


@includable("coupon", "applies_to")
def _applies_to(world: World, shown: Obj) -> Any:
    products = world.objects[shown["id"]]["_products"]
    return {"products": products} if products else None


@route("GET /v1/coupons/{coupon}", "CouponRetrieveParams")
def retrieve(world: World, p: Obj, coupon: str) -> Obj:
    """Return a coupon: https://docs.stripe.com/api/coupons/retrieve."""
    return world.get("coupon", coupon)


@route("DELETE /v1/coupons/{coupon}", "CouponDeleteParams")
def delete(world: World, p: Obj, coupon: str) -> Obj:
    """Delete a coupon; discounts made from it stay: https://docs.stripe.com/api/coupons/delete."""
    found = world.get("coupon", coupon, "coupon")
    emit(world, "coupon.deleted", found)
    return world.drop(found)


@route("GET /v1/coupons", "CouponListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List coupons: https://docs.stripe.com/api/coupons/list."""
    return world.page("coupon", p)


@route("POST /v1/promotion_codes", "PromotionCodeCreateParams")
def create_code(world: World, p: Obj) -> Obj:
    """Give a coupon a code that customers type: https://docs.stripe.com/api/promotion_codes/create."""
    only(p, ("promotion", "code", "active", "customer", "expires_at", "max_redemptions", "metadata"))
    coupon = world.get("coupon", p["promotion"].get("coupon"), "promotion[coupon]")
    made = world.new(
        "promotion_code",
        "promo",
        active=p.get("active", True),
        code=p.get("code") or world.name("p")[2:10].upper(),
        created=world.now(),
        promotion={"type": "coupon", "coupon": coupon["id"]},
        metadata={},
        restrictions={
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
    )
    put(made, p, ("customer", "expires_at", "max_redemptions"))
    put_metadata(made, p)
    emit(world, "promotion_code.created", made)
    return made


@route("GET /v1/promotion_codes", "PromotionCodeListParams")
def list_codes(world: World, p: Obj) -> Obj:
    """Find a code: https://docs.stripe.com/api/promotion_codes/list."""
    same = {k: p[k] for k in ("active", "code", "customer") if k in p}
    return world.page("promotion_code", p, lambda o: all(o[k] == v for k, v in same.items()))


def redeem(world: World, given: Any, holder: Obj, field: str, *, counted: bool = True) -> list[str]:
    """Turn ``discounts`` of a request into discount objects and return their ids; a preview uses up none."""
    made = []
    for one in given or []:
        code = (
            world.get("promotion_code", one["promotion_code"], "promotion_code")
            if "promotion_code" in one
            else None
        )
        if "discount" in one:
            made.append(world.get("discount", one["discount"], "discounts")["id"])
            continue
        coupon = world.get("coupon", code["promotion"]["coupon"] if code else one.get("coupon"), "discounts")
        now = world.now(holder)
        used_up = coupon["max_redemptions"] and coupon["times_redeemed"] >= coupon["max_redemptions"]
        if not coupon["valid"] or used_up or (coupon["redeem_by"] and coupon["redeem_by"] < now):
            raise invalid(
                f"Coupon {coupon['id']} is used up and cannot be applied.", "discounts", "coupon_expired"
            )
        coupon["times_redeemed"] += int(counted)
        months = coupon["duration_in_months"]
        discount = world.new(
            "discount",
            "di",
            customer=holder.get("customer"),
            promotion_code=code["id"] if code else None,
            source={"type": "coupon", "coupon": coupon["id"]},
            start=now,
            end=add_interval(now, "month", months, None) if coupon["duration"] == "repeating" else None,
            **{field: holder["id"]},
        )
        discount["_coupon"] = dict(coupon)
        made.append(discount["id"])
    return made
