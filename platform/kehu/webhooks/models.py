"""Webhooks and their deliveries."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, DateTime, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Json,
    JsonList,
    OptInstant,
    OptStr,
    RecordRow,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"


class Webhook(RecordRow, Base):
    """An address that is told about changes; its secrets are kept concealed and are no fields of the record."""

    __tablename__ = "webhooks"
    __table_args__ = tenant_args("webhooks", tenant_index("webhooks", "name", "name", "id", where=LIVE))

    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    secret: Mapped[str] = mapped_column(Text)
    secret_before: Mapped[OptStr]
    secret_before_until: Mapped[OptInstant]
    failing_since: Mapped[OptInstant]


class WebhookDelivery(TenantRow, Base):
    """One change on its way to one webhook, with what became of each try."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = tenant_args(
        "webhook_deliveries",
        tenant_fk("webhook_deliveries", "webhook_id", "webhooks", ondelete="CASCADE"),
        tenant_index("webhook_deliveries", "entry", "webhook_id", "entry_id", unique=True),
        tenant_index("webhook_deliveries", "at", "created_at"),
    )

    webhook_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    entry_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    event: Mapped[str] = mapped_column(Text)
    payload: Mapped[Json]
    state: Mapped[str] = mapped_column(Text, default="waiting", server_default="waiting")
    attempts: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    tries: Mapped[JsonList]
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    next_at: Mapped[OptInstant]
