"""Messages that were sent or were to be, and the firm's own texts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Instant,
    Json,
    OptStr,
    OptStrC,
    OptUuid,
    RecordRow,
    Str,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)


class Message(TenantRow, Base):
    """One message to one person. `body` holds no secret: its places stay in braces until it goes out."""

    __tablename__ = "messages"
    __table_args__ = tenant_args(
        "messages",
        tenant_fk("messages", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("messages", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_index("messages", "customer", "customer_id", "at", "id"),
        tenant_index("messages", "contact", "contact_id", "at", "id"),
        tenant_index("messages", "person", "person_id", "sent_at"),
        tenant_index("messages", "state", "state", "id"),
        tenant_index("messages", "run", "run_id", "id"),
        tenant_index("messages", "once", "once", unique=True, where="once IS NOT NULL"),
        CheckConstraint("state IN ('queued', 'sent', 'refused', 'failed')", name="state"),
    )

    customer_id: Mapped[OptUuid]
    contact_id: Mapped[OptUuid]
    person_id: Mapped[OptUuid]
    template: Mapped[Str]
    channel: Mapped[Str]
    purpose: Mapped[Str]
    address: Mapped[Str]
    locale: Mapped[Str]
    subject: Mapped[Str]
    body: Mapped[Str]
    data: Mapped[Json]
    state: Mapped[str] = mapped_column(Text, default="queued", server_default=text("'queued'"))
    reason_code: Mapped[OptStr]
    reason: Mapped[OptStr]
    at: Mapped[Instant]
    sent_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    wait_until: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    attempts: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    once: Mapped[OptStrC]
    run_id: Mapped[OptUuid]
    member_id: Mapped[OptUuid]
    sender: Mapped[Str]


class MessageTextRow(RecordRow, Base):
    """A firm's own words for a template in one language."""

    __tablename__ = "message_texts"
    __table_args__ = tenant_args(
        "message_texts",
        tenant_index("message_texts", "one", "template", "locale", unique=True, where="deleted_at IS NULL"),
    )

    template: Mapped[Str]
    locale: Mapped[Str]
    subject: Mapped[Str]
    body: Mapped[Str]
