"""What the pages of workflows ask the database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.records import scope
from kehu.core.records.types import get as get_type
from kehu.flows.models import Flow, FlowRun
from kehu.members.models import Member
from kehu.webhooks.models import Webhook

SHOWN = 50


def flows(session: Session) -> list[Flow]:
    """Return the workflows, by record type and name."""
    statement = select(Flow).where(Flow.deleted_at.is_(None)).order_by(Flow.object, Flow.name, Flow.id)
    return list(session.execute(statement.limit(200)).scalars())


def failing(session: Session) -> Mapping[uuid.UUID, int]:
    """Return how many runs of each workflow failed."""
    statement = (
        select(FlowRun.flow_id, func.count()).where(FlowRun.state == "failed").group_by(FlowRun.flow_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def runs(
    session: Session, flow: Flow, state: str = "", record_id: uuid.UUID | None = None
) -> Sequence[FlowRun]:
    """Return the latest runs of a workflow, of one state or record if wanted."""
    statement = select(FlowRun).where(FlowRun.flow_id == flow.id)
    if state:
        statement = statement.where(FlowRun.state == state)
    if record_id is not None:
        statement = statement.where(FlowRun.record_id == record_id)
    return (
        session.execute(statement.order_by(FlowRun.created_at.desc(), FlowRun.id.desc()).limit(SHOWN))
        .scalars()
        .all()
    )


def names(session: Session, flow: Flow, rows: Sequence[FlowRun]) -> Mapping[uuid.UUID, str]:
    """Return the names of the records of some runs, of those that the actor may see."""
    kind, actor = get_type(flow.object), context.actor()
    model: Any = kind.model
    statement = select(model.id, getattr(model, kind.title)).where(
        model.id.in_({row.record_id for row in rows}),
        scope.condition(kind, model, actor, actor.scope(f"{kind.name}:read")),
    )
    return {row[0]: str(row[1] or "–") for row in session.execute(statement)} if rows else {}


def named(
    session: Session, steps: Sequence[Mapping[str, Any]], acting: uuid.UUID | None
) -> Mapping[str, str]:
    """Return the names of the members and webhooks that actions name, and of who wrote the workflow, by id."""
    ids = {uuid.UUID(one[key]) for one in steps for key in ("member", "webhook") if one.get(key)}
    if acting is not None:
        ids.add(acting)
    found: dict[str, str] = {}
    for model in (Member, Webhook) if ids else ():
        statement = select(model.id, model.name).where(model.id.in_(ids))
        found.update({str(row[0]): row[1] for row in session.execute(statement)})
    return found


def lets_in(session: Session, member_id: uuid.UUID | None) -> bool:
    """Tell whether a member is still in the firm."""
    statement = select(Member.id).where(
        Member.id == member_id, Member.state == "active", Member.deleted_at.is_(None)
    )
    return member_id is not None and session.execute(statement).first() is not None


def webhooks(session: Session) -> list[tuple[str, str]]:
    """Return the webhooks that can be called, as choices."""
    statement = select(Webhook.id, Webhook.name).where(Webhook.deleted_at.is_(None)).order_by(Webhook.name)
    return [(str(row[0]), row[1]) for row in session.execute(statement.limit(50))]
