"""`python -m bench.imports`: a file that changes 100,000 customers of one firm, and the way back from it."""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select

from bench.firm import app_over, fresh, memory
from bench.people import people
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.text import fold, normal_email
from kehu.customers.models import Customer
from kehu.imports import tasks
from kehu.imports.mapping import Plan
from kehu.imports.models import Import
from kehu.imports.services import ImportService
from kehu.imports.tasks import upload_root
from kehu.merging.rule import Candidate
from kehu.testkit.fixtures import Shop, make_shop

LIMIT_SECONDS, LIMIT_MB, LIMIT_UNDO = 90, 300, 60
FIRST = 1_000_000
COLUMNS = (
    "tenant_id id kind number name name_norm type_class currency industry emails email_norm phones phone_norm "
    "addresses"
).split()
TRADES = "Joinery Dentist Timber Bakery Garage Printing Farming Shipping".split()
HEADER = ["Number", "Name", "Industry", "Yearly turnover", "Employees", "Type", "Description"]


def main() -> None:
    """Fill one firm, change it by a file, take a second file back, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument(
        "--undo", type=int, default=5_000, help="rows of the second file, which is taken back"
    )
    chosen = parser.parse_args()
    with fresh() as (app, urls), app.app_context():
        shop = make_shop(app)
        folder = upload_root()
        folder.mkdir(parents=True, exist_ok=True)
        # In a process of its own, so that its memory is not taken for that of the import.
        filling = multiprocessing.get_context("spawn").Process(
            target=fill, args=(urls, shop.tenant, shop.owner, folder, chosen.rows, chosen.undo)
        )
        filling.start()
        filling.join()
        before = memory()
        _id, seconds = change(shop, folder / "first.csv")
        say(f"update {chosen.rows:,} customers by a file", seconds, LIMIT_SECONDS, before)
        import_id, _seconds = change(shop, folder / "wrong.csv")
        started = time.perf_counter()
        step(shop, import_id, lambda service, job: service.undo(job))
        run(shop, tasks.undo, import_id)
        say(f"take {chosen.undo:,} updates back", time.perf_counter() - started, LIMIT_UNDO, before)
        with shop.work() as session:
            statement = select(func.count()).where(Customer.industry == "Second trade")
            print(f"as the first file left them: {session.execute(statement).scalar_one():,}")


def say(what: str, seconds: float, limit: int, before: int) -> None:
    """Print a figure beside its limit."""
    most = memory()
    fits = seconds <= limit and most <= LIMIT_MB
    print(
        f"{what}: {seconds:.1f} s, {most} MB ({before} MB before; limits {limit} s, {LIMIT_MB} MB): "
        f"{'fits' if fits else 'TOO MUCH'}",
        flush=True,
    )


def run(shop: Shop, task: Any, import_id: uuid.UUID) -> None:
    """Run a job as the worker does."""
    task(tenant_id=str(shop.tenant.id), member_id=str(shop.owner.member_id), import_id=str(import_id))


def step(shop: Shop, import_id: uuid.UUID, act: Callable[[ImportService, Import], object]) -> None:
    """Do one thing with an import, as a page does."""
    with shop.work() as session:
        service = ImportService(session, upload_root())
        act(service, service.get(import_id, lock=True))


def change(shop: Shop, path: Path) -> tuple[uuid.UUID, float]:
    """Upload, check and run a file, and return the import and the seconds of the run."""
    with shop.work() as session, path.open("rb") as stream:
        service = ImportService(session, upload_root())
        import_id = service.take("customers", path.name, stream, 2**30).id
    step(shop, import_id, lambda service, job: None if job.format else service.look(job))
    step(shop, import_id, _plan)
    started = time.perf_counter()
    step(shop, import_id, lambda service, job: service.check(job))
    run(shop, tasks.check, import_id)
    checked = time.perf_counter() - started
    step(shop, import_id, lambda service, job: service.start(job))
    started = time.perf_counter()
    run(shop, tasks.run, import_id)
    seconds = time.perf_counter() - started
    with shop.work() as session:
        job = session.execute(select(Import).where(Import.id == import_id)).scalar_one()
        print(
            f"{path.name}: checked in {checked:.1f} s; {job.updated_count:,} changed, "
            f"{job.unchanged_count:,} as they were, {job.error_count:,} refused ({job.state})"
        )
    return import_id, seconds


def _plan(service: ImportService, job: Import) -> None:
    plan = Plan.from_json(job.mapping, job.options)
    plan.keys, plan.mode = ["number"], "update"
    service.plan(job, plan)


def fill(urls: Any, tenant: Any, owner: Any, folder: Path, count: int, undo: int) -> None:
    """Write customers with their search terms, and the two files."""
    shop = Shop(app=app_over(urls), tenant=tenant, owner=owner)
    made, _same = people(count)
    with psycopg.connect(urls.owner, autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY customers ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows(str(tenant.id), made):
                copy.write_row(row)
        connection.execute("ANALYZE")
    with shop.work() as session:
        service_for("customers", session).reindex(5_000)
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute("ANALYZE")
    _file(folder / "first.csv", made, "Second trade")
    _file(folder / "wrong.csv", made[:undo], "Wrong trade")


def _file(path: Path, made: list[Candidate], trade: str) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number, one in enumerate(made):
            rest = [
                f"{number % 9_000 + len(trade)}.50",
                number % 50,
                "Existing customer",
                f"From {path.name}",
            ]
            writer.writerow([FIRST + number, f"{one.name} {trade}", trade, *rest])


def rows(tenant: str, made: list[Candidate]) -> Iterator[tuple[Any, ...]]:
    """Yield customers as the table holds them."""
    for number, one in enumerate(made):
        mail, phone = (one.emails or [None])[0], (one.phones or [None])[0]
        yield (
            *(tenant, new_id(), "person", FIRST + number, one.name, fold(one.name), "existing", "GBP"),
            TRADES[number % len(TRADES)],
            json.dumps([{"address": mail, "label": "work"}] if mail else []),
            normal_email(mail) if mail else None,
            json.dumps([{"number": phone, "label": "work"}] if phone else []),
            phone,
            json.dumps([{"street": one.street, "postcode": one.postcode, "city": one.city}]),
        )


if __name__ == "__main__":
    main()
