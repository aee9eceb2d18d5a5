"""Bringing one tenant's data of a plugin to the version of its code, by a job, while its pages say so."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from kehu.addons import starters
from kehu.addons.calls import call
from kehu.addons.models import TenantPlugin
from kehu.addons.rows import locked, store
from kehu.addons.states import TenantState
from kehu.addons.switching import move, note
from kehu.core import db, hooks, jobs
from plugins.records import PluginRecord, State
from plugins.relay import PluginError

log = structlog.get_logger(__name__)

WAITING = (TenantState.UPGRADE_PENDING.value, TenantState.UPGRADE_ERROR.value)


def code_version(record: PluginRecord) -> int:
    """Return the version of the data that a plugin's code works with."""
    return record.manifest.data_version if record.manifest else 1


def hold(slug: str) -> bool:
    """Hold a plugin in the present tenant when its data is older than its code, and ask for the conversion."""
    record = hooks.host().installed.get(slug)
    with db.unit_of_work() as session:
        found = locked(session)
        row = found.get(slug)
        if record is None or row is None or row.state not in (TenantState.ENABLED, *WAITING):
            return False
        if row.state == TenantState.ENABLED:
            if row.data_version >= code_version(record):
                return False
            move(row, TenantState.UPGRADE_PENDING)
            store(session, found)
        jobs.enqueue(session, "addons.upgrade", slug=slug, queueing_lock=f"upgrade {slug} {db.tenant_id()}")
    return True


def run(slug: str, again: bool = False) -> None:
    """Convert the present tenant's data; the plugin is on afterwards.

    :param again: the plugin was off in the meantime and is told that it is on again.
    :raises PluginError: from the plugin's own failure, after the state says so; the job tries again.
    """
    record = hooks.host().installed.get(slug)
    if record is None or record.state is not State.READY:
        log.warning("upgrade_without_plugin", plugin=slug)
        return
    try:
        with db.unit_of_work() as session:
            # Held against a purge, not against other admins, for as long as the conversion takes.
            here = select(TenantPlugin).where(TenantPlugin.slug == slug)
            row = session.execute(here.with_for_update(read=True, key_share=True)).scalar_one_or_none()
            if row is None or row.state not in WAITING:
                return
            _convert(record, row, again)
            found = locked(session)
            row = found[slug]
            if row.state not in WAITING:
                session.rollback()
                return
            row.data_version = code_version(record)
            move(row, TenantState.ENABLED)
            store(session, found)
            note(session, slug, record.name, "upgraded")
    except PluginError as error:
        with db.unit_of_work() as session:
            found = locked(session)
            if slug in found and found[slug].state in WAITING:
                move(found[slug], TenantState.UPGRADE_ERROR, str(error))
                store(session, found)
        raise


def _convert(record: PluginRecord, row: TenantPlugin, again: bool) -> None:
    relay, tenant = hooks.host().relay, db.tenant_id()
    if row.data_version < code_version(record):
        relay.run_one(
            "kehu_tenant_upgrade",
            record.slug,
            tenant=tenant,
            ctx=call(record.slug),
            from_version=row.data_version,
            to_version=code_version(record),
        )
    starters.make(db.session(), record.slug, record.name)
    if again:
        relay.run_one(
            "kehu_tenant_enabled", record.slug, tenant=tenant, ctx=call(record.slug), first_time=False
        )
