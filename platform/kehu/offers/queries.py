"""What the pages of offers ask the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.records import scope
from kehu.offers.figures import Lift, Rate
from kehu.offers.models import Offer, OfferRule, OfferText
from kehu.offers.records import OFFERS, WAITING

MOST = 5
OUT_OF_PLAY = ("sold", "gone")
"""Whose thing is no longer his could not buy; he counts in neither group."""


@dataclass(frozen=True, kw_only=True)
class RuleFigures:
    """What became of a rule's offers."""

    waiting: int
    contacted: int
    accepted: int
    held_out: int
    lift: Lift


def figures(session: Session, rule_id: uuid.UUID) -> RuleFigures:
    """Return the counts of a rule's offers, and how many bought of those whose day has passed, in one statement.

    Groups are taken as they were drawn: who was to be contacted counts there, whether or not it came to it.
    """
    past = Offer.due_on <= clock.today(context.tenant().tz)
    fair = past & or_(Offer.reason.is_(None), Offer.reason.not_in(OUT_OF_PLAY))
    bought = Offer.renewed_on.is_not(None)
    count = func.count()
    row = session.execute(
        select(
            count.filter(Offer.state.in_(("open", "contacted")), ~Offer.held_out).label("waiting"),
            count.filter(Offer.contacts > 0).label("contacted"),
            count.filter(Offer.state == "accepted").label("accepted"),
            count.filter(Offer.held_out).label("held_out"),
            count.filter(fair, ~Offer.held_out).label("n"),
            count.filter(fair, ~Offer.held_out, bought).label("hits"),
            count.filter(fair, Offer.held_out).label("held_n"),
            count.filter(fair, Offer.held_out, bought).label("held_hits"),
        ).where(Offer.rule_id == rule_id, Offer.deleted_at.is_(None))
    ).one()
    return RuleFigures(
        waiting=row.waiting,
        contacted=row.contacted,
        accepted=row.accepted,
        held_out=row.held_out,
        lift=Lift(contacted=Rate(hits=row.hits, n=row.n), held_out=Rate(hits=row.held_hits, n=row.held_n)),
    )


def of_customer(session: Session, customer_id: uuid.UUID) -> Sequence[tuple[Offer, str]]:
    """Return the offers of a customer that wait and that the actor may see, with the names of their rules."""
    actor = context.actor()
    statement = (
        select(Offer, OfferRule.name)
        .join(OfferRule, and_(OfferRule.tenant_id == Offer.tenant_id, OfferRule.id == Offer.rule_id))
        .where(
            Offer.customer_id == customer_id,
            Offer.state.in_(WAITING),
            ~Offer.held_out,
            Offer.deleted_at.is_(None),
            scope.condition(OFFERS, Offer, actor, actor.scope("offers:read")),
        )
        .order_by(Offer.due_on, Offer.id)
        .limit(MOST)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def has_rules(session: Session) -> bool:
    """Tell whether the firm has made a rule."""
    statement = select(OfferRule.id).where(OfferRule.deleted_at.is_(None))
    return session.execute(statement.limit(1)).first() is not None


def texts_of(session: Session, rule_id: uuid.UUID) -> Sequence[OfferText]:
    """Return a rule's own texts."""
    statement = select(OfferText).where(OfferText.rule_id == rule_id, OfferText.deleted_at.is_(None))
    return session.execute(statement.order_by(OfferText.locale)).scalars().all()
