"""What a plugin's hook gets as `ctx`, and events on their way to plugins."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons import settings
from kehu.addons.rows import runs
from kehu.core import clock, context, db, events, hooks, jobs
from kehu.core.audit import AuditEntry
from kehu.core.records.types import registered

PAYLOAD = ("object", "record_id", "changes", "version", "at")
"""The keys of an event's data."""

SLICE = 2_000
"""Entries of a batch that one job delivers."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """The first argument of every hook that works for one tenant."""

    tenant: context.TenantInfo
    actor: context.Actor | None
    session: Session
    plugin: str = ""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The plugin's settings in this tenant, with the defaults for what nobody set."""
        return settings.values(self.session, self.plugin)

    @property
    def now(self) -> dt.datetime:
        """The present moment, in UTC."""
        return clock.now()

    @property
    def today(self) -> dt.date:
        """The present day in the tenant's zone."""
        return clock.today(self.tenant.tz)

    @property
    def log(self) -> Any:
        """A logger that names the plugin."""
        return structlog.get_logger(f"plugin.{self.plugin}")


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change that has been committed: its name (`deal.won`) and its data.

    The data holds `object` (plural name of the record type), `record_id`, `changes` (field -> before and
    after, as JSON), `version` and `at`.
    """

    name: str
    payload: Mapping[str, Any]


def call(plugin: str = "") -> Call:
    """Return the call context of the running unit of work.

    :param plugin: whose hook or function gets it, where that is one alone.
    """
    return Call(tenant=context.tenant(), actor=context.current().actor, session=db.session(), plugin=plugin)


def connect_events() -> None:
    """Let the core ask who listens, and enqueue one delivery per batch and listening plugin."""
    events.connect("plugins", _wanted, _deliver)


def _listeners(enabled: frozenset[str]) -> tuple[str, ...]:
    return hooks.host().relay.implementers("kehu_after_change", enabled) if enabled else ()


def _wanted(tenant: context.TenantInfo, _name: str) -> bool:
    return bool(tenant.plugins and _listeners(hooks.host().live(tenant.plugins)))


def _deliver(session: Session, tenant_id: str, batch_id: str) -> None:
    # Enqueued when the transaction is about to commit: by then the entries of the batch are known.
    for slug in _listeners(hooks.enabled()):
        jobs.enqueue(session, "addons.deliver", slug=slug, batch_id=batch_id)


@jobs.tenant_task("addons.deliver", queue="events")
def deliver(_tenant_id: uuid.UUID, slug: str, batch_id: str, after: str = "") -> None:
    """Tell one plugin what a batch changed; a failure makes the job try again.

    :param after: the last entry that was told; a large batch goes out in slices, a job for each.
    """
    if slug not in hooks.enabled() or not runs(db.session(), slug):
        return
    statement = select(AuditEntry).where(AuditEntry.batch_id == uuid.UUID(batch_id))
    if after:
        statement = statement.where(AuditEntry.id > uuid.UUID(after))
    entries = db.session().execute(statement.order_by(AuditEntry.id).limit(SLICE)).scalars().all()
    if len(entries) == SLICE:
        jobs.enqueue(db.session(), "addons.deliver", slug=slug, batch_id=batch_id, after=str(entries[-1].id))
    types = registered()
    for entry in entries:
        singular = types[entry.object].singular if entry.object in types else entry.object
        event = Event(
            name=f"{singular}.{entry.action}",
            payload={
                "object": entry.object,
                "record_id": str(entry.record_id),
                "changes": entry.changes,
                "version": entry.version,
                "at": entry.at.isoformat(),
            },
        )
        hooks.host().relay.run_one(
            "kehu_after_change", slug, tenant=entry.tenant_id, ctx=call(slug), event=event
        )
