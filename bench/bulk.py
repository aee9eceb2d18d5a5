"""`python -m bench.bulk`: many records of one firm changed by a job, and taken back."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import psycopg

from bench.firm import fresh, memory
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop, make_shop
from kehu.views import bulk
from kehu.views.bulk import Order, Picked

LIMIT_SECONDS = 10.0
AT_ONCE = 1000
ORDERS = {
    "set a class": Order(action="set", values={"value_class": "B"}),
    "add a tag": Order(action="tag", add=("spring",)),
}


def main() -> None:
    """Fill one firm, change many customers by each kind of order, take it back, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    chosen = parser.parse_args()
    with fresh() as (app, urls):
        shop = make_shop(app)
        fill(shop, chosen.rows)
        with psycopg.connect(urls.owner, autocommit=True) as connection:
            connection.execute("ANALYZE")
        for name, order in ORDERS.items():
            batch = told(
                f"{name}, {chosen.rows:,} rows", shop, lambda session, one=order: _started(session, one)
            )
            told(
                f"undo of it, {chosen.rows:,} rows",
                shop,
                lambda session, one=batch: bulk.start_undo(session, one, chosen.rows, "customers"),
            )


def _started(session: Any, order: Order) -> Any:
    picked = Picked(query={"industry": "Joinery"})
    return bulk.start(session, "customers", order, picked, 0)


def fill(shop: Shop, count: int) -> None:
    """Write customers as an import does."""
    for first in range(0, count, AT_ONCE):
        rows = [
            {
                "name": f"Firm {number:06} Joinery",
                "emails": f"office@firm{number}.example.com",
                "phones": f"+4420794{number:05}",
                "industry": "Joinery",
                "tags": "wood",
            }
            for number in range(first, min(first + AT_ONCE, count))
        ]
        with shop.work() as session:
            service_for("customers", session).create_many(rows)


def told(what: str, shop: Shop, start: Callable[[Any], Any]) -> Any:
    """Run a change part by part as the job does, print how long it took, and return its batch."""
    with shop.work() as session:
        run = start(session)
        session.flush()
        run_id, batch = run.id, run.batch_id
    started = time.perf_counter()
    with shop.work():
        while bulk.work_on(run_id):
            continue
    seconds = time.perf_counter() - started
    with shop.work() as session:
        run = bulk.get_run(session, run_id)
        done, refused = run.done, run.refused
    verdict = "fits" if seconds <= LIMIT_SECONDS else "TOO SLOW"
    print(
        f"{what}: {seconds:.1f} s, {done:,} done, {refused:,} refused, {memory()} MB "
        f"(limit {LIMIT_SECONDS:.0f} s): {verdict}",
        flush=True,
    )
    return batch


if __name__ == "__main__":
    main()
