"""Demo cars and plates, and test drives, in the module's own schema."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kehu.api import Mapped, RecordRow, TenantRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base


class DemoCar(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A car for test drives, or a set of dealer plates; `resource_id` is what the platform's board books."""

    __tablename__ = "demo_cars"
    __table_args__ = plugin_args(
        SLUG,
        "demo_cars",
        tenant_fk("demo_cars", "resource_id", "resources", ondelete="CASCADE"),
        Index("demo_cars_name_idx", "tenant_id", "name_norm", "id", postgresql_where=LIVE),
        Index("demo_cars_kind_idx", "tenant_id", "kind", "name_norm", "id", postgresql_where=LIVE),
        Index("demo_cars_resource_idx", "tenant_id", "resource_id"),
        Index("demo_cars_vehicle_idx", "tenant_id", "vehicle_id"),
        Index("demo_cars_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint("kind IN ('car', 'plates')", name="kind"),
    )

    kind: Mapped[str] = mapped_column(Text, default="car", server_default="car")
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    model: Mapped[str | None] = mapped_column(Text)
    vehicle_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    resource_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    branch: Mapped[str | None] = mapped_column(Text)
    used_from: Mapped[dt.date | None] = mapped_column(Date)
    used_to: Mapped[dt.date | None] = mapped_column(Date)
    insured_until: Mapped[dt.date | None] = mapped_column(Date)
    inspected_until: Mapped[dt.date | None] = mapped_column(Date)
    public: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    description: Mapped[str | None] = mapped_column(Text)


class TestDrive(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A test drive: who drives which car when, what was looked at before the keys, and what came of it.

    Times and state are those of its booking, kept here for lists and figures. Of the licence only class, expiry and
    who saw it are kept, never its number. `remind_step` and `alarm_step` say how far `watching` has come, `alarm_tasks`
    are the tasks that it made.
    """

    __test__ = False  # no test case, whatever its name says to pytest
    __tablename__ = "test_drives"
    __table_args__ = plugin_args(
        SLUG,
        "test_drives",
        tenant_fk("test_drives", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("test_drives", "booking_id", "bookings", ondelete="CASCADE"),
        Index("test_drives_from_idx", "tenant_id", "from_at", "id", postgresql_where=LIVE),
        Index("test_drives_state_idx", "tenant_id", "state", "from_at", "id", postgresql_where=LIVE),
        Index("test_drives_owner_idx", "tenant_id", "owner_id", "from_at", "id", postgresql_where=LIVE),
        Index("test_drives_car_idx", "tenant_id", "demo_car_id", "from_at", "id", postgresql_where=LIVE),
        Index("test_drives_name_idx", "tenant_id", "name_norm", "id", postgresql_where=LIVE),
        Index("test_drives_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        Index("test_drives_booking_idx", "tenant_id", "booking_id"),
        Index("test_drives_customer_idx", "tenant_id", "customer_id", "from_at"),
        Index("test_drives_deal_idx", "tenant_id", "deal_id", "from_at"),
        Index("test_drives_alarm_idx", "tenant_id", "id", postgresql_where=text("alarm_step > 0")),
        CheckConstraint("state IN ('booked', 'out', 'back', 'no_show', 'cancelled')", name="state"),
        CheckConstraint("back_km >= out_km", name="km"),
    )

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    booking_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    demo_car_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    plates_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    model: Mapped[str] = mapped_column(Text)
    from_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    to_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text, default="booked", server_default="booked")
    source: Mapped[str] = mapped_column(Text, default="staff", server_default="staff")
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    contact_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    deal_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    driver: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    born_on: Mapped[dt.date | None] = mapped_column(Date)
    licence_class: Mapped[str | None] = mapped_column(Text)
    licence_until: Mapped[dt.date | None] = mapped_column(Date)
    trainee: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    licence_seen_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    licence_seen_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    agreed_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    agreed_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    override_reason: Mapped[str | None] = mapped_column(Text)
    override_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    out_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    out_km: Mapped[int | None] = mapped_column(BigInteger)
    damage_out: Mapped[str | None] = mapped_column(Text)
    back_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    back_km: Mapped[int | None] = mapped_column(BigInteger)
    damage_back: Mapped[str | None] = mapped_column(Text)
    rated_drive: Mapped[int | None] = mapped_column(BigInteger)
    rated_comfort: Mapped[int | None] = mapped_column(BigInteger)
    rated_space: Mapped[int | None] = mapped_column(BigInteger)
    rated_equipment: Mapped[int | None] = mapped_column(BigInteger)
    rated_price: Mapped[int | None] = mapped_column(BigInteger)
    feedback: Mapped[str | None] = mapped_column(Text)
    follow_up_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    remind_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    alarm_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    alarm_tasks: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")


class DriveLink(TenantRow, Base):  # type: ignore[misc, valid-type]
    """The secret in the address at which people book a drive by themselves; without a row there is no such page."""

    __tablename__ = "drive_links"
    __table_args__ = plugin_args(SLUG, "drive_links", Index("drive_links_one_key", "tenant_id", unique=True))

    secret: Mapped[str] = mapped_column(Text(collation="C"))
    made_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
