"""Customers and contacts."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, Date, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.consent.columns import ReachColumns
from kehu.core.tables import (
    Base,
    JsonList,
    OptMoney,
    OptStr,
    OptStrC,
    RecordRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"


class Customer(ReachColumns, RecordRow, Base):
    """A company or a person that the firm deals with (CUS-01, CUS-05, CUS-07)."""

    __tablename__ = "customers"
    __table_args__ = tenant_args(
        "customers",
        tenant_fk("customers", "owner_id", "members"),
        tenant_fk("customers", "parent_id", "customers"),
        tenant_index("customers", "number", "number", unique=True),
        tenant_index("customers", "code", "code", unique=True),
        tenant_index("customers", "name", "name_norm", "id", where=LIVE),
        tenant_index("customers", "owner", "owner_id", "name_norm", "id", where=LIVE),
        tenant_index("customers", "updated", "updated_at", "id", where=LIVE),
        tenant_index("customers", "created", "created_at", "id", where=LIVE),
        tenant_index("customers", "class", "value_class", "name_norm", "id", where=LIVE),
        tenant_index("customers", "type", "type_class", "name_norm", "id", where=LIVE),
        tenant_index("customers", "industry", "industry", where=LIVE),
        tenant_index("customers", "country", "country", where=LIVE),
        tenant_index("customers", "email", "email_norm"),
        tenant_index("customers", "phone", "phone_norm"),
        tenant_index("customers", "external", "external_id"),
        tenant_index("customers", "parent", "parent_id"),
        tenant_index("customers", "consent", "mail_consent", "name_norm", "id", where=LIVE),
        tenant_index("customers", "deleted", "deleted_at", "id", where="deleted_at IS NOT NULL"),
        CheckConstraint("kind IN ('company', 'person')", name="kind"),
    )

    kind: Mapped[str] = mapped_column(Text, default="company", server_default="company")
    number: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[OptStrC]
    former_numbers: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), default=list, server_default=text("'{}'")
    )
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    type_class: Mapped[str] = mapped_column(Text, default="prospect", server_default="prospect")
    value_class: Mapped[OptStr]
    industry: Mapped[OptStr]
    region: Mapped[OptStr]
    country: Mapped[OptStr]
    website: Mapped[OptStr]
    employees: Mapped[int | None] = mapped_column(BigInteger)
    founded: Mapped[int | None] = mapped_column(BigInteger)
    born_on: Mapped[dt.date | None] = mapped_column(Date)
    revenue: Mapped[OptMoney]
    currency: Mapped[str] = mapped_column(Text)
    emails: Mapped[JsonList]
    email_norm: Mapped[OptStrC]
    phones: Mapped[JsonList]
    phone_norm: Mapped[OptStrC]
    addresses: Mapped[JsonList]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    description: Mapped[OptStr]
    external_id: Mapped[OptStrC]
    parent_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class Contact(ReachColumns, RecordRow, Base):
    """A person at a customer (CUS-02)."""

    __tablename__ = "contacts"
    __table_args__ = tenant_args(
        "contacts",
        tenant_fk("contacts", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("contacts", "owner_id", "members"),
        tenant_index("contacts", "customer", "customer_id", "name_norm", "id"),
        tenant_index("contacts", "name", "name_norm", "id", where=LIVE),
        tenant_index("contacts", "owner", "owner_id", "name_norm", "id", where=LIVE),
        tenant_index("contacts", "updated", "updated_at", "id", where=LIVE),
        tenant_index("contacts", "email", "email_norm"),
        tenant_index("contacts", "phone", "phone_norm"),
        tenant_index("contacts", "external", "external_id"),
        tenant_index("contacts", "consent", "mail_consent", "name_norm", "id", where=LIVE),
    )

    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    department: Mapped[OptStr]
    job_title: Mapped[OptStr]
    born_on: Mapped[dt.date | None] = mapped_column(Date)
    emails: Mapped[list[dict[str, str]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    email_norm: Mapped[OptStrC]
    phones: Mapped[list[dict[str, str]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    phone_norm: Mapped[OptStrC]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    description: Mapped[OptStr]
    external_id: Mapped[OptStrC]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
