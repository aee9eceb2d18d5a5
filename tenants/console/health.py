"""The parts of the page of health that are nobody's in particular: what waits, failed jobs, mails, looks over firms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from kehu.accounts.models import CrossTenantUse
from kehu.core import clock, context, db
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _, _l
from kehu.core.mail import configured
from tenants.console import tasks
from tenants.console.registry import Health, add

SHOWN = 50

_FAILED = text(
    "SELECT j.id, j.task_name, j.attempts, j.args ->> 'tenant_id' AS tenant_id, "
    "(SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) AS at "
    "FROM procrastinate_jobs j WHERE j.status = 'failed' ORDER BY j.id DESC LIMIT :limit"
)
_WAITING = text(
    "SELECT queue_name, count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()) AS due, "
    "count(*) FILTER (WHERE status = 'doing') AS doing, count(*) FILTER (WHERE status = 'failed') AS failed, "
    "min(coalesce(scheduled_at, now())) FILTER (WHERE status = 'todo') AS oldest "
    "FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY queue_name ORDER BY queue_name"
)
_AGAIN = text(
    "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL "
    "WHERE id = :id AND status = 'failed' RETURNING task_name"
)
_MAILS = text(
    "SELECT args ->> 'template' AS template, args ->> 'tenant_id' AS tenant_id, count(*) AS count, max(id) AS last "
    "FROM procrastinate_jobs WHERE status = 'failed' AND task_name = 'kehu.mail.deliver' "
    "GROUP BY 1, 2 ORDER BY last DESC LIMIT :limit"
)


def todo() -> Mapping[str, Any]:
    """Return what waits for an operator."""
    with db.unit_of_work(tenant=None) as session:
        return {"tasks": tasks.waiting(session)}


def machines() -> Mapping[str, Any]:
    """Return by how many seconds the clock of this web server is ahead of the database's."""
    with db.unit_of_work(tenant=None) as session:
        before = clock.now()
        theirs = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        ours = before + (clock.now() - before) / 2
    return {"ahead": round((ours - theirs).total_seconds(), 1) + 0.0}


def jobs() -> Mapping[str, Any]:
    """Return how the queues stand, and the jobs that gave up."""
    with db.unit_of_work(tenant=None) as session:
        return {
            "queues": session.execute(_WAITING).all(),
            "failed": session.execute(_FAILED, {"limit": SHOWN}).all(),
        }


def run_again(job_id: int) -> str:
    """Put a job that gave up into the queue again and return its name.

    :raises NotFound: when it is not in the list any more.
    :raises Conflict: when the same work waits in the queue already.
    """
    try:
        with db.unit_of_work(tenant=None) as session:
            name = session.execute(_AGAIN, {"id": job_id}).scalar() if job_id < 2**63 else None
    except IntegrityError as error:  # The lock of the queue: one of a kind waits at a time.
        raise Conflict(_("The same work waits in the queue already; nothing is to be done.")) from error
    if name is None:
        raise NotFound(_("This job is not in the list of failed jobs any more."))
    return str(name)


def mails() -> Mapping[str, Any]:
    """Return which mails could not be delivered."""
    with db.unit_of_work(tenant=None) as session:
        return {"configured": configured(), "failed": session.execute(_MAILS, {"limit": SHOWN}).all()}


def looks() -> Mapping[str, Any]:
    """Return the latest looks of people over firms; what the product does by itself is left out."""
    with db.unit_of_work(tenant=None) as session:
        statement = (
            select(CrossTenantUse)
            .where(CrossTenantUse.actor.not_in((context.SYSTEM.name, "system")))
            .order_by(CrossTenantUse.id.desc())
            .limit(SHOWN)
        )
        return {"uses": session.execute(statement).scalars().all()}


def join() -> None:
    """Put these parts into the console."""
    for order, (key, title, load) in enumerate(
        (
            ("todo", _l("What waits for you"), todo),
            ("machines", _l("Clocks"), machines),
            ("jobs", _l("Jobs"), jobs),
            ("mails", _l("Mails that were not delivered"), mails),
            ("looks", _l("Looks over firms"), looks),
        )
    ):
        add(Health(key=key, title=title, template=f"console/_{key}.html", load=load, order=order * 20))
