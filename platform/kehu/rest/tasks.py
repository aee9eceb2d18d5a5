"""Forget the answers that were kept for repeated requests."""

from __future__ import annotations

from sqlalchemy import delete

from kehu.core import clock, db, jobs
from kehu.rest.idempotency import KEPT_FOR
from kehu.rest.models import IdempotencyKey


@jobs.platform_task("rest.forget_answers", cron="17 3 * * *")
def forget_answers() -> None:
    """Remove the answers that are older than a day."""
    with db.cross_tenant("forget kept answers of the API") as session:
        session.execute(
            delete(IdempotencyKey)
            .where(IdempotencyKey.at < clock.now() - KEPT_FOR)
            .execution_options(synchronize_session=False)
        )
