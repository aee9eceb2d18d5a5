"""Which fields are looked at again, and what was said of a value."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
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


class FreshnessRule(RecordRow, Base):
    """A field whose values are verified, and for how many days that holds (CUS-23)."""

    __tablename__ = "freshness_rules"
    __table_args__ = tenant_args(
        "freshness_rules",
        tenant_index("freshness_rules", "field", "object", "field", unique=True, where="deleted_at IS NULL"),
        CheckConstraint("object IN ('customers', 'contacts')", name="object"),
        CheckConstraint("days BETWEEN 1 AND 3650", name="days"),
    )

    object: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    days: Mapped[int] = mapped_column(BigInteger, default=365, server_default="365")


class FreshnessStamp(TenantRow, Base):
    """What somebody said of one value of a record: right or wrong. It counts while the record holds that value.

    :param digest: of the value that was looked at; another value has no stamp.
    """

    __tablename__ = "freshness_stamps"
    __table_args__ = tenant_args(
        "freshness_stamps",
        tenant_fk("freshness_stamps", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("freshness_stamps", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_index("freshness_stamps", "customer", "customer_id", "field", "id"),
        tenant_index("freshness_stamps", "contact", "contact_id", "field", "id"),
        CheckConstraint("(customer_id IS NULL) <> (contact_id IS NULL)", name="one_record"),
        CheckConstraint("verdict IN ('verified', 'wrong')", name="verdict"),
    )

    customer_id: Mapped[OptUuid]
    contact_id: Mapped[OptUuid]
    field: Mapped[Str]
    digest: Mapped[Str]
    verdict: Mapped[Str]
    source: Mapped[OptStr]
    said_at: Mapped[Instant]
    member_id: Mapped[OptUuid]
    actor_name: Mapped[Str]
    undone_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
