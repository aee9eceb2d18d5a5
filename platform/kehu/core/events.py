"""Events: what changed is told to plugins by a job of the same transaction.

An event is an entry of the trail. Nobody asked means nothing enqueued: `subscribers` decides.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from kehu.core import audit, context

_wanted: Callable[[frozenset[str], str], bool] = lambda _plugins, _name: False  # noqa: E731
_deliver: Callable[[Session, str, str], None] | None = None


def connect(
    wanted: Callable[[frozenset[str], str], bool], deliver: Callable[[Session, str, str], None]
) -> None:
    """Say who wants events and how a batch is handed on (`kehu.addons` does, at start).

    :param wanted: (plugins of the tenant, event name) -> whether anybody listens.
    :param deliver: (session, tenant id, batch id) -> enqueue the delivery in the running transaction.
    """
    global _wanted, _deliver
    _wanted, _deliver = wanted, deliver


def announce(session: Session, name: str) -> None:
    """Tell that something happened; the delivery of a batch is enqueued once."""
    tenant = context.current().tenant
    if tenant is None or _deliver is None or session.info.get("events_announced"):
        return
    if _wanted(tenant.plugins, name):
        session.info["events_announced"] = True
        _deliver(session, str(tenant.id), str(audit.batch_id(session)))


def hold(session: Session) -> None:
    """Announce nothing in this unit of work: a batch over many units is announced once, at its end."""
    session.info["events_announced"] = True
