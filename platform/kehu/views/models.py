"""Saved views and drafts."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Json,
    RecordRow,
    TenantOwned,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)


class SavedView(RecordRow, Base):
    """A named list: its filters and sort as a query string, its columns. Personal, or shared with all."""

    __tablename__ = "saved_views"
    __table_args__ = tenant_args(
        "saved_views",
        tenant_fk("saved_views", "member_id", "members", ondelete="CASCADE"),
        tenant_index("saved_views", "object", "object", "position"),
        CheckConstraint("sharing IN ('personal', 'all')", name="sharing"),
    )

    object: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text, server_default="")
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    sharing: Mapped[str] = mapped_column(Text, default="personal", server_default="personal")
    member_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    position: Mapped[int] = mapped_column(BigInteger, default=0)


class Draft(TenantOwned, Base):
    """A long text that a member has not sent yet, kept under the key of its place."""

    __tablename__ = "drafts"
    __table_args__ = tenant_args("drafts", tenant_fk("drafts", "member_id", "members", ondelete="CASCADE"))

    member_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class BulkRun(TenantRow, Base):
    """A change of many records that runs as a job: what is done, how far it is, and the batch that undoes it."""

    __tablename__ = "bulk_runs"
    __table_args__ = tenant_args(
        "bulk_runs",
        tenant_fk("bulk_runs", "member_id", "members", ondelete="CASCADE"),
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
    )

    object: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    plan: Mapped[Json]
    member_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    batch_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    state: Mapped[str] = mapped_column(Text, default="waiting", server_default="waiting")
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)
    last_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    started_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
