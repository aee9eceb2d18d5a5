"""Owned items and their terms."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, Date, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Flag,
    OptMoney,
    OptStr,
    OptStrC,
    OptUuid,
    RecordRow,
    UuidCol,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"
RUNNING = "state = 'active' AND item_in_use AND deleted_at IS NULL"
"""Terms that end some day: what lists of ends and offers ask for."""


class OwnedItem(RecordRow, Base):
    """A thing that a customer has: a machine, a boiler, a licence (SRV-26)."""

    __tablename__ = "owned_items"
    __table_args__ = tenant_args(
        "owned_items",
        tenant_fk("owned_items", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("owned_items", "contact_id", "contacts"),
        tenant_fk("owned_items", "product_id", "products"),
        tenant_fk("owned_items", "owner_id", "members"),
        tenant_index("owned_items", "name", "name_norm", "id", where=LIVE),
        tenant_index("owned_items", "customer", "customer_id", "name_norm", "id"),
        tenant_index("owned_items", "contact", "contact_id"),
        tenant_index("owned_items", "product", "product_id", "id", where=LIVE),
        tenant_index("owned_items", "owner", "owner_id", "name_norm", "id", where=LIVE),
        tenant_index("owned_items", "status", "status", "name_norm", "id", where=LIVE),
        tenant_index("owned_items", "acquired", "acquired_on", "id", where=LIVE),
        tenant_index("owned_items", "service", "in_service_on", "id", where=LIVE),
        tenant_index("owned_items", "serial", "serial_norm"),
        tenant_index("owned_items", "external", "external_id"),
        tenant_index("owned_items", "created", "created_at", "id", where=LIVE),
        tenant_index("owned_items", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("sold_by IN ('us', 'elsewhere')", name="sold_by"),
        CheckConstraint("status IN ('in_use', 'sold', 'scrapped')", name="status"),
    )

    customer_id: Mapped[UuidCol]
    contact_id: Mapped[OptUuid]
    product_id: Mapped[OptUuid]
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    serial: Mapped[OptStr]
    serial_norm: Mapped[OptStrC]
    acquired_on: Mapped[dt.date | None] = mapped_column(Date)
    in_service_on: Mapped[dt.date | None] = mapped_column(Date)
    sold_by: Mapped[str] = mapped_column(Text, default="us", server_default="us")
    status: Mapped[str] = mapped_column(Text, default="in_use", server_default="in_use")
    external_id: Mapped[OptStrC]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    description: Mapped[OptStr]
    owner_id: Mapped[OptUuid]


class OwnedItemTerm(RecordRow, Base):
    """Something about an item that ends: a warranty, a contract, a policy, a loan.

    `ends_on` is the first day that is no longer covered. `expected_ends_on` is a forecast by a module that knows
    how much the item is used; `effective_end` is the earlier of both. Customer, owner and whether the item is in
    use are the item's, kept here so that lists of ends need one index.
    """

    __tablename__ = "owned_item_terms"
    __table_args__ = tenant_args(
        "owned_item_terms",
        tenant_fk("owned_item_terms", "item_id", "owned_items", ondelete="CASCADE"),
        tenant_fk("owned_item_terms", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("owned_item_terms", "owner_id", "members"),
        tenant_fk("owned_item_terms", "renewed_by_id", "owned_item_terms"),
        tenant_index("owned_item_terms", "item", "item_id", "effective_end", "id"),
        tenant_index("owned_item_terms", "customer", "customer_id", "effective_end", "id"),
        tenant_index("owned_item_terms", "end", "effective_end", "id", where=LIVE),
        tenant_index("owned_item_terms", "running", "effective_end", "id", where=RUNNING),
        tenant_index("owned_item_terms", "owner", "owner_id", "effective_end", "id", where=LIVE),
        tenant_index("owned_item_terms", "starts", "starts_on", "id", where=LIVE),
        tenant_index("owned_item_terms", "renewed", "renewed_by_id"),
        tenant_index("owned_item_terms", "name", "name_norm", "id", where=LIVE),
        tenant_index("owned_item_terms", "external", "external_id"),
        tenant_index("owned_item_terms", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint(
            "kind IN ('warranty', 'extended_warranty', 'contract', 'insurance', 'finance', 'inspection', 'other')",
            name="kind",
        ),
        CheckConstraint("state IN ('active', 'renewed', 'cancelled', 'ended')", name="state"),
        CheckConstraint(
            "effective_end IS NOT DISTINCT FROM LEAST(ends_on, expected_ends_on)", name="effective_end"
        ),
    )

    item_id: Mapped[UuidCol]
    customer_id: Mapped[UuidCol]
    owner_id: Mapped[OptUuid]
    item_in_use: Mapped[Flag]
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    starts_on: Mapped[dt.date] = mapped_column(Date)
    months: Mapped[int | None] = mapped_column(BigInteger)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)
    usage_limit: Mapped[int | None] = mapped_column(BigInteger)
    usage_unit: Mapped[OptStr]
    start_usage: Mapped[int | None] = mapped_column(BigInteger)
    expected_ends_on: Mapped[dt.date | None] = mapped_column(Date)
    expectation: Mapped[OptStr]
    effective_end: Mapped[dt.date | None] = mapped_column(Date)
    provider: Mapped[OptStr]
    contract_number: Mapped[OptStr]
    price: Mapped[OptMoney]
    currency: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="active", server_default="active")
    external_id: Mapped[OptStrC]
    renewed_by_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    description: Mapped[OptStr]
