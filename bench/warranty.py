"""`python -m bench.warranty`: the nightly work on warranties of 100,000 vehicles: forecasts, then offers."""

from __future__ import annotations

import argparse
import time
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import func, select

from bench.firm import fresh, memory
from kehu.addons.calls import call
from kehu.core import context, db
from kehu.core.records.service import service_for
from kehu.offers.models import Offer
from kehu.offers.tasks import sweep_now
from kehu.testkit.fixtures import Shop, make_shop
from kehu.testkit.switch import enable
from plugins_builtin.automotive.warranty.forecasting import reckon

LIMIT_SECONDS, LIMIT_MB = 60, 300
FILL = """
CREATE TEMP TABLE series AS
SELECT g, current_date - 300 - g % 900 AS begun, 3000 + g % 14000 AS pace, md5('c' || g)::uuid AS customer,
  md5('i' || g)::uuid AS item, md5('v' || g)::uuid AS vehicle, md5('t' || g)::uuid AS term,
  CAST(:'tenant' AS uuid) AS tenant, CAST(:'owner' AS uuid) AS owner
FROM generate_series(1, :count) AS g;

INSERT INTO customers (tenant_id, id, kind, number, name, name_norm, type_class, currency)
SELECT tenant, customer, 'person', 1000000 + g, 'Customer ' || g, 'customer ' || g, 'existing', 'GBP' FROM series;

INSERT INTO owned_items (tenant_id, id, customer_id, name, name_norm, owner_id, in_service_on)
SELECT tenant, item, customer, 'Car ' || g, 'car ' || g, owner, begun FROM series;

INSERT INTO p_automotive.vehicles
  (tenant_id, id, customer_id, owned_item_id, make, model, name, name_norm, owner_id, in_service_on)
SELECT tenant, vehicle, customer, item, 'Make', 'Model', 'Car ' || g, 'car ' || g, owner, begun FROM series;

INSERT INTO p_automotive.odometer_readings (tenant_id, id, vehicle_id, read_on, km, shown, owner_id)
SELECT tenant, md5('r' || g || '-' || n)::uuid, vehicle,
  begun + (current_date - begun) * n / 4 - g % 70, n * pace, n * pace, owner
FROM series, generate_series(1, 4) AS n;

INSERT INTO owned_item_terms
  (tenant_id, id, item_id, customer_id, owner_id, item_in_use, kind, name, name_norm, starts_on, months, ends_on,
   usage_limit, usage_unit, start_usage, effective_end, currency)
SELECT tenant, term, item, customer, owner, true, 'warranty', 'Warranty', 'warranty', begun, 36,
  (begun + interval '36 months')::date, 60000, 'km', 0, (begun + interval '36 months')::date, 'GBP'
FROM series
"""
"""Cars of one firm, each with four readings and a warranty of 36 months or 60,000 km."""


def main() -> None:
    """Fill, reckon twice (the second night changes little), sweep, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=100_000)
    chosen = parser.parse_args()
    with fresh() as (app, urls):
        run(app, urls, chosen.vehicles)


def run(app: Flask, urls: Any, vehicles: int) -> None:
    """Measure with one firm of so many vehicles."""
    shop = make_shop(app)
    enable(shop, "automotive")
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        values = {
            ":'tenant'": f"'{shop.tenant.id}'",
            ":'owner'": f"'{shop.owner.member_id}'",
            ":count": vehicles,
        }
        for statement in FILL.split(";"):
            filled = statement
            for place, value in values.items():
                filled = filled.replace(place, str(value))
            connection.execute(filled)
        connection.execute("ANALYZE")
    before = memory()
    for night in ("first", "second"):
        started = time.perf_counter()
        reckon_all(shop)
        told(f"forecasts of {vehicles:,} vehicles, {night} night", time.perf_counter() - started, before)
    with shop.work() as session:
        rule = {"name": "Warranty ends", "source": "term.warranty"}
        rule_id = service_for("offer_rules", session).create(rule).id
    for night in ("first", "second"):
        started = time.perf_counter()
        with app.app_context(), context.use(tenant=shop.tenant, actor=context.SYSTEM, source="job"):
            sweep_now(rule_id)
        with shop.work() as session:
            count = session.execute(select(func.count()).select_from(Offer)).scalar_one()
        told(f"sweep that holds {count:,} offers, {night} night", time.perf_counter() - started, before)


def reckon_all(shop: Shop) -> None:
    """Do what the job does, in its transactions."""
    last = None
    while True:
        with shop.app.app_context(), context.use(tenant=shop.tenant), db.unit_of_work(actor=context.SYSTEM):
            last = reckon(call("automotive"), last)
        if last is None:
            return


def told(what: str, seconds: float, before: int) -> None:
    """Print a figure."""
    print(
        f"{what}: {seconds:.1f} s (limit {LIMIT_SECONDS}), {memory()} MB (limit {LIMIT_MB}, began with {before})",
        flush=True,
    )


if __name__ == "__main__":
    main()
