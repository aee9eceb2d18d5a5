"""Calendars of opening hours."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Date, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import Base, Flag, OptStr, RecordRow, tenant_args, tenant_fk, tenant_index

LIVE = "deleted_at IS NULL"


class Calendar(RecordRow, Base):
    """Weekly opening hours, of the firm or of one of its places; None is a closed day."""

    __tablename__ = "calendars"
    __table_args__ = tenant_args("calendars", tenant_index("calendars", "name", "name", "id", where=LIVE))

    name: Mapped[str] = mapped_column(Text)
    is_default: Mapped[Flag]
    monday: Mapped[OptStr]
    tuesday: Mapped[OptStr]
    wednesday: Mapped[OptStr]
    thursday: Mapped[OptStr]
    friday: Mapped[OptStr]
    saturday: Mapped[OptStr]
    sunday: Mapped[OptStr]


class CalendarDay(RecordRow, Base):
    """A day with other hours than its weekday; without hours it is closed (a holiday)."""

    __tablename__ = "calendar_days"
    __table_args__ = tenant_args(
        "calendar_days",
        tenant_fk("calendar_days", "calendar_id", "calendars", ondelete="CASCADE"),
        tenant_index("calendar_days", "day", "calendar_id", "day", unique=True, where=LIVE),
    )

    calendar_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    day: Mapped[dt.date] = mapped_column(Date)
    name: Mapped[str] = mapped_column(Text)
    hours: Mapped[OptStr]
