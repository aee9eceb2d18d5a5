"""Events: what changed is told to plugins and webhooks by jobs of the same transaction.

An event is an entry of the trail. Nobody asked means nothing enqueued: each way out says whether it wants it.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from kehu.core import audit, context
from kehu.core.context import TenantInfo

Wanted = Callable[[TenantInfo, str], bool]
Deliver = Callable[[Session, str, str], None]

_ways: dict[str, tuple[Wanted, Deliver]] = {}


def connect(way: str, wanted: Wanted, deliver: Deliver) -> None:
    """Say who wants events and how a batch is handed on; the same way again replaces it.

    :param way: a name, such as `plugins`.
    :param wanted: (tenant, event name) -> whether anybody listens.
    :param deliver: (session, tenant id, batch id) -> enqueue the delivery in the running transaction.
    """
    _ways[way] = (wanted, deliver)


def announce(session: Session, name: str) -> None:
    """Tell that something happened; the delivery of a batch is enqueued once for each way."""
    tenant = context.current().tenant
    if tenant is None or session.info.get("events_held"):
        return
    told: set[str] = session.info.setdefault("events_announced", set())
    for way, (wanted, deliver) in _ways.items():
        if way not in told and wanted(tenant, name):
            told.add(way)
            deliver(session, str(tenant.id), str(audit.batch_id(session)))


def hold(session: Session) -> None:
    """Announce nothing in this unit of work: a batch over many units is announced once, at its end."""
    session.info["events_held"] = True
