"""Keeps the faults of plugins, in a transaction of their own, one line for the same mistake."""

from __future__ import annotations

import uuid

from sqlalchemy.dialects.postgresql import insert

from kehu.addons.models import PluginIncident
from kehu.core import clock, context, db
from kehu.core.ids import new_id
from plugins.results import Fault


def record(fault: Fault) -> None:
    """Count a fault for its tenant; one outside of a tenant stands in the log only."""
    tenant = context.current().tenant
    if fault.tenant_id is None or tenant is None:
        return
    table = PluginIncident.__table__
    now = clock.now()
    statement = insert(PluginIncident).values(
        tenant_id=uuid.UUID(fault.tenant_id),
        id=new_id(),
        slug=fault.plugin,
        hook=fault.hook,
        fingerprint=fault.fingerprint,
        message=f"{type(fault.error).__name__}: {fault.error}"[:500] + f" ({fault.location})",
        count=1,
        first_at=now,
        last_at=now,
    )
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.tenant_id, table.c.slug, table.c.fingerprint],
        set_={
            "count": table.c.count + 1,
            "last_at": statement.excluded.last_at,
            "message": statement.excluded.message,
        },
    )
    with db.unit_of_work() as session:
        session.execute(statement)
