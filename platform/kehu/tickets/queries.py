"""What the pages of tickets ask the database."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.records import listing, scope
from kehu.core.records.types import get as get_type
from kehu.customers.models import Contact, Customer
from kehu.tickets.models import Queue, Ticket
from kehu.tickets.records import DONE, TICKETS


def queues(session: Session) -> Sequence[Any]:
    """Return id, name and address of the queues, in their order; read once in a unit of work."""
    found: Sequence[Any] | None = session.info.get("ticket_queues")
    if found is None:
        statement = select(Queue.id, Queue.name, Queue.email).where(Queue.deleted_at.is_(None))
        found = session.info["ticket_queues"] = list(
            session.execute(statement.order_by(Queue.position, Queue.id))
        )
    return found


def queues_with_counts(session: Session) -> Sequence[Any]:
    """Return the queues with the number of their open tickets, whoever may see those."""
    waiting = (
        select(func.count())
        .select_from(Ticket)
        .where(
            Ticket.tenant_id == Queue.tenant_id,
            Ticket.queue_id == Queue.id,
            Ticket.status.not_in(DONE),
            Ticket.deleted_at.is_(None),
        )
        .scalar_subquery()
    )
    statement = select(Queue.id, Queue.name, Queue.email, Queue.is_default, waiting.label("open"))
    return list(
        session.execute(statement.where(Queue.deleted_at.is_(None)).order_by(Queue.position, Queue.id))
    )


def open_counts(session: Session) -> dict[str, int]:
    """Return how many open tickets the reader sees: by queue id, and `mine`, `nobody`, `today`, `waiting`."""
    actor, tenant = context.actor(), context.tenant()
    midnight = dt.datetime.combine(clock.today(tenant.tz) + dt.timedelta(days=1), dt.time(), tenant.tz)
    statement = (
        select(
            Ticket.queue_id,
            func.count().label("all"),
            func.count().filter(Ticket.assignee_id == actor.member_id).label("mine"),
            func.count().filter(Ticket.assignee_id.is_(None)).label("nobody"),
            func.count().filter(Ticket.due_at < midnight).label("today"),
            func.count().filter(Ticket.status == "waiting").label("waiting"),
        )
        .where(
            Ticket.deleted_at.is_(None),
            Ticket.status.not_in(DONE),
            scope.condition(TICKETS, Ticket, actor, actor.scope("tickets:read")),
        )
        .group_by(Ticket.queue_id)
    )
    found: dict[str, int] = dict.fromkeys(("mine", "nobody", "today", "waiting"), 0)
    for row in session.execute(statement).mappings():
        found[f"queue-{row['queue_id'].hex}"] = row["all"]
        for key in ("mine", "nobody", "today", "waiting"):
            found[key] += row[key]
    return found


def requester(session: Session, ticket: Ticket) -> Any:
    """Return names and phones of the ticket's contact and customer, as far as the reader sees them."""
    contact, customer, actor = Contact, Customer, context.actor()
    statement = (
        select(
            contact.id.label("contact_id"),
            contact.name.label("contact_name"),
            contact.phones.label("contact_phones"),
            customer.id.label("customer_id"),
            customer.name.label("customer_name"),
            customer.phones.label("customer_phones"),
        )
        .select_from(Ticket)
        .outerjoin(
            customer,
            scope.link("customers", customer, Ticket, "customer_id", actor),
        )
        .outerjoin(
            contact,
            scope.link("contacts", contact, Ticket, "contact_id", actor),
        )
        .where(Ticket.id == ticket.id)
    )
    return session.execute(statement).one()


def next_ticket(session: Session, ticket: Ticket, args: Mapping[str, str]) -> uuid.UUID | None:
    """Return the ticket that follows in a list, else the one before."""
    beside = listing.neighbours(session, get_type("tickets"), args, ticket, bound=1)
    return beside.next or beside.previous
