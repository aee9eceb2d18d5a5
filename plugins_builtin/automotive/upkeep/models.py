"""What is done to a car again and again."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Index, Text, text
from sqlalchemy.dialects.postgresql import UUID

from kehu.api import Mapped, RecordRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base


class ServiceItem(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A service or a part that wears, of one car; `due_on` and `basis` are reckoned each night and at each change."""

    __tablename__ = "service_items"
    __table_args__ = plugin_args(
        SLUG,
        "service_items",
        tenant_fk("service_items", "vehicle_id", "p_automotive.vehicles", ondelete="CASCADE"),
        Index("service_items_vehicle_idx", "tenant_id", "vehicle_id", "id"),
        Index("service_items_due_idx", "tenant_id", "due_on", "id", postgresql_where=LIVE),
        Index("service_items_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint("kind IN ('service', 'wear', 'inspection')", name="kind"),
        CheckConstraint("months > 0 OR km > 0", name="interval"),
    )

    name: Mapped[str] = mapped_column(Text)
    vehicle_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    kind: Mapped[str] = mapped_column(Text, default="service", server_default=text("'service'"))
    months: Mapped[int | None] = mapped_column(BigInteger)
    km: Mapped[int | None] = mapped_column(BigInteger)
    done_on: Mapped[dt.date] = mapped_column(Date)
    done_km: Mapped[int | None] = mapped_column(BigInteger)
    due_on: Mapped[dt.date | None] = mapped_column(Date)
    due_by: Mapped[str | None] = mapped_column(Text)
    basis: Mapped[str | None] = mapped_column(Text)
    paused: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    description: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
