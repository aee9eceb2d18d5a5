"""Running the jobs of a firm that wait, for tests that go through pages."""

from __future__ import annotations

from sqlalchemy import text

from kehu.core import jobs
from kehu.testkit.fixtures import Shop

_NEXT = text(
    "DELETE FROM procrastinate_jobs WHERE id = (SELECT min(id) FROM procrastinate_jobs WHERE status = 'todo' "
    "AND args->>'tenant_id' = :tenant AND coalesce(scheduled_at, now()) <= now()) RETURNING task_name, args"
)


def work_off(shop: Shop) -> int:
    """Run what waits for a firm, and what that enqueues, until nothing is left; return how many jobs that were.

    They run here, so one that fails fails the test.
    """
    count = 0
    while True:
        with shop.work() as session:
            job = session.execute(_NEXT, {"tenant": str(shop.tenant.id)}).one_or_none()
        if job is None:
            return count
        jobs.app.tasks[job.task_name].func(**job.args)
        count += 1
