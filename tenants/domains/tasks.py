"""Checking domains: each when somebody asks, new ones every ten minutes for a week, served ones each day."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import current_app
from sqlalchemy import and_, or_, select

from kehu.core import clock, db, jobs
from tenants.domains.looking import look
from tenants.domains.models import Domain
from tenants.domains.services import CHECK, DomainService

SOON = dt.timedelta(minutes=10)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
TRIED_FOR = dt.timedelta(days=7)
"""A domain that was never right is checked by itself for so long; then only by the button."""
AT_ONCE = 1_000


@jobs.tenant_task(CHECK, one_transaction=False)
def check(tenant_id: uuid.UUID) -> str:
    """Ask the name servers about the firm's domain, with no transaction open, and keep what they say."""
    settings = current_app.extensions["kehu.settings"]
    with db.unit_of_work() as session:
        row = DomainService(session).find()
        if row is None:
            return "gone"
        host, token = row.host, row.token
    found = look(host, token, settings.base_domain, settings.dns_server)
    with db.unit_of_work() as session:
        return DomainService(session).settle(host, found)


@jobs.platform_task("tenants.domains_due", cron="*/10 * * * *")
def check_due() -> int:
    """Enqueue a check of each domain that is due, and return how many."""
    now = clock.now()

    def older(age: dt.timedelta) -> object:
        return or_(Domain.checked_at.is_(None), Domain.checked_at <= now - age)

    due = or_(
        and_(Domain.state == "waiting", Domain.made_at > now - TRIED_FOR, older(SOON)),  # type: ignore[arg-type]
        and_(Domain.state == "verified", older(DAY)),  # type: ignore[arg-type]
        and_(Domain.state == "failing", older(HOUR)),  # type: ignore[arg-type]
    )
    with db.unit_of_work(tenant=None) as session:
        statement = select(Domain.firm_id).where(due).order_by(Domain.checked_at).limit(AT_ONCE)
        firms = list(session.execute(statement).scalars())
        for firm_id in firms:
            jobs.enqueue(session, CHECK, queueing_lock=f"domain:{firm_id}", tenant_id=firm_id)
    return len(firms)
