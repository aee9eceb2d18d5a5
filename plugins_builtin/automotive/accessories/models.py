"""Accessories of deals."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Index, Text
from sqlalchemy.dialects.postgresql import UUID

from kehu.api import Mapped, RecordRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base


class Accessory(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A thing that is fitted, with its price for one; `counted` when the deal's amount holds it."""

    __tablename__ = "accessories"
    __table_args__ = plugin_args(
        SLUG,
        "accessories",
        tenant_fk("accessories", "deal_id", "deals", ondelete="CASCADE"),
        tenant_fk("accessories", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("accessories", "product_id", "products", ondelete="CASCADE"),
        Index("accessories_deal_idx", "tenant_id", "deal_id", "id"),
        Index("accessories_customer_idx", "tenant_id", "customer_id", "id"),
        Index("accessories_product_idx", "tenant_id", "product_id"),
        Index("accessories_state_idx", "tenant_id", "state", "fit_on", "id", postgresql_where=LIVE),
        Index("accessories_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint("state IN ('offered', 'ordered', 'fitted', 'declined')", name="state"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    name: Mapped[str] = mapped_column(Text)
    deal_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    product_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    quantity: Mapped[int] = mapped_column(BigInteger, default=1)
    price: Mapped[int | None] = mapped_column(BigInteger)
    fitting: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="offered")
    fit_on: Mapped[dt.date | None] = mapped_column(Date)
    counted: Mapped[bool] = mapped_column(Boolean, default=False)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))

    @property
    def total(self) -> int:
        """What the line comes to, in minor units."""
        return self.quantity * (self.price or 0) + (self.fitting or 0)
