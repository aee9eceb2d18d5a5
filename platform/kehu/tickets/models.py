"""Queues, tickets and their messages."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Flag,
    OptStr,
    OptStrC,
    RecordRow,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"


class Queue(RecordRow, Base):
    """Where tickets wait; `email` is the address that replies come from."""

    __tablename__ = "queues"
    __table_args__ = tenant_args("queues", tenant_index("queues", "position", "position"))

    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text, server_default="")
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    is_default: Mapped[Flag]


class Ticket(RecordRow, Base):
    """A request of a customer (SRV-01). `requester_email` receives the replies."""

    __tablename__ = "tickets"
    __table_args__ = tenant_args(
        "tickets",
        tenant_fk("tickets", "queue_id", "queues"),
        tenant_fk("tickets", "customer_id", "customers"),
        tenant_fk("tickets", "contact_id", "contacts"),
        tenant_fk("tickets", "owned_item_id", "owned_items"),
        tenant_fk("tickets", "assignee_id", "members"),
        tenant_index("tickets", "number", "number", unique=True),
        tenant_index("tickets", "code", "code", unique=True),
        tenant_index("tickets", "queue", "queue_id", "status", "id", where=LIVE),
        tenant_index("tickets", "status", "status", "updated_at", "id", where=LIVE),
        tenant_index("tickets", "assignee", "assignee_id", "status", "id", where=LIVE),
        tenant_index("tickets", "customer", "customer_id", "id"),
        tenant_index("tickets", "item", "owned_item_id", "id"),
        tenant_index("tickets", "updated", "updated_at", "id", where=LIVE),
        tenant_index("tickets", "due", "due_at", "id", where=LIVE),
        CheckConstraint("status IN ('new', 'open', 'waiting', 'resolved', 'closed')", name="status"),
        CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="priority"),
    )

    number: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[OptStrC]
    subject: Mapped[str] = mapped_column(Text)
    subject_norm: Mapped[str] = mapped_column(Text(collation="C"))
    queue_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    contact_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owned_item_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    requester_email: Mapped[OptStr]
    assignee_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    priority: Mapped[str] = mapped_column(Text, default="normal", server_default="normal")
    status: Mapped[str] = mapped_column(Text, default="new", server_default="new")
    channel: Mapped[str] = mapped_column(Text, default="manual", server_default="manual")
    due_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    first_reply_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    resolved_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    external_id: Mapped[OptStrC]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    description: Mapped[OptStr]


class TicketMessage(TenantRow, Base):
    """One part of a ticket's conversation: incoming, reply or note."""

    __tablename__ = "ticket_messages"
    __table_args__ = tenant_args(
        "ticket_messages",
        tenant_fk("ticket_messages", "ticket_id", "tickets", ondelete="CASCADE"),
        tenant_index("ticket_messages", "ticket", "ticket_id", "id"),
        tenant_index("ticket_messages", "mail", "message_id", where="kind = 'incoming'"),
        CheckConstraint("kind IN ('incoming', 'reply', 'note')", name="kind"),
        CheckConstraint("delivery IN ('none', 'queued', 'sent', 'failed')", name="delivery"),
    )

    ticket_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    kind: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    author_name: Mapped[str] = mapped_column(Text, server_default="")
    author_email: Mapped[str] = mapped_column(Text, server_default="")
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    delivery: Mapped[str] = mapped_column(Text, default="none", server_default="none")
    delivery_error: Mapped[OptStr]
    message_id: Mapped[OptStrC]
