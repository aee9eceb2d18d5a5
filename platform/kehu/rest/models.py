"""Answers that are kept so that a repeated request does nothing twice."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import Base, Json, TenantOwned, tenant_args, tenant_index


class IdempotencyKey(TenantOwned, Base):
    """The answer to a POST with an `Idempotency-Key`, kept for a day; `actor_id` is the token's or member's."""

    __tablename__ = "idempotency_keys"
    __table_args__ = tenant_args("idempotency_keys", tenant_index("idempotency_keys", "at", "at"))

    actor_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(BigInteger)
    headers: Mapped[Json]
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
