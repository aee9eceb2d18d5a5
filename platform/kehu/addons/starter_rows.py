"""The rows that say what was made for a firm because of a plugin: finding it again, and clearing it away."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from kehu.addons.models import PluginStarter
from kehu.core import db
from kehu.deals.models import Deal, Pipeline, Stage
from kehu.members.models import Member, Role


def starter_id(session: Session, slug: str, key: str) -> uuid.UUID | None:
    """Return the id of what was made for the present firm, or None when it is gone.

    :param key: of the pipeline or role; of a stage with its pipeline's in front, as `sale.offer`.
    """
    found = session.execute(
        select(PluginStarter.kind, PluginStarter.record_id).where(
            PluginStarter.slug == slug, PluginStarter.key == key
        )
    ).one_or_none()
    if found is None or found.record_id is None:
        return None
    model: Any = {"pipelines": Pipeline, "stages": Stage, "roles": Role}[found.kind]
    live = [model.deleted_at.is_(None)] if hasattr(model, "deleted_at") else []
    return session.execute(select(model.id).where(model.id == found.record_id, *live)).scalar_one_or_none()


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A pipeline of a plugin in which new deals could start, and the one in which they do."""

    id: uuid.UUID
    name: str
    now: str


def proposed_pipelines(session: Session, slug: str) -> list[Proposed]:
    """Return the pipelines that came with a plugin and are not the one in which new deals start."""
    live = select(Pipeline.id, Pipeline.name, Pipeline.is_default).where(Pipeline.deleted_at.is_(None))
    rows = session.execute(live.order_by(Pipeline.position, Pipeline.id)).all()
    came = PluginStarter.slug == slug, PluginStarter.kind == "pipelines"
    mine = set(session.execute(select(PluginStarter.record_id).where(*came)).scalars())
    now = next((row.name for row in rows if row.is_default), "")
    if any(row.is_default and row.id in mine for row in rows):
        return []
    return [Proposed(id=row.id, name=row.name, now=now) for row in rows if row.id in mine]


def purge_starters(session: Session, slug: str, dry_run: bool) -> int:
    """Remove pipelines without deals and roles that nobody has; what the firm works with stays, as its own."""
    here = (PluginStarter.tenant_id == db.tenant_id(), PluginStarter.slug == slug)
    rows = session.execute(select(PluginStarter.kind, PluginStarter.record_id).where(*here)).all()
    count = 0
    for kind, model, used in (
        ("pipelines", Pipeline, _in_use(Deal, Deal.pipeline_id, Pipeline.id) | Pipeline.is_default),
        ("roles", Role, _in_use(Member, Member.role_id, Role.id)),
    ):
        mine: Any = model
        ids = [row.record_id for row in rows if row.kind == kind]
        free = (mine.tenant_id == db.tenant_id(), mine.id.in_(ids), ~used)
        found = list(session.execute(select(mine.id).where(*free)).scalars())
        count += len(found)
        if not dry_run:
            session.execute(delete(mine).where(mine.tenant_id == db.tenant_id(), mine.id.in_(found)))
    if not dry_run:
        session.execute(delete(PluginStarter).where(*here))
    return count


def _in_use(model: Any, column: Any, of: Any) -> Any:
    return exists(select(1).where(model.tenant_id == db.tenant_id(), column == of))
