"""The members of the firm as choices, read once a request."""

from __future__ import annotations

import uuid

from flask import g
from sqlalchemy import select

from kehu.core import db
from kehu.core.tables import metadata


def member_options(limit: int = 200) -> list[tuple[uuid.UUID, str]]:
    """Return id and name of the members that work may be given to, by name."""
    known: tuple[int, list[tuple[uuid.UUID, str]]] | None = g.get("kehu_member_options")
    if known is None or known[0] < limit:
        members = metadata.tables["members"]
        statement = (
            select(members.c.id, members.c.name)
            .where(
                members.c.tenant_id == db.tenant_id(),
                members.c.state != "parked",
                members.c.deleted_at.is_(None),
            )
            .order_by(members.c.name_norm, members.c.id)
            .limit(limit)
        )
        known = g.kehu_member_options = (
            limit,
            [(row.id, row.name) for row in db.session().execute(statement)],
        )
    return known[1]
