"""What pages and programs ask about messages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core.db import tenant_id
from kehu.core.tables import metadata
from kehu.messages.models import Message

LATEST = 100


def latest(session: Session, state: str = "") -> Sequence[Any]:
    """Return the latest messages of the firm with the names of the recipients."""
    row, customer, contact = (metadata.tables[name] for name in ("messages", "customers", "contacts"))
    statement = (
        select(row, func.coalesce(contact.c.name, customer.c.name).label("name"))
        .select_from(row)
        .outerjoin(customer, (customer.c.tenant_id == tenant_id()) & (customer.c.id == row.c.customer_id))
        .outerjoin(contact, (contact.c.tenant_id == tenant_id()) & (contact.c.id == row.c.contact_id))
        .where(row.c.tenant_id == tenant_id())
        .order_by(row.c.id.desc())
        .limit(LATEST)
    )
    if state:
        statement = statement.where(row.c.state == state)
    return session.execute(statement).all()


def of_person(
    session: Session, column: str, record_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Sequence[Message]:
    """Return messages of a customer or contact, the latest first, from one on."""
    statement = select(Message).where(getattr(Message, column) == record_id)
    if after is not None:
        statement = statement.where(Message.id < after)
    return session.execute(statement.order_by(Message.id.desc()).limit(limit)).scalars().all()
