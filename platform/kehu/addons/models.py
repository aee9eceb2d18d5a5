"""What a tenant decided about a plugin, and the faults of plugins."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import Base, Json, OptStr, TenantOwned, TenantRow, tenant_args, tenant_index


class TenantPlugin(TenantOwned, Base):
    """The state of a plugin in a tenant; the enabled ones also stand in the tenant's array."""

    __tablename__ = "tenant_plugins"
    __table_args__ = tenant_args("tenant_plugins")

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    data_version: Mapped[int] = mapped_column(BigInteger, default=1)
    settings: Mapped[Json]
    reason: Mapped[OptStr]
    changed_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class PluginIncident(TenantRow, Base):
    """A fault of a plugin, counted by fingerprint."""

    __tablename__ = "plugin_incidents"
    __table_args__ = tenant_args(
        "plugin_incidents", tenant_index("plugin_incidents", "print", "slug", "fingerprint", unique=True)
    )

    slug: Mapped[str] = mapped_column(Text)
    hook: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(Text(collation="C"))
    message: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(BigInteger, default=1)
    first_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    last_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
