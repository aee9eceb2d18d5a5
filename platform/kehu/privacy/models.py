"""Tables of what a firm decided about how long it keeps what."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Flag,
    Instant,
    OptStr,
    OptUuid,
    RecordRow,
    Str,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)


class RetentionRule(RecordRow, Base):
    """What goes after how long (SAS-31): off until somebody who saw the rehearsal switches it on."""

    __tablename__ = "retention_rules"
    __table_args__ = tenant_args(
        "retention_rules",
        CheckConstraint("object IN ('customers', 'contacts', 'tickets', 'trash')", name="object"),
        CheckConstraint("act IN ('trash', 'erase')", name="act"),
        CheckConstraint("unit IN ('days', 'months')", name="unit"),
        CheckConstraint("after BETWEEN 1 AND 1200 AND years BETWEEN 0 AND 50", name="spans"),
    )

    name: Mapped[str] = mapped_column(Text)
    object: Mapped[str] = mapped_column(Text)
    after: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(Text)
    act: Mapped[str] = mapped_column(Text)
    only_for: Mapped[OptStr]
    years: Mapped[int] = mapped_column(BigInteger, default=10, server_default="10")
    active: Mapped[Flag]


class LegalHold(TenantRow, Base):
    """Somebody has to be kept for a reason; it holds until a day, or until it is released."""

    __tablename__ = "legal_holds"
    __table_args__ = tenant_args(
        "legal_holds",
        tenant_fk("legal_holds", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("legal_holds", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_index("legal_holds", "customer", "customer_id"),
        tenant_index("legal_holds", "contact", "contact_id"),
        CheckConstraint("(customer_id IS NULL) <> (contact_id IS NULL)", name="one_person"),
    )

    customer_id: Mapped[OptUuid]
    contact_id: Mapped[OptUuid]
    reason: Mapped[Str]
    until: Mapped[dt.date | None] = mapped_column(Date)
    said_at: Mapped[Instant]
    member_id: Mapped[OptUuid]
    actor_name: Mapped[Str]
    released_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    released_by: Mapped[OptUuid]
