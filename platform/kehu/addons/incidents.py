"""Keeps the faults of plugins, in a transaction of their own, one line for the same mistake.

What keeps failing after its rests, in one process or in several together, is held for the tenant: quarantined.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert

from kehu.addons.models import PluginIncident, PluginInstall
from kehu.addons.rows import locked, store
from kehu.addons.states import QUARANTINE, TenantState
from kehu.addons.switching import move, note
from kehu.core import clock, context, db
from kehu.core.ids import new_id
from plugins.breaker import Trip
from plugins.results import Fault

TRIPS = 4
"""Breakers that open within an hour, of all processes together, before a plugin is quarantined."""

_HOUR = dt.timedelta(hours=1)

HELD_FOR_ALL = dt.timedelta(minutes=5)
"""How long a plugin that fails for several tenants is not switched on for others."""


def record(fault: Fault) -> None:
    """Count a fault for its tenant, and hold the plugin there when it does not recover.

    One outside of a tenant stands in the log only.
    """
    tenant = context.current().tenant
    if fault.tenant_id is None or tenant is None:
        return
    table = PluginIncident.__table__
    now, message = clock.now(), f"{type(fault.error).__name__}: {fault.error}"[:500] + f" ({fault.location})"
    tripped = fault.trip is not None
    statement = insert(PluginIncident).values(
        tenant_id=uuid.UUID(fault.tenant_id),
        id=new_id(),
        slug=fault.plugin,
        hook=fault.hook,
        fingerprint=fault.fingerprint,
        message=message,
        count=1,
        first_at=now,
        last_at=now,
        trips=int(tripped),
        tripped_at=now if tripped else None,
    )
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.tenant_id, table.c.slug, table.c.fingerprint],
        set_={
            "count": table.c.count + 1,
            "last_at": statement.excluded.last_at,
            "message": statement.excluded.message,
            **(_counted(table, now) if tripped else {}),
        },
    )
    with db.unit_of_work() as session:
        trips = session.execute(statement.returning(table.c.trips)).scalar_one()
    if fault.trip == Trip.EVERYWHERE:
        _hold_for_all(fault.plugin, message)
    if tripped and (fault.trip == Trip.QUARANTINED or trips >= TRIPS):
        quarantine(fault.plugin, message)


def _counted(table: Any, now: dt.datetime) -> dict[str, Any]:
    """Count one more opening of a breaker; those of more than an hour ago are forgotten."""
    fresh = case((table.c.tripped_at > now - _HOUR, table.c.trips + 1), else_=1)
    return {"trips": fresh, "tripped_at": now}


def quarantine(slug: str, reason: str) -> bool:
    """Let a plugin rest in the present tenant for an hour; return False when it is not on."""
    with db.unit_of_work(actor=context.SYSTEM) as session:
        found = locked(session)
        row = found.get(slug)
        if row is None or row.state != TenantState.ENABLED:
            return False
        move(row, TenantState.QUARANTINED, reason, until=clock.now() + QUARANTINE)
        store(session, found)
        note(session, slug, row.name or slug, "quarantined")
    return True


def _hold_for_all(slug: str, reason: str) -> None:
    """Keep that a plugin fails for several tenants: it is not switched on for more of them meanwhile."""
    held = {"held_reason": reason[:500], "held_until": clock.now() + HELD_FOR_ALL, "changed_at": clock.now()}
    statement = insert(PluginInstall).values(slug=slug, **held)
    with db.unit_of_work() as session:
        session.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=held))
