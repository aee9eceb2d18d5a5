"""Leads: the messages as they came, what they say, and the addresses at which they come in."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, DateTime, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kehu.api import Mapped, RecordRow, TenantRow, clock, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base

CHANNELS = ("https", "mail", "hand")
STATES = ("quarantine", "open", "contacted", "attached", "discarded")


class LeadAddress(RecordRow, Base):  # type: ignore[misc, valid-type]
    """Where a sender posts leads to. Only the hash of its secret is kept; `source` names the leads that name none."""

    __tablename__ = "lead_addresses"
    __table_args__ = plugin_args(
        SLUG, "lead_addresses", Index("lead_addresses_secret_key", "tenant_id", "secret_hash", unique=True)
    )

    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(Text(collation="C"))
    used_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class LeadMessage(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A message as it came, byte for byte. The same bytes again are the same message; `times` counts them."""

    __tablename__ = "lead_messages"
    __table_args__ = plugin_args(
        SLUG,
        "lead_messages",
        Index("lead_messages_hash_key", "tenant_id", "content_hash", unique=True),
        Index(
            "lead_messages_waiting_idx", "tenant_id", "received_at", postgresql_where=text("read_at IS NULL")
        ),
        Index("lead_messages_mail_idx", "tenant_id", "message_id", postgresql_where=text("message_id <> ''")),
        CheckConstraint("channel IN ('https', 'mail', 'hand')", name="channel"),
    )

    channel: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(Text(collation="C"))
    message_id: Mapped[str] = mapped_column(Text, server_default="")
    sender: Mapped[str] = mapped_column(Text, server_default="")
    charset: Mapped[str] = mapped_column(Text, server_default="")
    source: Mapped[str] = mapped_column(Text, server_default="")
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    size: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    last_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    times: Mapped[int] = mapped_column(BigInteger, default=1, server_default=text("1"))
    read_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class Lead(RecordRow, Base):  # type: ignore[misc, valid-type]
    """One person's request out of a message.

    `wanted` and `trade_ins` are cars as the parser gives them; `repairs` and `doubts` say what was mended or odd;
    `first_id` is the lead whose deal a further touch was attached to. `warn_at` to `reassign_at` are the targets of the
    first answer, `step` how far it has come without one.
    """

    __tablename__ = "leads"
    __table_args__ = plugin_args(
        SLUG,
        "leads",
        tenant_fk("leads", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("leads", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_fk("leads", "deal_id", "deals", ondelete="CASCADE"),
        Index("leads_place_key", "tenant_id", "message_id", "position", unique=True),
        Index("leads_received_idx", "tenant_id", "received_at", "id", postgresql_where=LIVE),
        Index("leads_state_idx", "tenant_id", "state", "received_at", "id", postgresql_where=LIVE),
        Index("leads_provider_idx", "tenant_id", "provider_key", "provider_lead_id"),
        Index("leads_customer_idx", "tenant_id", "customer_id", "received_at"),
        Index("leads_contact_idx", "tenant_id", "contact_id"),
        Index("leads_deal_idx", "tenant_id", "deal_id", "received_at"),
        Index("leads_owner_idx", "tenant_id", "owner_id", "received_at", postgresql_where=LIVE),
        Index("leads_name_idx", "tenant_id", "name", "id", postgresql_where=LIVE),
        Index(
            "leads_clock_idx",
            "tenant_id",
            "warn_at",
            postgresql_where=text("state = 'open' AND deleted_at IS NULL"),
        ),
        Index("leads_due_idx", "tenant_id", "due_at", "id", postgresql_where=LIVE),
        Index("leads_source_idx", "tenant_id", "source", postgresql_where=LIVE),
        CheckConstraint(
            "state IN ('quarantine', 'open', 'contacted', 'attached', 'discarded')", name="state"
        ),
    )

    message_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    position: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    wanted_name: Mapped[str] = mapped_column(Text, default="", server_default="")
    source: Mapped[str] = mapped_column(Text, default="", server_default="")
    provider_key: Mapped[str] = mapped_column(Text(collation="C"), default="", server_default="")
    provider_lead_id: Mapped[str] = mapped_column(Text(collation="C"), default="", server_default="")
    car_key: Mapped[str] = mapped_column(Text(collation="C"), default="", server_default="")
    preferred: Mapped[str] = mapped_column(Text, default="", server_default="")
    timeframe: Mapped[str] = mapped_column(Text, default="", server_default="")
    comments: Mapped[str] = mapped_column(Text, default="", server_default="")
    person: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
    facts: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
    wanted: Mapped[list[dict[str, object]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    trade_ins: Mapped[list[dict[str, object]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    repairs: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    doubts: Mapped[list[dict[str, object]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'::jsonb")
    )
    requested_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    received_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    contact_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    deal_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    first_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    warn_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    manager_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    reassign_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    step: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    task_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    contacted_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    contacted_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class LeadTurn(TenantRow, Base):  # type: ignore[misc, valid-type]
    """Whether a member takes turns for leads, when he had the last one, and until when he is away."""

    __tablename__ = "lead_turns"
    __table_args__ = plugin_args(
        SLUG,
        "lead_turns",
        tenant_fk("lead_turns", "member_id", "members", ondelete="CASCADE"),
        Index("lead_turns_member_key", "tenant_id", "member_id", unique=True),
    )

    member_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    takes: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    last_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    away_until: Mapped[dt.date | None] = mapped_column(Date)


class LeadRule(RecordRow, Base):  # type: ignore[misc, valid-type]
    """Who gets the leads of a source, of a make, or of both; the oldest rule that fits counts."""

    __tablename__ = "lead_rules"
    __table_args__ = plugin_args(
        SLUG,
        "lead_rules",
        tenant_fk("lead_rules", "member_id", "members", ondelete="CASCADE"),
        Index("lead_rules_member_idx", "tenant_id", "member_id"),
    )

    source: Mapped[str] = mapped_column(Text, default="", server_default="")
    make: Mapped[str] = mapped_column(Text, default="", server_default="")
    member_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
