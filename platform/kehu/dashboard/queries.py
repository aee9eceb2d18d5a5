"""What the home page reads; each number in one statement, within the reader's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    and_,
    cast,
    exists,
    extract,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from kehu.activities.models import Activity
from kehu.core.context import Actor
from kehu.core.records import rights, scope
from kehu.core.records.types import get as get_type
from kehu.core.tables import metadata
from kehu.customers.models import Customer
from kehu.deals.models import Deal, Pipeline, Stage
from kehu.tickets.models import Ticket

LISTED = 5
TODAY = 12


def seen(actor: Actor, name: str, model: Any, mine: bool) -> list[ColumnElement[bool]]:
    """Return the conditions that keep live records within what the reader may see, or within his own."""
    record_type = get_type(name)
    conditions = [
        model.deleted_at.is_(None),
        scope.condition(record_type, model, actor, actor.scope(f"{name}:read")),
    ]
    if mine:
        conditions.append(getattr(model, record_type.owner) == actor.member_id)
    return conditions


def today(session: Session, actor: Actor, until: dt.datetime) -> Sequence[Any]:
    """Return the reader's own activities that are due before a moment, the most urgent first."""
    statement = (
        select(
            Activity.id,
            Activity.kind,
            Activity.subject,
            Activity.due_at,
            Activity.version,
            Activity.customer_id,
            Activity.deal_id,
            Activity.ticket_id,
            Customer.name.label("customer"),
            Deal.name.label("deal"),
            func.count().over().label("total"),
        )
        .outerjoin(
            Customer,
            scope.link("customers", Customer, Activity, "customer_id", actor),
        )
        .outerjoin(
            Deal,
            scope.link("deals", Deal, Activity, "deal_id", actor),
        )
        .where(
            Activity.owner_id == actor.member_id,
            Activity.deleted_at.is_(None),
            Activity.done_at.is_(None),
            Activity.due_at < until,
        )
        .order_by(Activity.due_at, Activity.id)
        .limit(TODAY)
    )
    return session.execute(statement).all()


def closed_by_month(
    session: Session,
    actor: Actor,
    *,
    since: dt.datetime,
    zone: str,
    today: dt.date,
    past: dt.datetime,
    mine: bool,
) -> Sequence[Any]:
    """Return won and lost deals by month (of the firm's zone) and currency, and what was open in the past.

    :param today: `by_day` sums what was closed up to this day of each month, for a fair comparison.
    :param past: rows of the status `past` sum what was open at this moment.
    """
    by_day = func.sum(Deal.amount).filter(extract("day", func.timezone(zone, Deal.closed_at)) <= today.day)
    month = func.date_trunc("month", Deal.closed_at, zone).label("month")
    closed = (
        select(
            month,
            Deal.status.label("status"),
            Deal.currency.label("currency"),
            func.count().label("count"),
            cast(func.sum(Deal.amount), BigInteger).label("total"),
            cast(by_day, BigInteger).label("by_day"),
        )
        .where(*seen(actor, "deals", Deal, mine), Deal.status.in_(("won", "lost")), Deal.closed_at >= since)
        .group_by(month, Deal.status, Deal.currency)
    )
    was_open = (
        select(
            cast(null(), DateTime(timezone=True)),
            literal("past", Text),
            Deal.currency,
            func.count(),
            cast(func.sum(Deal.amount), BigInteger),
            cast(null(), BigInteger),
        )
        .where(
            *seen(actor, "deals", Deal, mine),
            or_(Deal.opened_on <= past.date(), and_(Deal.opened_on.is_(None), Deal.created_at <= past)),
            or_(Deal.closed_at.is_(None), Deal.closed_at > past),
        )
        .group_by(Deal.currency)
    )
    return session.execute(union_all(closed, was_open)).all()


def open_by_stage(session: Session, actor: Actor, mine: bool) -> Sequence[Any]:
    """Return the open deals by stage of every pipeline and currency; stages without deals are there too."""
    deal = and_(
        Deal.tenant_id == Stage.tenant_id, Deal.stage_id == Stage.id, *seen(actor, "deals", Deal, mine)
    )
    statement = (
        select(
            Pipeline.id.label("pipeline_id"),
            Stage.id,
            Stage.name,
            Stage.probability,
            Deal.currency,
            func.count(Deal.id).label("count"),
            func.sum(Deal.amount).label("total"),
        )
        .join(Pipeline, and_(Pipeline.tenant_id == Stage.tenant_id, Pipeline.id == Stage.pipeline_id))
        .outerjoin(Deal, deal)
        .where(Stage.deleted_at.is_(None), Pipeline.deleted_at.is_(None), Stage.outcome == "open")
        .group_by(
            Pipeline.id,
            Pipeline.is_default,
            Pipeline.position,
            Stage.id,
            Stage.name,
            Stage.probability,
            Stage.position,
            Deal.currency,
        )
        .order_by(Pipeline.is_default.desc(), Pipeline.position, Stage.position)
    )
    return session.execute(statement).all()


def first_reply(session: Session, actor: Actor, split: dt.datetime, since: dt.datetime, mine: bool) -> Any:
    """Return the median seconds to the first reply after and before a moment, and how many tickets wait."""
    seconds = extract("epoch", Ticket.first_reply_at - Ticket.created_at)
    median = func.percentile_cont(0.5).within_group(seconds)
    answered = Ticket.first_reply_at.is_not(None)
    waits = Ticket.status.in_(("new", "open"))
    statement = select(
        median.filter(answered, Ticket.created_at >= split).label("now"),
        median.filter(answered, Ticket.created_at < split).label("before"),
        func.count().filter(waits).label("waiting"),
    ).where(*seen(actor, "tickets", Ticket, mine), or_(Ticket.created_at >= since, waits))
    return session.execute(statement).one()


def without_next_step(session: Session, actor: Actor, mine: bool) -> Sequence[Any]:
    """Return the most valuable open deals for which nothing is planned, and how many there are."""
    planned = exists().where(
        Activity.tenant_id == Deal.tenant_id,
        Activity.deal_id == Deal.id,
        Activity.done_at.is_(None),
        Activity.deleted_at.is_(None),
    )
    statement = (
        select(
            Deal.id,
            Deal.name,
            Deal.amount,
            Deal.currency,
            Customer.name.label("customer"),
            func.count().over().label("total"),
        )
        .outerjoin(
            Customer,
            scope.link("customers", Customer, Deal, "customer_id", actor),
        )
        .where(*seen(actor, "deals", Deal, mine), Deal.status == "open", ~planned)
        .order_by(Deal.id if "amount" in rights.hidden("deals") else Deal.amount.desc(), Deal.id)
        .limit(LISTED)
    )
    return session.execute(statement).all()


def neglected(session: Session, actor: Actor, since: dt.datetime, mine: bool) -> Sequence[Any]:
    """Return existing customers whom nobody has touched since a day, the longest untouched first.

    They are taken in the order of their last change, so the search ends as soon as enough are found.
    """
    touched = exists().where(
        Activity.tenant_id == Customer.tenant_id,
        Activity.customer_id == Customer.id,
        Activity.deleted_at.is_(None),
        or_(Activity.done_at >= since, and_(Activity.done_at.is_(None), Activity.due_at >= since)),
    )
    last = (
        select(func.max(Activity.done_at).label("at"))
        .where(
            Activity.tenant_id == Customer.tenant_id,
            Activity.customer_id == Customer.id,
            Activity.deleted_at.is_(None),
        )
        .lateral("last_touch")
    )
    members = metadata.tables["members"]
    statement = (
        select(Customer.id, Customer.name, Customer.value_class, members.c.name.label("owner"), last.c.at)
        .outerjoin(
            members, and_(members.c.tenant_id == Customer.tenant_id, members.c.id == Customer.owner_id)
        )
        .outerjoin(last, true())
        .where(
            *seen(actor, "customers", Customer, mine),
            Customer.type_class == "existing",
            Customer.updated_at < since,
            ~touched,
        )
        .order_by(Customer.updated_at, Customer.id)
        .limit(LISTED)
    )
    return session.execute(statement).all()
