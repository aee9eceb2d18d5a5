"""Switching a plugin for a tenant of a test, as its admin would, and running its jobs."""

from __future__ import annotations

from typing import Any

from kehu.addons import purge as purging
from kehu.addons.services import PluginService
from kehu.addons.states import TenantState
from kehu.addons.tasks import job_of, run_job
from kehu.addons.usage import counted_usage
from kehu.core import context, db, hooks
from kehu.testkit.fixtures import Shop
from plugins.records import State


def enable(shop: Shop, slug: str) -> None:
    """Switch a plugin on, with those that it needs.

    :raises LookupError: when it is not installed, or can't be used; says why.
    """
    record = hooks.host().installed.get(slug)
    if record is None:
        raise LookupError(f"{slug!r} is not installed. Is it the slug of plugin.toml?")
    if record.state is not State.READY:
        raise LookupError(f"{slug!r} can't be used: {record.reason}")
    with shop.work() as session:
        PluginService(session).enable(slug)
    _refresh(shop)


def disable(shop: Shop, slug: str) -> None:
    """Switch a plugin off, with those that need it."""
    with shop.work() as session:
        PluginService(session).disable(slug, dependants=True)
    _refresh(shop)


def purge(shop: Shop, slug: str) -> purging.Preview:
    """Remove at once what the platform would remove in 30 days; the plugin must be off."""
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=context.SYSTEM):
        report = purging.purge(slug, frozenset({TenantState.DISABLED, TenantState.PURGE_SCHEDULED}))
    _refresh(shop)
    return report


def run_job_now(shop: Shop, job: str, **arguments: Any) -> str | None:
    """Run a plugin's job for a firm, as the worker does, and return its sentence; nothing happens where it is off.

    :param job: slug and name, as `dentist.recall`.
    :raises LookupError: when no plugin declares it.
    """
    slug, _dot, name = job.partition(".")
    if job_of(slug, name) is None:
        known = ", ".join(f"{owner}.{one.name}" for owner, one in hooks.host().declarations.jobs)
        raise LookupError(f"No plugin declares the job {job!r}. There are: {known}.")
    said: str | None = run_job(tenant_id=str(shop.tenant.id), slug=slug, name=name, **arguments)
    return said


def usage_of(shop: Shop, meter: str) -> int:
    """Return how much of a plugin's meter was counted for a firm and stands on no bill yet.

    :param meter: slug and name, as `dentist.visits`.
    """
    with shop.work() as session:
        return counted_usage(session, meter)


def _refresh(shop: Shop) -> None:
    """Look anew at which plugins the tenant has, and what its owner may do."""
    from kehu.members.loading import actor_of_member

    with shop.app.app_context(), db.unit_of_work():
        found = hooks.tenant_by_id(shop.tenant.id)
        assert found is not None
        shop.tenant = found
    with shop.work() as session:
        member = shop.owner.member_id
        assert member is not None
        actor = actor_of_member(session, member)
    assert actor is not None
    shop.owner = shop.members["owner"] = actor
