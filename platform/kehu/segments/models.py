"""A segment is a name and a query; who is in it is asked anew each time."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import Base, OptStr, OptUuid, RecordRow, StrC, tenant_args, tenant_fk, tenant_index

LIVE = "deleted_at IS NULL"


class Segment(RecordRow, Base):
    """Customers or contacts that a rule finds; `query` is written as the list's address is."""

    __tablename__ = "segments"
    __table_args__ = tenant_args(
        "segments",
        tenant_fk("segments", "owner_id", "members"),
        tenant_index("segments", "name", "name_norm", "id", where=LIVE),
        tenant_index("segments", "object", "object", "name_norm", "id", where=LIVE),
        tenant_index("segments", "owner", "owner_id", "name_norm", "id", where=LIVE),
        tenant_index("segments", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("object IN ('customers', 'contacts')", name="object"),
    )

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[StrC]
    object: Mapped[str] = mapped_column(Text, default="customers", server_default="customers")
    query: Mapped[OptStr]
    description: Mapped[OptStr]
    owner_id: Mapped[OptUuid]
