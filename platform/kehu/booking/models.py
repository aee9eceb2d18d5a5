"""Resources, their bookings, and the lines that hold a resource for a time."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Text, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Flag,
    Instant,
    OptInstant,
    OptStr,
    OptStrC,
    OptUuid,
    RecordRow,
    StrC,
    TenantRow,
    UuidCol,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"
HELD = "state IN ('booked', 'out') AND deleted_at IS NULL"
"""Bookings that keep others away."""


class Resource(RecordRow, Base):
    """Something that one booking at a time can have: a room, a lift, a machine, a set of plates."""

    __tablename__ = "resources"
    __table_args__ = tenant_args(
        "resources",
        tenant_fk("resources", "calendar_id", "calendars"),
        tenant_index("resources", "name", "name_norm", "id", where=LIVE),
        tenant_index("resources", "lane", "kind", "name_norm", "id", where=LIVE),
        tenant_index("resources", "branch", "branch", where=LIVE),
        tenant_index("resources", "calendar", "calendar_id"),
        tenant_index("resources", "external", "external_id"),
        tenant_index("resources", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint(
            "before_minutes BETWEEN 0 AND 1440 AND after_minutes BETWEEN 0 AND 1440", name="margins"
        ),
    )

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[StrC]
    kind: Mapped[str] = mapped_column(Text)
    colour: Mapped[str] = mapped_column(Text, default="1", server_default="1")
    branch: Mapped[OptStr]
    calendar_id: Mapped[OptUuid]
    before_minutes: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    after_minutes: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    description: Mapped[OptStr]
    external_id: Mapped[OptStrC]


class Booking(RecordRow, Base):
    """That up to three resources, and perhaps a member, are taken from one moment to another.

    `busy_from` and `busy_to` add the time that the resources need before and after. A closure says that the
    resources are out of service.
    """

    __tablename__ = "bookings"
    __table_args__ = tenant_args(
        "bookings",
        tenant_fk("bookings", "resource_id", "resources"),
        tenant_fk("bookings", "second_id", "resources"),
        tenant_fk("bookings", "third_id", "resources"),
        tenant_fk("bookings", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("bookings", "contact_id", "contacts"),
        tenant_fk("bookings", "deal_id", "deals"),
        tenant_fk("bookings", "member_id", "members"),
        tenant_fk("bookings", "owner_id", "members"),
        tenant_index("bookings", "from", "from_at", "id", where=LIVE),
        tenant_index("bookings", "to", "to_at", "from_at", where=LIVE),
        tenant_index("bookings", "resource", "resource_id", "from_at", "id", where=LIVE),
        tenant_index("bookings", "second", "second_id"),
        tenant_index("bookings", "third", "third_id"),
        tenant_index("bookings", "customer", "customer_id", "from_at", "id"),
        tenant_index("bookings", "contact", "contact_id"),
        tenant_index("bookings", "deal", "deal_id", "from_at", "id"),
        tenant_index("bookings", "member", "member_id", "busy_to", where=HELD),
        tenant_index("bookings", "owner", "owner_id", "from_at", "id", where=LIVE),
        tenant_index("bookings", "name", "name_norm", "id", where=LIVE),
        tenant_index("bookings", "state", "state", "from_at", "id", where=LIVE),
        tenant_index("bookings", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("to_at >= from_at", name="times"),
        CheckConstraint("state IN ('booked', 'out', 'back', 'no_show', 'cancelled')", name="state"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("member_id", "="),
            (text("tstzrange(busy_from, busy_to)"), "&&"),
            name="bookings_member_excl",
            where=text(HELD),
            using="gist",
        ),
    )

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[StrC]
    resource_id: Mapped[UuidCol]
    second_id: Mapped[OptUuid]
    third_id: Mapped[OptUuid]
    from_at: Mapped[Instant]
    to_at: Mapped[Instant]
    busy_from: Mapped[Instant]
    busy_to: Mapped[Instant]
    state: Mapped[str] = mapped_column(Text, default="booked", server_default="booked")
    closure: Mapped[Flag]
    out_at: Mapped[OptInstant]
    back_at: Mapped[OptInstant]
    customer_id: Mapped[OptUuid]
    contact_id: Mapped[OptUuid]
    deal_id: Mapped[OptUuid]
    member_id: Mapped[OptUuid]
    owner_id: Mapped[OptUuid]
    plugin: Mapped[OptStrC]
    page: Mapped[OptStr]
    description: Mapped[OptStr]


class BookingLine(TenantRow, Base):
    """A resource held by a booking, with the time before and after; the database refuses a second at the same time."""

    __tablename__ = "booking_lines"
    __table_args__ = tenant_args(
        "booking_lines",
        tenant_fk("booking_lines", "booking_id", "bookings", ondelete="CASCADE"),
        tenant_fk("booking_lines", "resource_id", "resources"),
        tenant_index("booking_lines", "booking", "booking_id"),
        tenant_index("booking_lines", "resource", "resource_id", "ends_at", where="living"),
        CheckConstraint("ends_at >= begins_at", name="times"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("resource_id", "="),
            (text("tstzrange(begins_at, ends_at)"), "&&"),
            name="booking_lines_resource_excl",
            where=text("living"),
            using="gist",
        ),
    )

    booking_id: Mapped[UuidCol]
    resource_id: Mapped[UuidCol]
    begins_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    living: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
