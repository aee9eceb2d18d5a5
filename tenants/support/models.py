"""What an owner allowed, and when an operator was inside."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Flag,
    Instant,
    OptInstant,
    Str,
    TenantRow,
    UuidCol,
    metadata,
    tenant_args,
    tenant_fk,
    tenant_index,
)


class SupportGrant(TenantRow, Base):
    """An owner's word that operators may look into the firm until a moment; one of a firm is open at a time.

    :param writes: whether they may change records, too.
    """

    __tablename__ = "support_grants"
    __table_args__ = tenant_args(
        "support_grants",
        tenant_fk("support_grants", "member_id", "members", ondelete="CASCADE"),
        Index("support_grants_open_key", "tenant_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    member_id: Mapped[UuidCol]
    member_name: Mapped[Str]
    made_at: Mapped[Instant]
    until: Mapped[Instant]
    writes: Mapped[Flag]
    ended_at: Mapped[OptInstant]


class SupportVisit(TenantRow, Base):
    """An operator inside the firm, from one signed-in browser.

    :param session_id: the sign-in that it belongs to; in no other one it is good for anything.
    """

    __tablename__ = "support_visits"
    __table_args__ = tenant_args(
        "support_visits",
        tenant_fk("support_visits", "grant_id", "support_grants", ondelete="CASCADE"),
        tenant_index("support_visits", "made", "made_at", "id"),
    )

    grant_id: Mapped[UuidCol]
    user_id: Mapped[UuidCol]
    session_id: Mapped[UuidCol]
    name: Mapped[Str]
    reason: Mapped[Str]
    made_at: Mapped[Instant]
    ended_at: Mapped[OptInstant]
    pages: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)


for _table in (SupportGrant.__tablename__, SupportVisit.__tablename__):
    metadata.tables[_table].info["left_out"] = "support belongs to the installation, not to the firm's data"
