"""Protections of customers and the cases in which they collide."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kehu.api import Mapped, TenantRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import SLUG, Base


class Protection(TenantRow, Base):  # type: ignore[misc, valid-type]
    """That a customer is a member's until a moment, by his latest effective contact. `event` is a key of the rules."""

    __tablename__ = "protections"
    __table_args__ = plugin_args(
        SLUG,
        "protections",
        tenant_fk("protections", "customer_id", "customers", ondelete="CASCADE"),
        Index(
            "protections_live_key",
            "tenant_id",
            "customer_id",
            "holder_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("protections_holder_idx", "tenant_id", "holder_id", "until"),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    holder_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    event: Mapped[str] = mapped_column(Text)
    since: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    contact_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    until: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    days: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    ended_because: Mapped[str | None] = mapped_column(Text)


class Collision(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A case of two or more members and one customer.

    `kind` is help or conflict; `state` is open, settled (by the rules), decided or appealed. `claims` are those that
    stood at the time, `rules` the rules of that day, `shares` the percents by member.
    """

    __tablename__ = "collisions"
    __table_args__ = plugin_args(
        SLUG,
        "collisions",
        tenant_fk("collisions", "customer_id", "customers", ondelete="CASCADE"),
        Index("collisions_state_idx", "tenant_id", "state", "due_at", "id"),
    )

    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    phone_norm: Mapped[str | None] = mapped_column(Text(collation="C"))
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    brought_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    claims: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    shares: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict)
    reason: Mapped[str | None] = mapped_column(Text)
    appeal: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    version: Mapped[int] = mapped_column(BigInteger, default=1)

    __mapper_args__ = {"version_id_col": version}
