"""Tables of the rules that a firm sets for its records."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import Base, Flag, RecordRow, tenant_args, tenant_index

LIVE = "deleted_at IS NULL"


class NumberRule(RecordRow, Base):
    """How the codes of a record type are made (ADM-05); at most one for each type."""

    __tablename__ = "number_rules"
    __table_args__ = tenant_args(
        "number_rules",
        tenant_index("number_rules", "object", "object", unique=True, where=LIVE),
        CheckConstraint("reset IN ('never', 'year', 'month')", name="reset"),
    )

    object: Mapped[str] = mapped_column(Text)
    pattern: Mapped[str] = mapped_column(Text)
    width: Mapped[int] = mapped_column(BigInteger, default=5)
    start: Mapped[int] = mapped_column(BigInteger, default=1)
    reset: Mapped[str] = mapped_column(Text, default="never", server_default="never")
    by_hand: Mapped[Flag]
