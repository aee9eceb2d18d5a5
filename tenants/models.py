"""The registry of tenants: a reference table, written rarely, that every tenant row points at."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.context import TenantInfo
from kehu.core.ids import new_id
from kehu.core.tables import Base, TenantOwned, tenant_args, tenant_index


class Tenant(Base):
    """A firm that rents Kehu."""

    __tablename__ = "tenants"
    __table_args__ = (
        Index("tenants_address_key", "address", unique=True),
        CheckConstraint("state IN ('active', 'suspended', 'closed')", name="state"),
        {"info": {"scope": "reference"}},
    )

    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id)
    address: Mapped[str] = mapped_column(Text(collation="C"))
    name: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text, server_default="")
    currency: Mapped[str] = mapped_column(Text)
    zone: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    trade: Mapped[str] = mapped_column(Text, server_default="")
    state: Mapped[str] = mapped_column(Text, server_default="active")
    demo: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    plugins: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    held_plugins: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    trial_ends_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )

    def info(self) -> TenantInfo:
        """Return what the platform needs to know of the tenant."""
        return TenantInfo(
            id=self.id,
            address=self.address,
            name=self.name,
            currency=self.currency,
            zone=self.zone,
            locale=self.locale,
            country=self.country,
            plugins=frozenset(self.plugins or ()),
            held=frozenset(self.held_plugins or ()),
            state=self.state,
            demo=bool(self.demo),
            settings=self.settings or {},
        )


class TenantErasure(Base):
    """The proof that a firm was erased: how many rows of which tables, and that a search found none afterwards."""

    __tablename__ = "tenant_erasures"
    __table_args__ = ({"info": {"scope": "local"}},)

    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id)
    tenant_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )
    by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    rows: Mapped[dict[str, Any]] = mapped_column(JSONB)
    people: Mapped[int] = mapped_column(BigInteger)
    files: Mapped[int] = mapped_column(BigInteger)


class Archive(TenantOwned, Base):
    """A whole archive of the firm that somebody asked for: waiting, running, ready, failed or gone."""

    __tablename__ = "archives"
    __table_args__ = tenant_args(
        "archives",
        tenant_index("archives", "asked", "asked_at"),
        tenant_index("archives", "open", unique=True, where="state IN ('waiting', 'running')"),
    )

    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id)
    state: Mapped[str] = mapped_column(Text, default="waiting", server_default="waiting")
    asked_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    asked_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    done_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    size: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    files: Mapped[int | None] = mapped_column(BigInteger)


class OperatorTask(Base):
    """Something that waits for an operator, told once for what it is about.

    :param about: what it is about, unique within its kind.
    :param firm_id: the firm that it concerns, if one.
    """

    __tablename__ = "operator_tasks"
    __table_args__ = (
        Index("operator_tasks_about_key", "kind", "about", unique=True),
        Index("operator_tasks_open_idx", "made_at", postgresql_where=text("done_at IS NULL")),
        {"info": {"scope": "local"}},
    )

    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(Text)
    firm_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    what: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )
    done_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    done_by: Mapped[str] = mapped_column(Text, server_default="", default="")
    note: Mapped[str] = mapped_column(Text, server_default="", default="")
