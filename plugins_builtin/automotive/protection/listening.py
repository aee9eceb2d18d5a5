"""Renew protections by what happens on the platform: talks that are logged, deals, orders."""

from __future__ import annotations

from typing import Any

from kehu.api import Call, Event, select, service_for
from plugins_builtin.automotive.protection.rules import effective
from plugins_builtin.automotive.protection.services import ProtectionService

DRIVE = "automotive.test_drive"
KINDS = {"activity": "activities", "deal": "deals", DRIVE: "automotive.test_drives"}


def after_change(ctx: Call, event: Event) -> None:
    """Renew the protection of who talked or drove with a customer, offered or sold something. Safe to run again."""
    kind, _dot, action = event.name.rpartition(".")
    if action not in ("created", "updated", "won") or kind not in KINDS:
        return
    row = _row(ctx, KINDS[kind], event.payload["record_id"])
    if row is None or row.customer_id is None or row.owner_id is None:
        return
    service = ProtectionService(ctx.session, ctx.actor)
    if kind == "activity":
        if row.done_at is not None and effective(row.kind, row.minutes, row.outcome):
            service.renew(row.customer_id, row.owner_id, "contact", row.done_at)
    elif kind == DRIVE:
        if row.state == "back" and row.back_at is not None:
            service.renew(row.customer_id, row.owner_id, "contact", row.back_at)
    elif row.status == "won":
        service.renew(row.customer_id, row.owner_id, "order", row.closed_at or row.updated_at)
    elif action == "created" and row.created_by == row.owner_id:
        # A deal that was given to somebody, as that of a lead, is no contact yet.
        service.renew(row.customer_id, row.owner_id, "contact", row.created_at)


def _row(ctx: Call, name: str, record_id: Any) -> Any:
    model: Any = service_for(name, ctx.session).type.model
    statement = select(model).where(model.id == record_id, model.deleted_at.is_(None))
    return ctx.session.execute(statement).scalar_one_or_none()
