"""Background work on accounts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, or_

from kehu.accounts.models import LoginSession
from kehu.core import clock, db, jobs

KEPT = dt.timedelta(days=60)
"""A cookie lives for 30 days, so an older session can't come back."""


@jobs.platform_task("accounts.forget_sessions", cron="17 3 * * *")
def forget_sessions() -> None:
    """Remove sessions that ended or were not used for two months."""
    before = clock.now() - KEPT
    with db.unit_of_work() as session:
        session.execute(
            delete(LoginSession).where(or_(LoginSession.seen_at < before, LoginSession.revoked_at < before))
        )
