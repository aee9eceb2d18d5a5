"""`kehu plugin cycle`: a plugin is switched on, off, purged and on again, for a firm and a database made for it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kehu.app import create_app
from kehu.config import Settings
from kehu.core import db, hooks
from kehu.testkit.contract_parts import row_counts
from kehu.testkit.database import borrowed_database
from kehu.testkit.fixtures import Shop, make_shop
from kehu.testkit.switch import disable, enable, purge, run_job_now
from plugins.records import State


class CycleError(Exception):
    """Raised when a step of the cycle goes wrong; the message says which and why."""


def cycle(slug: str) -> Iterator[str]:
    """Take a plugin through its life for one firm and say each step.

    :raises CycleError: when it does not load, or a step loses or leaves rows.
    """
    with borrowed_database() as urls, tempfile.TemporaryDirectory() as var:
        settings = Settings(
            environment="test",
            secret_key="cycle" * 8,
            database_url=urls.owner,
            app_database_url=urls.app,
            cross_database_url=urls.cross,
            https=False,
            var=Path(var),
            log_level="WARNING",
        )
        try:
            shop = make_shop(create_app(settings))
            record = hooks.host().installed.get(slug)
            if record is None or record.state is not State.READY:
                why = f"{record.reason} {record.remedy}" if record else "It is not installed."
                raise CycleError(f"{slug} does not load. {why}")
            yield from _steps(shop, slug)
        finally:
            db.dispose_engines()


def _steps(shop: Shop, slug: str) -> Iterator[str]:
    enable(shop, slug)
    for owner, job in hooks.host().declarations.jobs:
        if owner == slug and (job.at or job.every_minutes):
            run_job_now(shop, f"{slug}.{job.name}")
    there = row_counts(shop, slug)
    yield f"enabled: {sum(there.values())} rows in {len(there)} tables"
    disable(shop, slug)
    if row_counts(shop, slug) != there:
        raise CycleError("Switching off changed rows. kehu_tenant_disabled must leave them.")
    yield "disabled: every row is still there"
    report = purge(shop, slug)
    left = {name: rows for name, rows in row_counts(shop, slug).items() if rows}
    if left or report.fault:
        raise CycleError(f"The purge left {left}. {report.fault}".strip())
    yield f"purged: {report.total} things removed, nothing is left"
    enable(shop, slug)
    again = row_counts(shop, slug)
    if set(again) != set(there):
        raise CycleError("Switching on after the purge does not find the tables it left.")
    yield f"enabled again: {sum(again.values())} rows"


if __name__ == "__main__":
    try:
        for said in cycle(sys.argv[1]):
            sys.stdout.write(f"{said}\n")
    except CycleError as error:
        sys.exit(str(error))
