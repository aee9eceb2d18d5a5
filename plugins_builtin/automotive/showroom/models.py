"""Visits and who stands ready for the next one."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import UUID

from kehu.api import Mapped, RecordRow, TenantRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base


class Visit(RecordRow, Base):  # type: ignore[misc, valid-type]
    """One arrival at the showroom, of one person or several (AUT-04). A visit without name or phone still counts."""

    __tablename__ = "visits"
    __table_args__ = plugin_args(
        SLUG,
        "visits",
        tenant_fk("visits", "customer_id", "customers", ondelete="CASCADE"),
        Index("visits_arrived_idx", "tenant_id", "arrived_at", "id", postgresql_where=LIVE),
        Index("visits_owner_idx", "tenant_id", "owner_id", "arrived_at", "id", postgresql_where=LIVE),
        Index("visits_result_idx", "tenant_id", "result", "arrived_at", "id", postgresql_where=LIVE),
        Index("visits_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        Index("visits_phone_idx", "tenant_id", "phone_norm"),
        Index("visits_customer_idx", "tenant_id", "customer_id", "arrived_at"),
        CheckConstraint("left_at >= arrived_at", name="left"),
    )

    arrived_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    left_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    name: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str | None] = mapped_column(Text)
    phone_norm: Mapped[str | None] = mapped_column(Text(collation="C"))
    people: Mapped[int] = mapped_column(BigInteger, default=1)
    kind: Mapped[str] = mapped_column(Text, default="first")
    appointment: Mapped[bool] = mapped_column(Boolean, default=False)
    source: Mapped[str | None] = mapped_column(Text)
    wanted: Mapped[str | None] = mapped_column(Text)
    step: Mapped[str] = mapped_column(Text, default="greeted")
    level: Mapped[str | None] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text, default="open")
    lost_reason: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    deal_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    follow_up_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class HostTurn(TenantRow, Base):  # type: ignore[misc, valid-type]
    """That a member stands ready to receive visitors, since when; whoever waits longest is next."""

    __tablename__ = "host_turns"
    __table_args__ = plugin_args(
        SLUG, "host_turns", Index("host_turns_member_key", "tenant_id", "member_id", unique=True)
    )

    member_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    since: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
