"""What makers and the firm give with a car: plans from which coverages are made."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Text

from kehu.api import Mapped, RecordRow, mapped_column, plugin_args
from plugins_builtin.automotive.base import LIVE, SLUG, Base


class WarrantyPlan(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A warranty of a make, for cars that came into service within some days: each version is a plan of its own."""

    __tablename__ = "warranty_plans"
    __table_args__ = plugin_args(
        SLUG,
        "warranty_plans",
        Index("warranty_plans_name_idx", "tenant_id", "name_norm", "id", postgresql_where=LIVE),
        Index("warranty_plans_make_idx", "tenant_id", "make_norm", "id", postgresql_where=LIVE),
        Index("warranty_plans_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint("kind IN ('warranty', 'extended_warranty')", name="kind"),
        CheckConstraint("unit IN ('km', 'mi')", name="unit"),
        CheckConstraint("until_on >= from_on", name="days"),
    )

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    make: Mapped[str] = mapped_column(Text)
    make_norm: Mapped[str] = mapped_column(Text(collation="C"))
    model: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    months: Mapped[int] = mapped_column(BigInteger)
    distance: Mapped[int | None] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(Text)
    from_on: Mapped[dt.date | None] = mapped_column(Date)
    until_on: Mapped[dt.date | None] = mapped_column(Date)
    provider: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
