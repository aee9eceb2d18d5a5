"""Appraisals with their repairs and comparable prices."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import UUID

from kehu.api import Mapped, RecordRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base


class Appraisal(RecordRow, Base):  # type: ignore[misc, valid-type]
    """What one car is worth to the dealer in one deal. Sums are kept, so that lists can show them.

    `market_written` tells a price that somebody wrote from the mean of comparable ones.
    """

    __tablename__ = "appraisals"
    __table_args__ = plugin_args(
        SLUG,
        "appraisals",
        tenant_fk("appraisals", "deal_id", "deals", ondelete="CASCADE"),
        tenant_fk("appraisals", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("appraisals", "vehicle_id", "p_automotive.vehicles", ondelete="CASCADE"),
        Index("appraisals_deal_idx", "tenant_id", "deal_id", "id"),
        Index("appraisals_customer_idx", "tenant_id", "customer_id", "id"),
        Index("appraisals_vehicle_idx", "tenant_id", "vehicle_id"),
        Index("appraisals_state_idx", "tenant_id", "state", "updated_at", "id", postgresql_where=LIVE),
        Index("appraisals_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint("state IN ('draft', 'offered', 'accepted', 'declined')", name="state"),
    )

    name: Mapped[str] = mapped_column(Text)
    deal_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    vehicle_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    vin: Mapped[str | None] = mapped_column(Text(collation="C"))
    plate: Mapped[str | None] = mapped_column(Text(collation="C"))
    odometer: Mapped[int | None] = mapped_column(BigInteger)
    odometer_reason: Mapped[str | None] = mapped_column(Text)
    owner_reason: Mapped[str | None] = mapped_column(Text)
    papers_owner: Mapped[str | None] = mapped_column(Text)
    keys: Mapped[int | None] = mapped_column(BigInteger)
    service_book: Mapped[str | None] = mapped_column(Text)
    accidents: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    market: Mapped[int | None] = mapped_column(BigInteger)
    market_written: Mapped[bool] = mapped_column(Boolean, default=False)
    repairs: Mapped[int] = mapped_column(BigInteger, default=0)
    transport: Mapped[int | None] = mapped_column(BigInteger)
    margin: Mapped[int | None] = mapped_column(BigInteger)
    acv: Mapped[int | None] = mapped_column(BigInteger)
    allowance: Mapped[int | None] = mapped_column(BigInteger)
    payoff: Mapped[int | None] = mapped_column(BigInteger)
    payoff_on: Mapped[dt.date | None] = mapped_column(Date)
    lender: Mapped[str | None] = mapped_column(Text)
    equity: Mapped[int | None] = mapped_column(BigInteger)
    over: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, default="draft")
    offered_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    valid_until: Mapped[dt.date | None] = mapped_column(Date)
    handed_over_km: Mapped[int | None] = mapped_column(BigInteger)
    approved_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    approved_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    fate: Mapped[str | None] = mapped_column(Text)
    sold_for: Mapped[int | None] = mapped_column(BigInteger)
    description: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class AppraisalLine(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A repair that the car needs, or the price of one like it."""

    __tablename__ = "appraisal_lines"
    __table_args__ = plugin_args(
        SLUG,
        "appraisal_lines",
        tenant_fk("appraisal_lines", "appraisal_id", "p_automotive.appraisals", ondelete="CASCADE"),
        Index("appraisal_lines_appraisal_idx", "tenant_id", "appraisal_id", "id"),
        Index("appraisal_lines_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint("kind IN ('repair', 'comparable')", name="kind"),
    )

    appraisal_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    kind: Mapped[str] = mapped_column(Text, default="repair")
    name: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
