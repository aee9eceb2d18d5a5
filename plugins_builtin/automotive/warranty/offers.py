"""Offers before a warranty ends: the rule that a firm begins with, and which rows of the list have one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from kehu.api import Call, Session, _, actor, readable, select, service_for, tenant

SOURCE = "term.warranty"
WAITING = ("open", "contacted")


def begin(ctx: Call, first_time: bool) -> None:
    """Give a firm that has no rule for warranties one: 90, 60 and 30 days before, a task, a tenth left alone."""
    if not first_time or not actor().may("offer_rules:write"):
        return
    rules = service_for("offer_rules", ctx.session)
    model: Any = rules.type.model
    statement = select(model.id).where(
        model.tenant_id == ctx.tenant.id, model.source == SOURCE, model.deleted_at.is_(None)
    )
    if ctx.session.execute(statement.limit(1)).first() is None:
        rules.create({"name": _("Warranty ends"), "source": SOURCE})


def waiting(session: Session, term_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, uuid.UUID]:
    """Return the offers that wait, by the coverage that they are for; those of the hold-out group are not told."""
    if not (actor().may("offers:write") and actor().may("deals:write")):
        return {}
    model: Any = service_for("offers", session).type.model
    statement = select(model.term_id, model.id).where(
        model.tenant_id == tenant().id,
        model.term_id.in_(list(term_ids)),
        model.state.in_(WAITING),
        model.held_out.is_(False),
        readable("offers"),
    )
    return {row.term_id: row.id for row in session.execute(statement)}
