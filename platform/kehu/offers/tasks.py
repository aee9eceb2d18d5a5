"""The nightly sweep: a job for each rule, each step in a transaction of its own."""

from __future__ import annotations

import uuid

from kehu.core import db, jobs, schedule
from kehu.core.context import tenant
from kehu.offers import sweeping
from kehu.offers.services import SWEEP_RULE, ask_for_sweep
from kehu.offers.sweeping import BATCH

MOST_BATCHES = 1000


@schedule.every_tenant("offers.sweep", at="03:10", rests=True)
def sweep(_tenant_id: uuid.UUID) -> None:
    """Enqueue the sweep of each rule that is in use."""
    session = db.session()
    for rule_id in sweeping.rules_in_use(session):
        ask_for_sweep(session, tenant().id, rule_id)


@jobs.tenant_task(SWEEP_RULE, one_transaction=False)
def sweep_rule(_tenant_id: uuid.UUID, rule_id: str) -> None:
    """Sweep one rule."""
    sweep_now(uuid.UUID(rule_id))


def sweep_now(rule_id: uuid.UUID) -> None:
    """Find, close and contact for one rule, a batch in each transaction."""
    for step in ("close", "find", "contact"):
        for _batch in range(MOST_BATCHES):
            with db.unit_of_work() as session:
                found = sweeping.sweep_of(session, rule_id)
                if found is None:
                    return
                if getattr(found, step)() < BATCH:
                    break
