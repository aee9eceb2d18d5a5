"""Consents with their history, and the firm's rules for what leaves the house."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Instant,
    OptStr,
    OptUuid,
    RecordRow,
    Str,
    TenantOwned,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)

ONE_PERSON = "(customer_id IS NULL) <> (contact_id IS NULL)"


class Consent(TenantRow, Base):
    """One word of a person, or one correction: never changed, never removed but with the person."""

    __tablename__ = "consents"
    __table_args__ = tenant_args(
        "consents",
        tenant_fk("consents", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("consents", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_index("consents", "customer", "customer_id", "id"),
        tenant_index("consents", "contact", "contact_id", "id"),
        CheckConstraint(ONE_PERSON, name="one_person"),
        CheckConstraint("state IN ('given', 'withdrawn', 'cleared')", name="state"),
    )

    customer_id: Mapped[OptUuid]
    contact_id: Mapped[OptUuid]
    channel: Mapped[Str]
    purpose: Mapped[Str]
    state: Mapped[Str]
    how: Mapped[Str]
    said_at: Mapped[Instant]
    source_text: Mapped[OptStr]
    proof: Mapped[OptStr]
    address: Mapped[OptStr]
    recorded_at: Mapped[Instant]
    member_id: Mapped[OptUuid]
    actor_name: Mapped[Str]


class ConsentState(TenantOwned, Base):
    """What holds now of a person for a channel and a purpose: the latest row of `consents`, for conditions."""

    __tablename__ = "consent_states"
    __table_args__ = tenant_args(
        "consent_states",
        tenant_fk("consent_states", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("consent_states", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_index("consent_states", "customer", "customer_id"),
        tenant_index("consent_states", "contact", "contact_id"),
        tenant_index("consent_states", "state", "channel", "purpose", "state", "person_id"),
        CheckConstraint(ONE_PERSON, name="one_person"),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    customer_id: Mapped[OptUuid]
    contact_id: Mapped[OptUuid]
    state: Mapped[Str]
    said_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))


class SendRules(RecordRow, Base):
    """When and how often messages may leave the house; one row a tenant, none while the defaults hold."""

    __tablename__ = "send_rules"
    __table_args__ = tenant_args(
        "send_rules",
        tenant_index("send_rules", "one", "only", unique=True, where="deleted_at IS NULL"),
    )

    only: Mapped[str] = mapped_column(Text, default="rules", server_default="rules")
    hours: Mapped[str] = mapped_column(Text)
    cap: Mapped[int] = mapped_column(BigInteger)
    cap_days: Mapped[int] = mapped_column(BigInteger)
    household_cap: Mapped[int] = mapped_column(BigInteger)
    household_days: Mapped[int] = mapped_column(BigInteger)
    unasked: Mapped[str] = mapped_column(Text, default="none", server_default=text("'none'"))
    sender_name: Mapped[OptStr]
    reply_to: Mapped[OptStr]
    imprint: Mapped[OptStr]
