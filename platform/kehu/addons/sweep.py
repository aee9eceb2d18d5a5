"""What time brings about: ends of quarantines and of the notice before a purge, lapsed plans, data of older code.

One look over all tenants finds who is due; each is then served in units of work of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from kehu.addons import upgrades
from kehu.addons.cards import entitled, why_not
from kehu.addons.models import TenantPlugin
from kehu.addons.plan import plan_off
from kehu.addons.rows import locked, store
from kehu.addons.states import HELD, TenantState
from kehu.addons.switching import Rows, SwitchFailed, move, note, switch_off, switch_on
from kehu.core import clock, context, db, hooks, jobs
from plugins.records import State

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 5_000
"""Rows that a sweep looks after at once; the rest are as due at the next one."""

LOST = dt.timedelta(minutes=30)
"""A conversion that has waited longer has lost its job, which is asked for again."""

Serve = Callable[[str], Any]


def sweep() -> int:
    """Serve all who are due and return how many that were."""
    row = TenantPlugin
    now = clock.now()
    return hold_outdated() + sum(
        _serve_all(condition, serve)
        for condition, serve in (
            (and_(row.state == TenantState.QUARANTINED, row.until <= now), end_quarantine),
            (and_(row.state == TenantState.PURGE_SCHEDULED, row.until <= now), ask_for_purge),
            (and_(row.state == TenantState.UPGRADE_PENDING, row.changed_at <= now - LOST), upgrades.hold),
            (_paid(), follow_plan),
        )
    )


def hold_outdated() -> int:
    """Hold plugins where the data is older than the code, after a deployment; return in how many tenants."""
    older = [
        and_(TenantPlugin.slug == record.slug, TenantPlugin.data_version < upgrades.code_version(record))
        for record in hooks.host().installed
        if record.state is State.READY and upgrades.code_version(record) > 1
    ]
    if not older:
        return 0
    return _serve_all(and_(TenantPlugin.state == TenantState.ENABLED, or_(*older)), upgrades.hold)


def priced() -> list[str]:
    """Return the plugins that a plan or a price holds."""
    return [
        record.slug
        for record in hooks.host().installed
        if record.manifest is not None and record.manifest.pricing.kind != "free"
    ]


def _paid() -> ColumnElement[bool] | None:
    """Return the rows of plugins that a plan or price holds, on or suspended."""
    slugs = priced()
    states = (TenantState.ENABLED, *HELD)
    if not slugs:
        return None
    waits = TenantPlugin.state == TenantState.SUSPENDED
    return or_(and_(TenantPlugin.slug.in_(slugs), TenantPlugin.state.in_(states)), waits)


def _serve_all(condition: ColumnElement[bool] | None, serve: Serve) -> int:
    count = 0
    for tenant, slug in _due(condition):
        with context.use(tenant=tenant, actor=context.SYSTEM, source="job"):
            try:
                serve(slug)
                count += 1
            except Exception:  # One tenant's trouble must not keep the others waiting.
                log.exception("plugin_sweep_failed", plugin=slug, tenant=str(tenant.id))
    return count


def _due(condition: ColumnElement[bool] | None) -> Iterator[tuple[context.TenantInfo, str]]:
    if condition is None:
        return
    with db.cross_tenant("look which tenants' plugins are due for something") as session:
        statement = select(TenantPlugin.tenant_id, TenantPlugin.slug).where(condition).limit(MOST_AT_ONCE)
        found: Iterable[Any] = session.execute(statement).all()
    for tenant_id, slug in found:
        with db.unit_of_work():
            tenant = hooks.tenant_by_id(tenant_id)
        if tenant is not None:
            yield tenant, slug


def end_quarantine(slug: str) -> None:
    """Try a plugin again in the present tenant, after its rest."""
    with db.unit_of_work() as session:
        found = locked(session)
        row = found.get(slug)
        if (
            row is not None
            and row.state == TenantState.QUARANTINED
            and row.until
            and row.until <= clock.now()
        ):
            move(row, TenantState.ENABLED)
            store(session, found)
            note(session, slug, row.name or slug, "resumed")


def ask_for_purge(slug: str) -> None:
    """Enqueue the purge that an admin scheduled; the job looks again whether it is still wanted."""
    with db.unit_of_work() as session:
        jobs.enqueue(session, "addons.purge", slug=slug, queueing_lock=f"purge {slug} {db.tenant_id()}")


def follow_all() -> None:
    """Let all plugins of the present tenant follow its plan; what builds on another comes back after it."""
    for slug in priced():
        follow_plan(slug)
    with db.unit_of_work() as session:
        statement = select(TenantPlugin.slug).where(TenantPlugin.state == TenantState.SUSPENDED)
        waiting = set(session.execute(statement).scalars())
    for record in hooks.host().installed:  # In the order in which they build on each other.
        if record.slug in waiting:
            follow_plan(record.slug)


def follow_plan(slug: str) -> None:
    """Suspend a plugin whose entitlement has lapsed, with what builds on it; bring it back with the entitlement."""
    with db.unit_of_work() as session:
        found = locked(session)
        row = found.get(slug)
        if row is None:
            return
        if row.state == TenantState.SUSPENDED:
            if entitled(slug):
                _bring_back(session, found, slug)
        elif not entitled(slug):
            on = {other for other, one in found.items() if one.state in HELD | {TenantState.ENABLED}}
            for step in plan_off(hooks.host().installed, slug, on).steps:
                reason = why_not(slug, row.name or slug)
                switch_off(session, found, step.slug, TenantState.SUSPENDED, reason)


def _bring_back(session: Session, found: Rows, slug: str) -> None:
    record = hooks.host().installed.get(slug)
    needs = record.manifest.requires if record is not None and record.manifest else ()
    on = {other for other, one in found.items() if one.state == TenantState.ENABLED}
    if record is None or record.state is not State.READY or not set(needs) <= on:
        return
    try:
        with session.begin_nested():
            switch_on(session, found, record)
    except SwitchFailed as failure:
        move(found[slug], TenantState.SUSPENDED, failure.reason)
