"""What the board reads: cards of all columns in one statement, counts and sums in another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, func, select, true
from sqlalchemy.orm import Session

from kehu.activities.models import Activity
from kehu.core import context
from kehu.core.records import filters, scope
from kehu.core.records.types import get as get_type
from kehu.core.tables import metadata
from kehu.customers.models import Customer
from kehu.deals.models import Deal, Pipeline, Stage
from kehu.deals.records import DEALS

CARDS = 50
"""Cards that a column shows at first."""


def stages_with_pipeline(session: Session) -> Sequence[Any]:
    """Return all live stages with their pipeline's name, the default pipeline first."""
    statement = (
        select(
            Stage.id,
            Stage.name,
            Stage.outcome,
            Stage.usual_days,
            Stage.probability,
            Stage.exit_criteria,
            Pipeline.id.label("pipeline_id"),
            Pipeline.name.label("pipeline"),
        )
        .join(Pipeline, and_(Pipeline.tenant_id == Stage.tenant_id, Pipeline.id == Stage.pipeline_id))
        .where(Stage.deleted_at.is_(None), Pipeline.deleted_at.is_(None))
        .order_by(Pipeline.is_default.desc(), Pipeline.position, Stage.position, Stage.id)
    )
    return session.execute(statement).all()


def next_step(deal: Any) -> Any:
    """Return the earliest activity that is still to be done for a deal, as a lateral join."""
    return (
        select(Activity.subject, Activity.due_at)
        .where(
            Activity.tenant_id == deal.tenant_id,
            Activity.deal_id == deal.id,
            Activity.done_at.is_(None),
            Activity.deleted_at.is_(None),
        )
        .order_by(Activity.due_at.asc().nulls_last(), Activity.id)
        .limit(1)
        .lateral("next_step")
    )


def _wanted(args: Mapping[str, str], actor: context.Actor) -> list[Any]:
    """Return the conditions that board and list share: live, within scope, filtered."""
    return [
        Deal.deleted_at.is_(None),
        scope.condition(DEALS, Deal, actor, actor.require("deals:read")),
        *filters.conditions(get_type("deals"), Deal, args, actor, context.tenant(), strict=False),
    ]


def cards(
    session: Session,
    stage_ids: Sequence[uuid.UUID],
    args: Mapping[str, str],
    actor: context.Actor,
    *,
    beyond: tuple[str, uuid.UUID] | None = None,
    limit: int = CARDS,
) -> Sequence[Any]:
    """Return the cards of columns in their order, at most `limit` and one more of each.

    :param beyond: rank and id of the last card that is shown already (one column).
    """
    column = select(
        Deal.tenant_id,
        Deal.id,
        Deal.name,
        Deal.amount,
        Deal.currency,
        Deal.version,
        Deal.rank,
        Deal.stage_since,
        Deal.customer_id,
        Deal.owner_id,
    ).where(Deal.tenant_id == Stage.tenant_id, Deal.stage_id == Stage.id, *_wanted(args, actor))
    if beyond is not None:
        rank, deal_id = beyond
        column = column.where(Deal.rank >= rank, (Deal.rank > rank) | (Deal.id > deal_id))
    card = column.order_by(Deal.rank, Deal.id).limit(limit + 1).lateral("card")
    members = metadata.tables["members"]
    step = next_step(card.c)
    statement: Select[Any] = (
        select(
            Stage.id.label("stage_id"),
            card.c.id,
            card.c.name,
            card.c.amount,
            card.c.currency,
            card.c.version,
            card.c.rank,
            card.c.stage_since,
            card.c.owner_id,
            Customer.name.label("customer"),
            members.c.name.label("owner"),
            step.c.subject.label("step"),
            step.c.due_at.label("step_due"),
        )
        .select_from(Stage)
        .join(card, true())
        .outerjoin(
            Customer,
            scope.link("customers", Customer, card.c, "customer_id", actor),
        )
        .outerjoin(members, and_(members.c.tenant_id == card.c.tenant_id, members.c.id == card.c.owner_id))
        .outerjoin(step, true())
        .where(Stage.id.in_(stage_ids))
        .order_by(Stage.position, Stage.id, card.c.rank, card.c.id)
    )
    return session.execute(statement).all()


def sums(
    session: Session, stage_ids: Sequence[uuid.UUID], args: Mapping[str, str], actor: context.Actor
) -> Sequence[Any]:
    """Return count and sum of columns, by stage and currency."""
    statement = (
        select(
            Deal.stage_id, Deal.currency, func.count().label("count"), func.sum(Deal.amount).label("total")
        )
        .where(Deal.stage_id.in_(stage_ids), *_wanted(args, actor))
        .group_by(Deal.stage_id, Deal.currency)
        .order_by(func.count().desc(), Deal.currency)
    )
    return session.execute(statement).all()


def place(session: Session, deal_id: uuid.UUID) -> Any:
    """Return where a live deal stands in the database: stage, rank, version; None when there is none."""
    # Without a flush: what was refused may still hang on the loaded record.
    with session.no_autoflush:
        statement = select(Deal.id, Deal.stage_id, Deal.rank, Deal.version).where(
            Deal.id == deal_id, Deal.deleted_at.is_(None)
        )
        return session.execute(statement).first()


def card_above(session: Session, deal: Any) -> uuid.UUID | None:
    """Return the card that stands above a deal in its column, or None for the first one."""
    statement = (
        select(Deal.id)
        .where(
            Deal.stage_id == deal.stage_id,
            Deal.deleted_at.is_(None),
            (Deal.rank < deal.rank) | and_(Deal.rank == deal.rank, Deal.id < deal.id),
        )
        .order_by(Deal.rank.desc(), Deal.id.desc())
        .limit(1)
    )
    with session.no_autoflush:
        return session.execute(statement).scalar()


def stage_history(session: Session, deal_id: uuid.UUID) -> Sequence[Any]:
    """Return when a deal changed its stage: (at, old stage, new stage), the first first."""
    from kehu.core.audit import AuditEntry

    statement = (
        select(AuditEntry.at, AuditEntry.changes["stage_id"].label("stages"))
        .where(
            AuditEntry.object == "deals",
            AuditEntry.record_id == deal_id,
            AuditEntry.action.in_(("created", "moved", "won", "lost")),
        )
        .order_by(AuditEntry.id)
        .limit(200)
    )
    return session.execute(statement).all()


def days_between(since: dt.datetime, until: dt.datetime) -> int:
    """Return whole days between two moments."""
    return max((until - since).days, 0)


def pipelines(session: Session) -> Sequence[Any]:
    """Return the live pipelines, the default one first."""
    statement = (
        select(Pipeline.id, Pipeline.name, Pipeline.is_default)
        .where(Pipeline.deleted_at.is_(None))
        .order_by(Pipeline.is_default.desc(), Pipeline.position, Pipeline.id)
    )
    return session.execute(statement).all()


def deals_by_stage(session: Session, pipeline_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """Return how many live deals stand in each stage of a pipeline."""
    statement = (
        select(Deal.stage_id, func.count())
        .where(Deal.pipeline_id == pipeline_id, Deal.deleted_at.is_(None))
        .group_by(Deal.stage_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
