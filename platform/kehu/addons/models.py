"""What a tenant decided about a plugin, the faults of plugins, and what the installation knows of each."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, func, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Flag,
    Json,
    OptInstant,
    OptStr,
    TenantOwned,
    TenantRow,
    metadata,
    tenant_args,
    tenant_index,
)


class TenantPlugin(TenantOwned, Base):
    """The state of a plugin in a tenant (`kehu.addons.states`); what is on also stands in the tenant's own row.

    `name` outlives the plugin's code; `until` ends a quarantine, or the time in which a purge can be called back.
    """

    __tablename__ = "tenant_plugins"
    __table_args__ = tenant_args("tenant_plugins")

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    data_version: Mapped[int] = mapped_column(BigInteger, default=1)
    settings: Mapped[Json]
    reason: Mapped[OptStr]
    changed_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    name: Mapped[str] = mapped_column(Text, server_default="", default="")
    until: Mapped[OptInstant]


class PluginIncident(TenantRow, Base):
    """A fault of a plugin, counted by fingerprint.

    `trips` counts how often the breaker of some process opened over it since `tripped_at`.
    """

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
    trips: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    tripped_at: Mapped[OptInstant]


class PluginStarter(TenantOwned, Base):
    """What was made for a tenant because a plugin was switched on (`plugins.starters`), or as its sample data.

    `batch_id` is that of the trail in which sample data was made.
    """

    __tablename__ = "plugin_starters"
    __table_args__ = tenant_args("plugin_starters")

    slug: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    record_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    batch_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    made_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class AddonPeriod(TenantRow, Base):
    """A time in which a tenant had a paid add-on, with the price that was shown when it began: what billing counts.

    Nothing removes it, also not a purge. `trial_until` is reckoned from the first time that the tenant had it.
    """

    __tablename__ = "addon_periods"
    __table_args__ = tenant_args(
        "addon_periods",
        tenant_index("addon_periods", "slug", "slug", "started_at"),
        tenant_index("addon_periods", "open", "slug", unique=True, where="ended_at IS NULL"),
    )

    slug: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    per: Mapped[str] = mapped_column(Text)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[OptStr]
    started_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    trial_until: Mapped[OptInstant]
    ended_at: Mapped[OptInstant]
    started_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class UsageEvent(TenantOwned, Base):
    """Something that a plugin counted for its price (`kehu.addons.usage`): each event of a meter once.

    :param settled_at: when billing looked at it; until then it stands on no bill.
    :param charged: whether it counts for a bill, and not for nothing as what is tried.
    """

    __tablename__ = "addon_usage"
    __table_args__ = tenant_args(
        "addon_usage",
        tenant_index("addon_usage", "open", "slug", "meter", "at", where="settled_at IS NULL"),
        tenant_index("addon_usage", "at", "at"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    slug: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    meter: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    event: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    quantity: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    settled_at: Mapped[OptInstant]
    charged: Mapped[Flag]


metadata.tables["addon_usage"].info["left_out"] = (
    "what was counted is billed by the installation in which it happened"
)


class PluginInstall(Base):
    """What the whole installation knows of a plugin: where its tables stand, and whether it is held for all."""

    __tablename__ = "plugin_installs"
    __table_args__ = {"info": {"scope": "local"}}

    slug: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    revision: Mapped[OptStr]
    migration_error: Mapped[OptStr]
    held_reason: Mapped[OptStr]
    held_until: Mapped[OptInstant]
    changed_at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )
