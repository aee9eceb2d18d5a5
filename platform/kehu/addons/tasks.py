"""Jobs of the add-ons: events on their way to plugins, work that plugins declare, and what their states need."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from kehu.addons import purge, sweep, upgrades
from kehu.addons.calls import call, deliver
from kehu.addons.rows import runs
from kehu.addons.states import TenantState
from kehu.core import context, db, hooks, jobs, schedule
from kehu.core.errors import NotFound
from kehu.core.schedule import Schedule
from plugins.results import JobDef

__all__ = [
    "deliver",
    "follow",
    "follow_plan",
    "purge_plugin",
    "run_job",
    "run_later",
    "run_now",
    "schedule_all",
    "sweep_all",
    "upgrade_plugin",
]


def job_of(slug: str, name: str) -> JobDef | None:
    """Return a job that a plugin declares, or None."""
    return next(
        (one for owner, one in hooks.host().declarations.jobs if owner == slug and one.name == name), None
    )


def schedule_all() -> None:
    """Let the clock ask for the jobs that plugins declare with a time; called once at start."""
    for slug, job in hooks.host().declarations.jobs:
        if job.at or job.every_minutes:
            schedule.register(
                Schedule(
                    name=f"x.{slug}.{job.name}",
                    task="addons.run_job",
                    at=schedule.times(job.at),
                    every=dt.timedelta(minutes=job.every_minutes) if job.every_minutes else None,
                    plugin=slug,
                    rests=True,
                    arguments={"slug": slug, "name": job.name},
                )
            )


@jobs.tenant_task("addons.run_job", queue="plugins")
def run_job(tenant_id: uuid.UUID, slug: str, name: str, **arguments: Any) -> str | None:
    """Run a plugin's job for a tenant that has it on; for any other tenant the job is dropped."""
    job = job_of(slug, name)
    if slug not in hooks.enabled() or job is None or not runs(db.session(), slug):
        return None
    said: str | None = hooks.host().relay.run_declared(
        f"job {name}", slug, job.run, call(slug), tenant=tenant_id, **arguments
    )
    return said


def run_now(slug: str, name: str, **arguments: Any) -> str:
    """Run a plugin's job for the present tenant in the running transaction, and return what it says.

    :raises NotFound: when the tenant has the plugin not on, or it declares no such job.
    :raises PluginError: from the plugin's own exception.
    """
    job = job_of(slug, name)
    if job is None or slug not in hooks.enabled() or not runs(db.session(), slug):
        known = ", ".join(f"{owner}.{one.name}" for owner, one in hooks.host().declarations.jobs)
        raise NotFound(f"The plugin of {slug}.{name} is not on here, or has no such job. There are: {known}.")
    said = hooks.host().relay.run_declared(
        f"job {name}", slug, job.run, call(slug), tenant=db.tenant_id(), **arguments
    )
    return said or f"{slug}.{name} is done."


def run_later(
    session: Session, job: str, *, wait: dt.timedelta | None = None, once: str = "", **arguments: Any
) -> None:
    """Ask for one of the plugin's own jobs, in the running transaction: it runs if the change is committed.

    :param job: the plugin's slug and the job's name, as `dentist.recall`.
    :param wait: run it so much later.
    :param once: a second waiting job with the same word is left out.
    :param arguments: handed to the job; what JSON can hold, and ids.
    :raises LookupError: when no plugin declares the job.
    """
    slug, _dot, name = job.partition(".")
    if job_of(slug, name) is None:
        raise LookupError(f"No plugin declares the job {job!r}. Return it from kehu_register_jobs.")
    tenant = db.tenant_id()
    lock = f"x.{job} {tenant} {once}" if once else None
    jobs.enqueue(session, run_job, slug=slug, name=name, wait=wait, queueing_lock=lock, **arguments)


@jobs.tenant_task("addons.upgrade", queue="plugins", one_transaction=False)
def upgrade_plugin(_tenant_id: uuid.UUID, slug: str, again: bool = False) -> None:
    """Bring a tenant's data of a plugin to the version of its code."""
    upgrades.run(slug, again)


@jobs.tenant_task("addons.purge", queue="plugins", one_transaction=False)
def purge_plugin(_tenant_id: uuid.UUID, slug: str) -> None:
    """Remove what a plugin keeps of a tenant, if the notice ran out and nobody called it back."""
    if purge.is_due(slug):
        purge.purge(slug, frozenset({TenantState.PURGE_SCHEDULED}))


FOLLOW = "addons.follow_plan"


def follow(session: Session) -> None:
    """Ask for the plugins of the present tenant to follow its plan, once the transaction is committed."""
    if sweep.priced():
        jobs.enqueue(session, FOLLOW, queueing_lock=f"{FOLLOW} {db.tenant_id()}")


@jobs.tenant_task(FOLLOW, queue="plugins", one_transaction=False)
def follow_plan(_tenant_id: uuid.UUID) -> None:
    """Pause plugins that the tenant may not have any more, and bring back those that it may have again."""
    with context.use(actor=context.SYSTEM):
        sweep.follow_all()


@jobs.platform_task("addons.sweep", cron="*/10 * * * *")
def sweep_all() -> None:
    """Look after plugins in all tenants: rests that end, purges that are due, plans, older data."""
    sweep.sweep()
