"""`python -m bench.doubles`: the nightly look for doubles through one firm of 100,000 persons."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import func, select

from bench.firm import fresh, memory
from bench.people import people
from kehu.core.ids import new_id
from kehu.core.text import fold
from kehu.merging.looking import look_through
from kehu.merging.models import LikelyDouble
from kehu.merging.rule import Candidate
from kehu.testkit.fixtures import make_shop

LIMIT_SECONDS, LIMIT_MB = 300, 500
COLUMNS = (
    "tenant_id id kind number name name_norm type_class currency born_on emails phones addresses".split()
)


def main() -> None:
    """Fill one firm, look through it twice, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=100_000)
    chosen = parser.parse_args()
    with fresh() as (app, urls):
        run(app, urls, chosen.persons)


def run(app: Flask, urls: Any, count: int) -> None:
    """Measure with one firm of so many persons; `people` says which of them are the same."""
    shop = make_shop(app)
    same = fill(urls.owner, str(shop.tenant.id), count)
    before = memory()
    for turn in ("first", "second"):
        started = time.perf_counter()
        with shop.work() as session:
            look_through(session, "customers")
        seconds, most = time.perf_counter() - started, memory()
        fits = seconds <= LIMIT_SECONDS and most <= LIMIT_MB
        print(
            f"look through {count:,} persons, {turn} time: {seconds:.1f} s, {most} MB "
            f"({before} MB before; limits {LIMIT_SECONDS} s, {LIMIT_MB} MB): {'fits' if fits else 'TOO MUCH'}"
        )
    with shop.work() as session:
        found = session.execute(select(func.count()).select_from(LikelyDouble)).scalar_one()
        right = session.execute(
            select(func.count()).select_from(LikelyDouble).where(LikelyDouble.high_id.in_(same[:30_000]))
        ).scalar_one()
    print(f"{found:,} likely pairs; {right:,} of them name a record that is a double")


def fill(url: str, tenant: str, count: int) -> list[Any]:
    """Write persons and return the ids of those that are the double of one before."""
    made, same = people(count)
    ids = [new_id() for _ in made]
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY customers ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows(tenant, ids, made):
                copy.write_row(row)
        connection.execute("ANALYZE")
    return sorted({ids[high] for _low, high in same})


def rows(tenant: str, ids: list[Any], made: list[Candidate]) -> Iterator[tuple[Any, ...]]:
    """Yield persons as the table holds them."""
    for number, one in enumerate(made):
        phones = json.dumps([{"number": phone} for phone in one.phones])
        emails = json.dumps([{"address": address} for address in one.emails])
        place = json.dumps([{"street": one.street, "postcode": one.postcode, "city": one.city}])
        named = (one.name, fold(one.name), "existing", "GBP", one.born)
        yield tenant, ids[number], "person", 1_000_000 + number, *named, emails, phones, place


if __name__ == "__main__":
    main()
