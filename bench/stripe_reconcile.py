"""`python -m bench.stripe_reconcile`: compare 10,000 subscriptions and as many invoices with a double that answers
20 ms late. The double runs on the same cores; what both cost is printed."""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg

from billing import modes
from billing.stripe import reconciling
from billing.stripe.gateway import Gateway
from kehu.app import create_app
from kehu.config import Settings
from kehu.core import clock, context
from kehu.testkit.database import TestServer
from kehu.testkit.fixtures import make_shop
from kehu.testkit.leases import leased
from plugins.results import BillingMode
from tests.stripe_double.process import KEY, Running, running

SECRET = "bench-bench-bench-bench-bench-bench-bench"
LIMIT_SECONDS = 300


def _columns(connection: Any, table: str) -> list[str]:
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public' "
        "AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (table,),
    )
    return [row[0] for row in found]


def _fill(url: str, tenant: Any, made: list[list[str]]) -> None:
    """Copy one firm's registry row for each customer, and write the mirror that events would have written."""
    with psycopg.connect(url) as connection:
        names = _columns(connection, "tenants")
        values = {"id": "md5(g::text)::uuid", "address": "'bench' || g"}
        picked = ", ".join(values.get(name, f"t.{name}") for name in names)
        connection.execute(
            f"INSERT INTO tenants ({', '.join(names)}) SELECT {picked} FROM tenants t, generate_series(1, %s) g "
            "WHERE t.id = %s",
            (len(made), tenant),
        )
        connection.execute("CREATE TEMP TABLE made (g int, customer text, subscription text, invoice text)")
        with connection.cursor().copy("COPY made FROM STDIN") as copy:
            for number, ids in enumerate(made, 1):
                copy.write_row((number, *ids))
        connection.execute(
            "INSERT INTO billing_accounts (tenant_id, mode, currency, phase, stripe_customer_id) "
            "SELECT md5(g::text)::uuid, 'stripe', 'EUR', 'active', customer FROM made"
        )
        connection.execute(
            "INSERT INTO billing_sync (customer_id, firm_id, next_at, since) "
            "SELECT customer, md5(g::text)::uuid, now(), now() FROM made"
        )
        # Every hundredth has another number of seats, and every thousandth is missing here.
        connection.execute(
            "INSERT INTO billing_subscriptions (tenant_id, id, provider_id, live, status, plan, interval, currency, "
            "seats, started_at, synced_at) SELECT md5(g::text)::uuid, md5('s' || g)::uuid, subscription, true, "
            "'active', 'team@1', 'month', 'EUR', CASE WHEN g % 100 = 0 THEN 9 ELSE 3 END, now(), now() "
            "FROM made WHERE g % 1000 > 0"
        )
        # Each firm's invoice of today; of every two hundredth we have not heard that it was paid.
        connection.execute(
            "INSERT INTO billing_invoices (tenant_id, id, provider_id, number, status, currency, net, tax, "
            "total, paid, made_at, synced_at) "
            "SELECT md5(g::text)::uuid, md5('i' || g)::uuid, invoice, 'X' || g, "
            "CASE WHEN g % 200 = 1 THEN 'open' ELSE 'paid' END, 'EUR', 4200, 0, 4200, 4200, now(), now() FROM made"
        )


def run(urls: Any, var: Path, double: Running, count: int) -> None:
    """Seed both sides, compare, print."""
    settings = Settings(
        environment="production", secret_key=SECRET, database_url=urls.owner, app_database_url=urls.app,
        cross_database_url=urls.cross, https=False, var=var, log_level="CRITICAL",
    )  # fmt: skip
    app = create_app(settings)
    v1: Any = double.client.v1
    price = v1.prices.create(
        {"product_data": {"name": "Team"}, "currency": "eur", "unit_amount": 1400, "recurring": {"interval": "month"},
         "lookup_key": "kehu_team_v1_month_eur"}
    ).id  # fmt: skip
    made: list[list[str]] = []
    while len(made) < count:
        made += double.control("seed", count=min(250, count - len(made)), price=price, seats=3)
    _fill(urls.owner, make_shop(app).tenant.id, made)
    double.control("settings", latency=0.02)
    gateway = Gateway(KEY, address=double.url)
    with app.app_context(), modes.use(BillingMode.STRIPE), context.use(actor=context.SYSTEM):
        began, before = time.perf_counter(), _work(double)
        done = reconciling.reconcile(gateway, repair=True)
        took, spent = (
            time.perf_counter() - began,
            [round(b - a) for a, b in zip(before, _work(double), strict=True)],
        )
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{clock.now():%H:%M} {done.looked} subscriptions, {done.found} differences, {done.repaired} fetched anew"
    )
    print(f"work: here {spent[0]} s, double {spent[1]} s; load average {os.getloadavg()[0]:.1f}")
    print(f"{took:.0f} s of {LIMIT_SECONDS}, {megabytes:.0f} MB at most")
    if took > LIMIT_SECONDS:
        raise SystemExit("too slow")


def _work(double: Running) -> list[float]:
    """Return the seconds of work of this process and of the double."""
    spent = [psutil.Process(pid).cpu_times() for pid in (os.getpid(), double.process.pid)]
    return [one.user + one.system for one in spent]


def main() -> None:
    """Borrow a database, start a double, measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.stripe_reconcile")
    parser.add_argument("--count", type=int, default=10_000)
    chosen = parser.parse_args()
    var = Path(os.environ.get("KEHU_VAR", "var"))
    with leased(var / "pg-bench") as cluster, running() as double:
        lender = TestServer(cluster.url(), None)
        lender.clean()
        urls = lender.make()
        try:
            run(urls, var, double, chosen.count)
        finally:
            lender.drop(urls)


if __name__ == "__main__":
    main()
