"""What somebody decided on a suggestion."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from kehu.core.tables import (
    Base,
    Instant,
    OptUuid,
    Str,
    StrC,
    TenantRow,
    UuidCol,
    tenant_args,
    tenant_fk,
    tenant_index,
)


class SuggestionDecision(TenantRow, Base):
    """That a suggestion was taken up or declined; it is not shown again before `until`.

    `kind` is the key without what it is about, so that a kind's worth can be counted.
    """

    __tablename__ = "suggestion_decisions"
    __table_args__ = tenant_args(
        "suggestion_decisions",
        tenant_fk("suggestion_decisions", "customer_id", "customers", ondelete="CASCADE"),
        tenant_index("suggestion_decisions", "once", "object", "record_id", "key", unique=True),
        tenant_index("suggestion_decisions", "kind", "kind", "at"),
        tenant_index("suggestion_decisions", "customer", "customer_id"),
        CheckConstraint("decision IN ('accepted', 'dismissed')", name="decision"),
    )

    object: Mapped[Str]
    record_id: Mapped[UuidCol]
    customer_id: Mapped[OptUuid]
    key: Mapped[StrC]
    kind: Mapped[StrC]
    title: Mapped[Str]
    decision: Mapped[Str]
    at: Mapped[Instant]
    until: Mapped[Instant]
    member_id: Mapped[OptUuid]
