"""What a firm shaped itself (its own fields, rules, layouts), read once for each state of it and process.

The state is a *shape id* among the tenant's settings, which each request reads anyway: it changes with every write of
what belongs to the shape, so no request pays for looking whether something did.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from kehu.core import context, db, hooks
from kehu.core.ids import new_id

FACT = "shape"
MOST_KEPT = 2_000
"""Shapes of so many firms are kept in a process."""

Load = Callable[[Session], Any]

_loaders: dict[str, Load] = {}
_kept: dict[tuple[uuid.UUID, str, str], Any] = {}


def add(name: str, load: Load) -> None:
    """Register a part of the shape.

    :param load: reads it for the present tenant; what it returns is kept and must not be changed.
    """
    _loaders[name] = load


def present() -> str:
    """Return the present tenant's shape id; empty while the firm never shaped anything, or without a tenant."""
    tenant = context.current().tenant
    return str(tenant.settings.get(FACT) or "") if tenant is not None else ""


def part(name: str) -> Any:
    """Return a part of the present tenant's shape, or None while the firm never shaped anything."""
    tenant, shape = context.current().tenant, present()
    if tenant is None or not shape:
        return None
    key = tenant.id, shape, name
    if key not in _kept:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = _read(_loaders[name])
    return _kept[key]


def _read(load: Load) -> Any:
    if not db.has_session() or db.is_cross_tenant():
        with db.unit_of_work() as session:
            return load(session)
    session = db.session()
    with session.no_autoflush:
        return load(session)


def changed(session: Session) -> None:
    """Say that a part of the shape was written: the rest of this unit of work and all later ones read it anew."""
    session.flush()
    hooks.first("kehu_keep_fact", tenant_id=context.tenant().id, name=FACT, value=new_id().hex)
