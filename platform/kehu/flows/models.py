"""Tables of workflows and of what they did."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Flag,
    JsonList,
    OptInstant,
    OptStr,
    OptUuid,
    RecordRow,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"


class Flow(RecordRow, Base):
    """A workflow: when it starts, for which records, and what it does (SAS-11).

    `acting_id` is the member who wrote it last: it acts in his name, with his rights.
    """

    __tablename__ = "flows"
    __table_args__ = tenant_args(
        "flows",
        tenant_fk("flows", "acting_id", "members"),
        tenant_index("flows", "object", "object", "id", where=LIVE),
        CheckConstraint("trigger IN ('created', 'changed', 'date', 'quiet')", name="trigger"),
        CheckConstraint("side IN ('before', 'after')", name="side"),
    )

    object: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    trigger: Mapped[str] = mapped_column(Text)
    field: Mapped[OptStr]
    days: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    side: Mapped[str] = mapped_column(Text, default="before", server_default="before")
    condition: Mapped[OptStr]
    steps: Mapped[JsonList]
    active: Mapped[Flag]
    active_since: Mapped[OptInstant]
    acting_id: Mapped[OptUuid]


class FlowRun(TenantRow, Base):
    """One record on its way through a workflow, once for each event; what it wrote is the batch of the run's id.

    `state` is waiting, asking, done, failed or stopped; `told` holds what became of each try of each action.
    """

    __tablename__ = "flow_runs"
    __table_args__ = tenant_args(
        "flow_runs",
        tenant_fk("flow_runs", "flow_id", "flows", ondelete="CASCADE"),
        tenant_index("flow_runs", "event", "flow_id", "record_id", "event", unique=True),
        tenant_index("flow_runs", "at", "flow_id", "created_at", "id"),
        tenant_index("flow_runs", "record", "object", "record_id", "id"),
        CheckConstraint("state IN ('waiting', 'asking', 'done', 'failed', 'stopped')", name="state"),
    )

    flow_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    object: Mapped[str] = mapped_column(Text)
    record_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    event: Mapped[str] = mapped_column(Text)
    depth: Mapped[int] = mapped_column(BigInteger, default=1, server_default=text("1"))
    chain: Mapped[JsonList]
    steps: Mapped[JsonList]
    step: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    attempts: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    state: Mapped[str] = mapped_column(Text, default="waiting", server_default="waiting")
    told: Mapped[JsonList]
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    next_at: Mapped[OptInstant]
    finished_at: Mapped[OptInstant]
