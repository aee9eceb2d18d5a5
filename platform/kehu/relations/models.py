"""Households with their members, relations, and pairs of which somebody said that they are no household."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Date, Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Instant,
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
CURRENT = "to_on IS NULL AND deleted_at IS NULL"


class Household(RecordRow, Base):
    """People who live together, or another group of customers that is looked at as one."""

    __tablename__ = "households"
    __table_args__ = tenant_args(
        "households",
        tenant_fk("households", "owner_id", "members"),
        tenant_index("households", "name", "name_norm", "id", where=LIVE),
        tenant_index("households", "kind", "kind", "name_norm", "id", where=LIVE),
        tenant_index("households", "owner", "owner_id", "name_norm", "id", where=LIVE),
        tenant_index("households", "external", "external_id"),
        tenant_index("households", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("kind IN ('household', 'group')", name="kind"),
    )

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[StrC]
    kind: Mapped[str] = mapped_column(Text, default="household", server_default="household")
    address: Mapped[OptStr]
    external_id: Mapped[OptStrC]
    description: Mapped[OptStr]
    owner_id: Mapped[OptUuid]


class HouseholdMember(RecordRow, Base):
    """That a customer belongs to a household, from a day to a day."""

    __tablename__ = "household_members"
    __table_args__ = tenant_args(
        "household_members",
        tenant_fk("household_members", "household_id", "households", ondelete="CASCADE"),
        tenant_fk("household_members", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("household_members", "owner_id", "members"),
        tenant_index("household_members", "once", "household_id", "customer_id", unique=True, where=CURRENT),
        tenant_index("household_members", "household", "household_id", "id"),
        tenant_index("household_members", "customer", "customer_id", "household_id"),
        tenant_index("household_members", "owner", "owner_id", "id", where=LIVE),
        tenant_index("household_members", "name", "name_norm", "id", where=LIVE),
        tenant_index("household_members", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("role IN ('adult', 'head', 'spouse', 'child', 'parent', 'other')", name="role"),
        CheckConstraint("to_on >= from_on", name="dates"),
    )

    household_id: Mapped[UuidCol]
    customer_id: Mapped[UuidCol]
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[StrC]
    role: Mapped[str] = mapped_column(Text, default="adult", server_default="adult")
    from_on: Mapped[dt.date | None] = mapped_column(Date)
    to_on: Mapped[dt.date | None] = mapped_column(Date)
    owner_id: Mapped[OptUuid]


class Relation(RecordRow, Base):
    """How two customers, or people at them, are related; `kind` says what the first is to the second.

    `pair` is the same for both directions where the kind knows none; no two current relations have the same.
    """

    __tablename__ = "relations"
    __table_args__ = tenant_args(
        "relations",
        tenant_fk("relations", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("relations", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_fk("relations", "other_id", "customers", ondelete="CASCADE"),
        tenant_fk("relations", "other_contact_id", "contacts", ondelete="CASCADE"),
        tenant_fk("relations", "owner_id", "members"),
        tenant_index("relations", "pair", "pair", unique=True, where=CURRENT),
        tenant_index("relations", "customer", "customer_id", "id"),
        tenant_index("relations", "contact", "contact_id"),
        tenant_index("relations", "other", "other_id", "id"),
        tenant_index("relations", "other_contact", "other_contact_id"),
        tenant_index("relations", "owner", "owner_id", "id", where=LIVE),
        tenant_index("relations", "name", "name_norm", "id", where=LIVE),
        tenant_index("relations", "kind", "kind", "name_norm", "id", where=LIVE),
        tenant_index("relations", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("to_on >= from_on", name="dates"),
    )

    customer_id: Mapped[UuidCol]
    contact_id: Mapped[OptUuid]
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[StrC]
    other_id: Mapped[UuidCol]
    other_contact_id: Mapped[OptUuid]
    pair: Mapped[StrC]
    from_on: Mapped[dt.date | None] = mapped_column(Date)
    to_on: Mapped[dt.date | None] = mapped_column(Date)
    description: Mapped[OptStr]
    owner_id: Mapped[OptUuid]


class NoHousehold(TenantRow, Base):
    """Two customers of whom somebody said that they are no household; they are not suggested again.

    `low_id` is the lesser of the two, so that a pair is kept once.
    """

    __tablename__ = "no_households"
    __table_args__ = tenant_args(
        "no_households",
        tenant_fk("no_households", "low_id", "customers", ondelete="CASCADE"),
        tenant_fk("no_households", "high_id", "customers", ondelete="CASCADE"),
        tenant_index("no_households", "pair", "low_id", "high_id", unique=True),
        tenant_index("no_households", "high", "high_id"),
    )

    low_id: Mapped[UuidCol]
    high_id: Mapped[UuidCol]
    said_at: Mapped[Instant]
    said_by: Mapped[OptUuid]
