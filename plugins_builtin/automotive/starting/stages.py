"""Where the deals of a dealer begin."""

from __future__ import annotations

from kehu.api import Session, starter_id
from plugins_builtin.automotive.base import SLUG


def first_stage(session: Session) -> dict[str, str]:
    """Return the stage at which a car sale begins, as values of a deal; nothing where the firm retired that way."""
    stage = starter_id(session, SLUG, "sale.lead") if starter_id(session, SLUG, "sale") else None
    return {"stage_id": str(stage)} if stage else {}
