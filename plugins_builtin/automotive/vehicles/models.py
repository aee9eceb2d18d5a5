"""Vehicles, in the module's own schema."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.dialects.postgresql import UUID

from kehu.api import Mapped, RecordRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base


class Vehicle(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A car of a customer (AUT-02). `odometer` in km; `vin` and `plate` are kept in capital letters."""

    __tablename__ = "vehicles"
    __table_args__ = plugin_args(
        SLUG,
        "vehicles",
        tenant_fk("vehicles", "customer_id", "customers", ondelete="CASCADE"),
        Index("vehicles_customer_idx", "tenant_id", "customer_id", "id"),
        Index("vehicles_plate_idx", "tenant_id", "plate"),
        Index("vehicles_vin_key", "tenant_id", "vin", unique=True, postgresql_where=LIVE),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    vin: Mapped[str | None] = mapped_column(Text(collation="C"))
    plate: Mapped[str | None] = mapped_column(Text(collation="C"))
    make: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    year: Mapped[int | None] = mapped_column(BigInteger)
    odometer: Mapped[int | None] = mapped_column(BigInteger)
