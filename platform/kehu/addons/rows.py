"""The rows that hold where each plugin stands in the present tenant, changed by one at a time."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kehu.addons.models import TenantPlugin
from kehu.addons.states import HELD, TenantState
from kehu.core import context, hooks

_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


def rows(session: Session) -> dict[str, TenantPlugin]:
    """Return the rows of the present tenant by slug."""
    found = session.execute(select(TenantPlugin).limit(1_000)).scalars()
    return {row.slug: row for row in found}


def locked(session: Session) -> dict[str, TenantPlugin]:
    """Return the rows as they are now; nobody else switches plugins of this tenant until the transaction ends."""
    # The tenant's own row can't be the lock: a sweep over all tenants writes it too, in one statement.
    key = int.from_bytes(context.tenant().id.bytes[-8:], "big", signed=True)
    session.execute(_LOCK, {"key": key})
    statement = select(TenantPlugin).limit(1_000).execution_options(populate_existing=True)
    return {row.slug: row for row in session.execute(statement).scalars()}


def runs(session: Session, slug: str) -> bool:
    """Tell whether a plugin is on, and keep a purge out until the transaction ends: nothing is written behind it."""
    here = select(TenantPlugin.state).where(TenantPlugin.slug == slug)
    state = session.execute(here.with_for_update(read=True, key_share=True)).scalar_one_or_none()
    return state == TenantState.ENABLED


def store(session: Session, found: Mapping[str, TenantPlugin]) -> None:
    """Write what is on and what is held to the tenant's row, where the next request of each process finds it."""
    session.flush()  # The plugin's own hook may read its row.
    on = [row.slug for row in found.values() if row.state == TenantState.ENABLED]
    held = [row.slug for row in found.values() if row.state in HELD]
    hooks.first("kehu_store_plugins", tenant_id=context.tenant().id, slugs=sorted(on), held=sorted(held))
