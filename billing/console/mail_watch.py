"""Telling operators when a firm's owners can't be reached about billing, while there is still time to phone."""

from __future__ import annotations

import uuid

from sqlalchemy import text

from billing import modes
from billing.notices import MAIL
from kehu.core import db, hooks, jobs
from plugins.results import BillingMode
from tenants.console.tasks import raise_task

_GAVE_UP = text(
    "SELECT id, args ->> 'tenant_id' AS tenant_id, args #>> '{values,kind}' AS kind, "
    "coalesce(args #>> '{values,date}', '') AS date FROM procrastinate_jobs "
    "WHERE status = 'failed' AND task_name = 'kehu.mail.deliver' AND args ->> 'template' = :template "
    "AND args ->> 'tenant_id' IS NOT NULL ORDER BY id DESC LIMIT 200"
)


@jobs.platform_task("billing.console.mail_watch", cron="5 * * * *")
def watch() -> int:
    """Raise a task for each firm whose mails about billing come back, once for each mail; return how many are new.

    The same mail about another day, as in a later year, is another one.
    """
    if modes.mode() is BillingMode.OFF:
        return 0
    with db.unit_of_work(tenant=None) as session:
        rows = session.execute(_GAVE_UP, {"template": MAIL}).all()
        new = 0
        for row in rows:
            tenant = hooks.tenant_by_id(uuid.UUID(row.tenant_id))
            if tenant is None:
                continue
            what = (
                f"A mail about billing ({row.kind}) could not be delivered to {tenant.name} ({tenant.address}). "
                "Reach the owner another way before the firm can only be read."
            )
            about = f"{tenant.id}:{row.kind}:{row.date}"
            new += raise_task(session, "mail", about, what, tenant.id)
    return new
