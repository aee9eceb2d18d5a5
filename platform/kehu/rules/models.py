"""Tables of the rules that a firm sets for its records."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import Base, Flag, OptStr, RecordRow, tenant_args, tenant_index

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


class RecordRule(RecordRow, Base):
    """What must hold for the records of a type when they are written (SAS-10)."""

    __tablename__ = "record_rules"
    __table_args__ = tenant_args(
        "record_rules", tenant_index("record_rules", "object", "object", "id", where=LIVE)
    )

    object: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    only_for: Mapped[OptStr]
    must: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    entering: Mapped[Flag]
    active: Mapped[Flag]


class FieldRule(RecordRow, Base):
    """Which roles see a field, and which may change it (SAS-22); at most one for each field.

    Roles stand as codes with commas between them; no value means all who may see the record.
    """

    __tablename__ = "field_rules"
    __table_args__ = tenant_args(
        "field_rules", tenant_index("field_rules", "field", "object", "field", unique=True, where=LIVE)
    )

    object: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    seen_by: Mapped[OptStr]
    edited_by: Mapped[OptStr]
