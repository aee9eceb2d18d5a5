"""Pipelines, stages, products and deals."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Flag,
    Money,
    OptMoney,
    OptStr,
    OptStrC,
    RecordRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"


class Pipeline(RecordRow, Base):
    """A sales process."""

    __tablename__ = "pipelines"
    __table_args__ = tenant_args("pipelines", tenant_index("pipelines", "position", "position"))

    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    is_default: Mapped[Flag]


class Stage(RecordRow, Base):
    """A step of a pipeline (SAL-05). `outcome` is open, won or lost; `probability` in percent."""

    __tablename__ = "stages"
    __table_args__ = tenant_args(
        "stages",
        tenant_fk("stages", "pipeline_id", "pipelines", ondelete="CASCADE"),
        tenant_index("stages", "pipeline", "pipeline_id", "position"),
        CheckConstraint("outcome IN ('open', 'won', 'lost')", name="outcome"),
        CheckConstraint("probability BETWEEN 0 AND 100", name="probability"),
    )

    pipeline_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(BigInteger)
    probability: Mapped[int] = mapped_column(BigInteger, default=0)
    outcome: Mapped[str] = mapped_column(Text, default="open", server_default="open")
    usual_days: Mapped[int | None] = mapped_column(BigInteger)
    exit_criteria: Mapped[OptStr]


class Product(RecordRow, Base):
    """Something the firm sells (KNW-02)."""

    __tablename__ = "products"
    __table_args__ = tenant_args("products", tenant_index("products", "name", "name_norm", "id"))

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    code: Mapped[OptStr]
    series: Mapped[OptStr]
    price: Mapped[OptMoney]
    currency: Mapped[str] = mapped_column(Text)


class Deal(RecordRow, Base):
    """A chance to sell (SAL-03, SAL-04). `rank` orders the cards of a column; `status` follows the stage."""

    __tablename__ = "deals"
    __table_args__ = tenant_args(
        "deals",
        tenant_fk("deals", "customer_id", "customers"),
        tenant_fk("deals", "contact_id", "contacts"),
        tenant_fk("deals", "pipeline_id", "pipelines"),
        tenant_fk("deals", "stage_id", "stages"),
        tenant_fk("deals", "product_id", "products"),
        tenant_fk("deals", "owner_id", "members"),
        tenant_index("deals", "number", "number", unique=True),
        tenant_index("deals", "code", "code", unique=True),
        tenant_index("deals", "name", "name_norm", "id", where=LIVE),
        tenant_index("deals", "board", "stage_id", "rank", "id", where=LIVE),
        tenant_index("deals", "customer", "customer_id", "id"),
        tenant_index("deals", "owner", "owner_id", "status", "id", where=LIVE),
        tenant_index("deals", "status", "status", "closed_at", where=LIVE),
        tenant_index("deals", "amount", "amount", "id", where=LIVE),
        tenant_index("deals", "expected", "expected_close", "id", where=LIVE),
        tenant_index("deals", "updated", "updated_at", "id", where=LIVE),
        tenant_index("deals", "external", "external_id"),
        CheckConstraint("status IN ('open', 'won', 'lost')", name="status"),
    )

    number: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[OptStrC]
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    contact_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    pipeline_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    stage_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    stage_since: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    product_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    amount: Mapped[Money] = mapped_column(BigInteger, default=0, server_default=text("0"))
    currency: Mapped[str] = mapped_column(Text)
    opened_on: Mapped[dt.date | None] = mapped_column(Date)
    expected_close: Mapped[dt.date | None] = mapped_column(Date)
    closed_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    status: Mapped[str] = mapped_column(Text, default="open", server_default="open")
    lost_reason: Mapped[OptStr]
    rank: Mapped[str] = mapped_column(Text(collation="C"), default="", server_default="")
    source: Mapped[OptStr]
    external_id: Mapped[OptStrC]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    description: Mapped[OptStr]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
