"""Writing the catalogue's prices down at Stripe: made once under their lookup keys, never changed there either."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from billing import addon_prices
from billing.catalogue import CatalogueError, catalogue
from billing.models import Price
from billing.stripe.gateway import Gateway, told
from billing.stripe.metering import event_name
from billing.stripe.words import Declined
from kehu.core import db


def publish(gateway: Gateway) -> int:
    """Make the prices at Stripe that are written down here, and return how many were new there.

    :raises CatalogueError: when Stripe has another amount under a lookup key.
    """
    with db.unit_of_work(tenant=None) as session:
        statement = select(Price).where(Price.stripe_price_id.is_(None)).order_by(Price.lookup_key)
        waiting = list(session.execute(statement.limit(1_000)).scalars())
    new = 0
    for row in waiting:
        with told():
            asked = {"lookup_keys": [row.lookup_key], "limit": 1, "expand": ["data.tiers"]}
            found = gateway.api.prices.list(asked).data
            if not found:
                found, new = [_make(gateway, row)], new + 1
            elif (amount := _amount(found[0])) != row.amount:
                raise CatalogueError(
                    f"{row.lookup_key} costs {amount} at Stripe and {row.amount} here. "
                    "Prices are never changed: raise the plan's version in catalogue.toml."
                )
        if found[0].tax_behavior == "unspecified":  # Stripe Tax refuses such prices; it can be said once.
            gateway.api.prices.update(found[0].id, {"tax_behavior": "exclusive"})
        with db.unit_of_work(tenant=None) as session:
            values = {"stripe_price_id": str(found[0].id)}
            session.execute(update(Price).where(Price.lookup_key == row.lookup_key).values(**values))
    return new


def publish_coupons(gateway: Gateway) -> int:
    """Make the coupons of the catalogue at Stripe, and return how many were new there."""
    new = 0
    for one in catalogue().coupons.values():
        asked: dict[str, object] = {
            "id": one.provider_id,
            "name": one.code,
            "percent_off": one.percent,
            "duration": "repeating" if one.months else "forever",
            "metadata": {"code": one.code},
        }
        if one.months:
            asked["duration_in_months"] = one.months
        try:
            with told():
                gateway.api.coupons.retrieve(one.provider_id)
        except Declined as error:
            if error.code != "resource_missing":
                raise
            with told():
                gateway.api.coupons.create(asked)
            new += 1
    return new


def _amount(price: Any) -> int:
    """Return what a price costs, or one more of what a meter counts."""
    found = price.to_dict()
    tiers = found.get("tiers")
    return int((tiers[-1] if tiers else found).get("unit_amount") or 0)


def _make(gateway: Gateway, row: Price) -> Any:
    product, name, marks = _product(row)
    known = [one.id for one in gateway.api.products.list({"ids": [product]}).data]
    if not known:
        gateway.api.products.create({"id": product, "name": name}, {"idempotency_key": f"product:{product}"})
    asked: dict[str, Any] = {
        "product": product,
        "currency": row.currency.lower(),
        **_cost(gateway, row),
        "lookup_key": row.lookup_key,
        "tax_behavior": "exclusive",
        "metadata": marks,
    }
    return gateway.api.prices.create(asked, {"idempotency_key": f"price:{row.lookup_key}"})


def _cost(gateway: Gateway, row: Price) -> dict[str, Any]:
    """Return what is paid for: a period, or what a meter counts beyond what is in the add-on's price."""
    addon = addon_prices.of_lookup_key(row.lookup_key)
    if addon is None or not addon[2]:
        return {"unit_amount": row.amount, "recurring": {"interval": row.interval}}
    slug, _version, meter = addon
    counted = {"interval": row.interval, "usage_type": "metered", "meter": _meter(gateway, slug, meter)}
    included = int(row.plan.rpartition(":")[2])
    if not included:
        return {"unit_amount": row.amount, "recurring": counted}
    tiers = [{"up_to": included, "unit_amount": 0}, {"up_to": "inf", "unit_amount": row.amount}]
    return {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers, "recurring": counted}


def _meter(gateway: Gateway, slug: str, meter: str) -> str:
    """Return the meter at Stripe, made when it is first needed."""
    name = event_name(slug, meter)
    for one in gateway.api.billing.meters.list({"status": "active", "limit": 100}).auto_paging_iter():
        if one.event_name == name:
            return str(one.id)
    asked = {
        "display_name": f"{addon_prices.name_of(slug)}: {meter}",
        "event_name": name,
        "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"},
    }
    return str(gateway.api.billing.meters.create(asked, {"idempotency_key": f"meter:{name}"}).id)


def _product(row: Price) -> tuple[str, str, dict[str, str]]:
    """Return id and name of the product of a price, and what marks the price for people: its plan or plugin."""
    addon = addon_prices.of_lookup_key(row.lookup_key)
    if addon is not None:
        slug, version, meter = addon
        manifest = addon_prices.sold(slug)
        per = manifest.pricing.per if manifest is not None else "firm"
        name, suffix = addon_prices.name_of(slug), f"_{meter}" if meter else ""
        for one in manifest.pricing.meters if manifest is not None else ():
            name = f"{name}: {one.label}" if one.name == meter else name
        return f"kehu_x_{slug}_v{version}{suffix}", name, {"kind": "addon", "plugin": slug, "per": per}
    plan = catalogue().plan(row.plan)
    name = plan.name if plan is not None else row.plan
    return f"kehu_{row.plan.replace('@', '_v')}", name, {"plan": row.plan}
