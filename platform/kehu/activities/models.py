"""Activities."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import Base, OptStr, RecordRow, tenant_args, tenant_fk, tenant_index

LIVE = "deleted_at IS NULL"


class Activity(RecordRow, Base):
    """Something done or to be done (ACT-01). `done_at` is None while it is planned; a note is done when written."""

    __tablename__ = "activities"
    __table_args__ = tenant_args(
        "activities",
        tenant_fk("activities", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("activities", "contact_id", "contacts"),
        tenant_fk("activities", "deal_id", "deals"),
        tenant_fk("activities", "ticket_id", "tickets"),
        tenant_fk("activities", "owned_item_id", "owned_items"),
        tenant_fk("activities", "owner_id", "members"),
        tenant_index("activities", "customer", "customer_id", "done_at", "id"),
        tenant_index("activities", "contact", "contact_id", "done_at", "id"),
        tenant_index("activities", "deal", "deal_id", "done_at", "id"),
        tenant_index("activities", "ticket", "ticket_id", "done_at", "id"),
        tenant_index("activities", "item", "owned_item_id", "done_at", "id"),
        tenant_index(
            "activities", "todo", "owner_id", "due_at", "id", where="deleted_at IS NULL AND done_at IS NULL"
        ),
        tenant_index("activities", "due", "due_at", "id", where=LIVE),
        tenant_index("activities", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("kind IN ('call', 'mail', 'visit', 'meeting', 'task', 'note')", name="kind"),
    )

    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    subject_norm: Mapped[str] = mapped_column(Text(collation="C"))
    body: Mapped[OptStr]
    due_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[OptStr]
    minutes: Mapped[int | None] = mapped_column(BigInteger)
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    contact_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    deal_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    ticket_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owned_item_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
