"""One plugin goes on or off in the present tenant: its rows, rights and hooks, in the running transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons import prices, records, starters
from kehu.addons.calls import call
from kehu.addons.models import TenantPlugin
from kehu.addons.rows import store
from kehu.addons.states import TenantState
from kehu.core import audit, clock, context, hooks, jobs
from kehu.members.models import Role
from plugins.records import PluginRecord
from plugins.relay import PluginError
from plugins.results import Veto

Rows = dict[str, TenantPlugin]


class SwitchFailed(Exception):
    """Raised when a plugin refuses or fails while it is switched on; `reason` is for the admin."""

    def __init__(self, record: PluginRecord, reason: str) -> None:
        super().__init__(reason)
        self.record, self.reason = record, reason


def switch_on(session: Session, rows: Rows, record: PluginRecord) -> None:
    """Let a plugin prepare the tenant, and let its pages, hooks and jobs live.

    :raises SwitchFailed: when it refuses or fails; the caller rolls back.
    """
    row = rows.get(record.slug)
    first_time = row is None or row.state == TenantState.AVAILABLE
    if row is None:
        row = rows[record.slug] = TenantPlugin(slug=record.slug, settings={})
        session.add(row)
    if first_time and record.manifest:
        row.data_version = record.manifest.data_version
    move(row, TenantState.ENABLING)
    row.name = record.name
    session.flush()  # The plugin's own hook may read its row.
    _ask(record, "kehu_tenant_enabling")
    if record.manifest and row.data_version < record.manifest.data_version:
        # Its data slept while the code went on: a job converts it, then it is on.
        move(row, TenantState.UPGRADE_PENDING)
        store(session, rows)
        jobs.enqueue(session, "addons.upgrade", slug=record.slug, again=True)
    else:
        move(row, TenantState.ENABLED)
        store(session, rows)
        if first_time:
            grant(session, record.slug)
        starters.make(session, record.slug, record.name)
        _ask(record, "kehu_tenant_enabled", first_time=first_time)
    prices.begin(session, record)
    note(session, record.slug, record.name, "enabled", before=False, after=True)


def switch_off(session: Session, rows: Rows, slug: str, state: TenantState, reason: str = "") -> None:
    """Hide everything of a plugin; its data stays. What it could not let go of is kept as the reason."""
    record, row = hooks.host().installed.get(slug), rows[slug]
    ran = row.state == TenantState.ENABLED and slug in hooks.enabled()
    if ran and record is not None:
        try:
            _ask(record, "kehu_tenant_disabled")
        except SwitchFailed as failure:
            reason = reason or failure.reason
    move(row, state, reason)
    store(session, rows)
    prices.end(session, slug)
    note(session, slug, row.name or slug, state.value, before=True, after=False)


def move(row: TenantPlugin, state: TenantState, reason: str = "", until: Any = None) -> None:
    """Put a row into another state."""
    row.state, row.reason, row.until, row.changed_at = state.value, reason[:500] or None, until, clock.now()


def note(session: Session, slug: str, name: str, action: str, **change: Any) -> audit.AuditEntry:
    """Write what happened to a plugin into the trail."""
    changes = {slug: [change.get("before"), change.get("after")]} if change else {}
    return audit.write(
        session,
        object="plugins",
        record_id=context.tenant().id,
        action=action,
        title=name,
        changes=changes,
    )


def grant(session: Session, slug: str) -> None:
    """Let the built-in roles use the plugin as its permissions say (`Permission.roles`). Admins may change that.

    Rights over its records are those that the roles have over the platform's.
    """
    declared = [permission for owner, permission in hooks.host().declarations.permissions if owner == slug]
    for role in session.execute(select(Role).where(Role.builtin)).scalars():
        given = [one.code for one in declared if role.code in one.roles]
        mine: dict[str, str] = {}
        for owner, record_type in hooks.host().declarations.records:
            if owner == slug:
                mine.update(records.default_rights(role.code, record_type.name))
        role.permissions = {**dict.fromkeys(given, "all"), **mine, **role.permissions}


def _ask(record: PluginRecord, hook: str, **arguments: Any) -> None:
    tenant = context.tenant().id
    try:
        hooks.host().relay.run_one(hook, record.slug, tenant=tenant, ctx=call(record.slug), **arguments)
    except Veto as veto:
        raise SwitchFailed(record, str(veto)) from veto
    except PluginError as error:
        raise SwitchFailed(record, str(error)) from error
