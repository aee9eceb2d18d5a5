"""Writing the catalogue's prices down at Stripe: made once under their lookup keys, never changed there either."""

from __future__ import annotations

from sqlalchemy import select, update

from billing import addon_prices
from billing.catalogue import CatalogueError, catalogue
from billing.models import Price
from billing.stripe.gateway import Gateway, told
from billing.stripe.words import Declined
from kehu.core import db


def publish(gateway: Gateway) -> int:
    """Make the prices at Stripe that are written down here, and return how many were new there.

    :raises CatalogueError: when Stripe has another amount under a lookup key.
    """
    with db.unit_of_work(tenant=None) as session:
        statement = (
            select(Price)
            .where(Price.stripe_price_id.is_(None), ~Price.plan.like("x:%@%:%"))
            .order_by(Price.lookup_key)
        )
        waiting = list(session.execute(statement.limit(1_000)).scalars())
    new = 0
    for row in waiting:
        with told():
            found = gateway.api.prices.list({"lookup_keys": [row.lookup_key], "limit": 1}).data
            if not found:
                found, new = [_make(gateway, row)], new + 1
        if int(found[0].unit_amount or 0) != row.amount:
            raise CatalogueError(
                f"{row.lookup_key} costs {found[0].unit_amount} at Stripe and {row.amount} here. "
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


def _make(gateway: Gateway, row: Price) -> object:
    product, name, marks = _product(row)
    known = [one.id for one in gateway.api.products.list({"ids": [product]}).data]
    if not known:
        gateway.api.products.create({"id": product, "name": name}, {"idempotency_key": f"product:{product}"})
    asked = {
        "product": product,
        "currency": row.currency.lower(),
        "unit_amount": row.amount,
        "recurring": {"interval": row.interval},
        "lookup_key": row.lookup_key,
        "tax_behavior": "exclusive",
        "metadata": marks,
    }
    return gateway.api.prices.create(asked, {"idempotency_key": f"price:{row.lookup_key}"})


def _product(row: Price) -> tuple[str, str, dict[str, str]]:
    """Return id and name of the product of a price, and what marks the price for people: its plan or plugin."""
    addon = addon_prices.of_lookup_key(row.lookup_key)
    if addon is not None:
        slug, version, _meter = addon
        manifest = addon_prices.sold(slug)
        per = manifest.pricing.per if manifest is not None else "firm"
        return (
            f"kehu_x_{slug}_v{version}",
            addon_prices.name_of(slug),
            {"kind": "addon", "plugin": slug, "per": per},
        )
    plan = catalogue().plan(row.plan)
    name = plan.name if plan is not None else row.plan
    return f"kehu_{row.plan.replace('@', '_v')}", name, {"plan": row.plan}
