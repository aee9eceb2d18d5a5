"""Recalls, in the plugin's own schema."""

from __future__ import annotations

import datetime as dt
import uuid

from kehu.api import Mapped, TenantRow, mapped_column, plugin_args, plugin_base, tenant_fk, tenant_index
from sqlalchemy import BigInteger, Date, Text
from sqlalchemy.dialects.postgresql import UUID

Base = plugin_base("dentist")


class Recall(TenantRow, Base):  # type: ignore[misc, valid-type]
    """What the practice knows of one patient: when he was seen, and after how many months he is due again.

    `state` is waiting, or due once the night's job has found that the time has come.
    """

    __tablename__ = "recalls"
    __table_args__ = plugin_args(
        "dentist",
        "recalls",
        tenant_fk("recalls", "customer_id", "customers", ondelete="CASCADE"),
        tenant_index("recalls", "customer", "customer_id", unique=True),
        tenant_index("recalls", "due", "state", "due_on", "id"),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    seen_on: Mapped[dt.date] = mapped_column(Date)
    months: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[dt.date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, default="waiting")
