"""Tables of billing: what a firm has with us, the mirror of the provider, and who holds a seat."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Flag,
    Instant,
    Json,
    JsonList,
    Money,
    OptInstant,
    OptStr,
    OptUuid,
    Str,
    StrC,
    TenantOwned,
    TenantRow,
    UuidCol,
    metadata,
    tenant_args,
    tenant_fk,
    tenant_index,
)


def _count(default: int = 0) -> Any:
    return mapped_column(BigInteger, server_default=text(str(default)), default=default)


def _text() -> Any:
    return mapped_column(Text, server_default="", default="")


def _now() -> Any:
    return mapped_column(DateTime(timezone=True), default=clock.now, server_default=func.now())


class Account(TenantOwned, Base):
    """A firm's account with us. Whoever gives or takes a seat locks this row first.

    :param clock_ahead: seconds that billing time runs ahead of the clock (demo, test clocks).
    :param seats_cap: how many may hold a seat now; `seats_billed` is what was bought.
    :param seats_paid_floor: seats that are paid until `seats_paid_until`, though fewer were asked for since.
    :param checkout_id: the provider's page on which the first payment waits, until `checkout_until`.
    """

    __tablename__ = "billing_accounts"
    __table_args__ = tenant_args(
        "billing_accounts",
        CheckConstraint("seats_used <= seats_cap OR over_seat_since IS NOT NULL", name="seats"),
        CheckConstraint("seats_used >= 0 AND seats_cap >= 0", name="counts"),
    )

    mode: Mapped[Str]
    livemode: Mapped[Flag]
    version: Mapped[int] = _count(1)
    stripe_customer_id: Mapped[OptStr]
    currency: Mapped[Str]
    country: Mapped[str] = _text()
    legal_name: Mapped[str] = _text()
    address: Mapped[str] = _text()
    invoice_email: Mapped[str] = _text()
    tax_id: Mapped[str] = _text()
    tax_id_state: Mapped[str] = _text()
    tax_told: Mapped[str] = _text()
    trial_ends_at: Mapped[OptInstant]
    ended_at: Mapped[OptInstant]
    checkout_id: Mapped[str] = _text()
    checkout_url: Mapped[str] = _text()
    checkout_until: Mapped[OptInstant]
    held_at: Mapped[OptInstant]
    held_reason: Mapped[str] = _text()
    phase: Mapped[Str]
    clock_ahead: Mapped[int] = _count()
    seats_used: Mapped[int] = _count()
    seats_cap: Mapped[int] = _count()
    seats_billed: Mapped[int] = _count()
    seats_paid_floor: Mapped[int] = _count()
    seats_paid_until: Mapped[OptInstant]
    over_seat_since: Mapped[OptInstant]
    created_at: Mapped[dt.datetime] = _now()


class Subscription(TenantRow, Base):
    """What the provider said of a subscription last; at most one of a firm is live."""

    __tablename__ = "billing_subscriptions"
    __table_args__ = tenant_args(
        "billing_subscriptions",
        tenant_index("billing_subscriptions", "provider", "provider_id", unique=True),
        Index("billing_subscriptions_live_key", "tenant_id", unique=True, postgresql_where=text("live")),
    )

    provider_id: Mapped[StrC]
    live: Mapped[Flag]
    status: Mapped[Str]
    plan: Mapped[Str]
    interval: Mapped[Str]
    currency: Mapped[Str]
    seats: Mapped[int] = _count()
    by_invoice: Mapped[Flag]
    started_at: Mapped[Instant]
    period_start: Mapped[OptInstant]
    period_end: Mapped[OptInstant]
    cancel_at: Mapped[OptInstant]
    stopped_at: Mapped[OptInstant]
    pending: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    addons: Mapped[JsonList]
    coupon: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    raw: Mapped[Json]
    synced_at: Mapped[Instant]


class Addon(TenantRow, Base):
    """What a firm had of a paid add-on: its days to try, given once, and what of it is paid.

    :param paid_quantity: how often it is paid until `paid_until`, though it was taken off the bill since.
    :param wanted: to be switched on as soon as the provider shows it.
    """

    __tablename__ = "billing_addons"
    __table_args__ = tenant_args(
        "billing_addons", tenant_index("billing_addons", "slug", "slug", unique=True)
    )

    slug: Mapped[StrC]
    trial_started_at: Mapped[OptInstant]
    trial_until: Mapped[OptInstant]
    paid_quantity: Mapped[int] = _count()
    paid_until: Mapped[OptInstant]
    wanted: Mapped[Flag]


class Invoice(TenantRow, Base):
    """What the provider said of an invoice last; amounts in minor units of its currency."""

    __tablename__ = "billing_invoices"
    __table_args__ = tenant_args(
        "billing_invoices",
        tenant_index("billing_invoices", "provider", "provider_id", unique=True),
        tenant_index("billing_invoices", "made", "made_at", "id"),
    )

    provider_id: Mapped[StrC]
    number: Mapped[str] = _text()
    status: Mapped[Str]
    currency: Mapped[Str]
    net: Mapped[Money]
    tax: Mapped[Money]
    total: Mapped[Money]
    paid: Mapped[Money]
    due: Mapped[int] = _count()
    tax_note: Mapped[str] = _text()
    made_at: Mapped[Instant]
    due_at: Mapped[OptInstant]
    paid_at: Mapped[OptInstant]
    lines: Mapped[JsonList]
    raw: Mapped[Json]
    synced_at: Mapped[Instant]


class CreditNote(TenantRow, Base):
    """A paper that takes an invoice back, in part or whole; amounts in minor units, above nought.

    :param refunded: how much of it went back to the payer; the rest was credited.
    """

    __tablename__ = "billing_credit_notes"
    __table_args__ = tenant_args(
        "billing_credit_notes",
        tenant_index("billing_credit_notes", "provider", "provider_id", unique=True),
        tenant_index("billing_credit_notes", "invoice", "invoice_id"),
    )

    provider_id: Mapped[StrC]
    invoice_id: Mapped[StrC]
    number: Mapped[str] = _text()
    status: Mapped[Str]
    currency: Mapped[Str]
    net: Mapped[Money]
    tax: Mapped[Money]
    total: Mapped[Money]
    refunded: Mapped[Money]
    tax_note: Mapped[str] = _text()
    reason: Mapped[str] = _text()
    made_at: Mapped[Instant]
    synced_at: Mapped[Instant]


class Refund(TenantRow, Base):
    """Money that went back to the payer; `credit_note_id` is empty when there is no paper of it."""

    __tablename__ = "billing_refunds"
    __table_args__ = tenant_args(
        "billing_refunds", tenant_index("billing_refunds", "provider", "provider_id", unique=True)
    )

    provider_id: Mapped[StrC]
    credit_note_id: Mapped[str] = _text()
    charge_id: Mapped[str] = _text()
    status: Mapped[Str]
    currency: Mapped[Str]
    amount: Mapped[Money]
    made_at: Mapped[Instant]
    synced_at: Mapped[Instant]


class Dispute(TenantRow, Base):
    """A payment that the payer's bank took back.

    :param held_at: when the firm was put on hold for it; that happens once, whatever comes later.
    :param acted_at: when its loss was seen and the subscription's end ordered; once as well.
    """

    __tablename__ = "billing_disputes"
    __table_args__ = tenant_args(
        "billing_disputes", tenant_index("billing_disputes", "provider", "provider_id", unique=True)
    )

    provider_id: Mapped[StrC]
    charge_id: Mapped[str] = _text()
    status: Mapped[Str]
    reason: Mapped[str] = _text()
    currency: Mapped[Str]
    amount: Mapped[Money]
    made_at: Mapped[Instant]
    held_at: Mapped[OptInstant]
    acted_at: Mapped[OptInstant]
    synced_at: Mapped[Instant]


class Seat(TenantRow, Base):
    """Who holds, or held, a seat: one row for each member."""

    __tablename__ = "billing_seats"
    __table_args__ = tenant_args(
        "billing_seats",
        tenant_fk("billing_seats", "member_id", "members", ondelete="CASCADE"),
        tenant_index("billing_seats", "member", "member_id", unique=True),
        Index(
            "billing_seats_email_key",
            "tenant_id",
            "email_norm",
            unique=True,
            postgresql_where=text("state IN ('reserved', 'active') AND email_norm <> ''"),
        ),
        CheckConstraint("kind IN ('full', 'viewer')", name="kind"),
        CheckConstraint("state IN ('reserved', 'active', 'parked', 'released')", name="state"),
    )

    member_id: Mapped[UuidCol]
    email_norm: Mapped[StrC]
    kind: Mapped[Str]
    state: Mapped[Str]
    reserved_until: Mapped[OptInstant]
    taken_at: Mapped[Instant]


class SeatEntry(TenantRow, Base):
    """One line of the ledger of seats; lines are only ever added."""

    __tablename__ = "billing_seat_ledger"
    __table_args__ = tenant_args("billing_seat_ledger", tenant_index("billing_seat_ledger", "at", "at", "id"))

    at: Mapped[Instant]
    member_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    name: Mapped[Str]
    change: Mapped[int] = _count()
    used: Mapped[int] = _count()
    cap: Mapped[int] = _count()
    reason: Mapped[Str]
    by_id: Mapped[OptUuid]
    by_name: Mapped[Str]


class Notice(TenantRow, Base):
    """A mail or task about billing that was sent: each once for its object."""

    __tablename__ = "billing_notices"
    __table_args__ = tenant_args(
        "billing_notices", tenant_index("billing_notices", "once", "kind", "object", unique=True)
    )

    kind: Mapped[StrC]
    object: Mapped[StrC]
    sent_at: Mapped[Instant]


class Override(TenantRow, Base):
    """An entitlement that an operator gave or took, with the reason and until when."""

    __tablename__ = "billing_overrides"
    __table_args__ = tenant_args(
        "billing_overrides", tenant_index("billing_overrides", "feature", "feature", unique=True)
    )

    feature: Mapped[StrC]
    value: Mapped[int] = _count()
    reason: Mapped[Str]
    until: Mapped[OptInstant]
    actor: Mapped[Str]
    at: Mapped[Instant]


class DemoLedger(TenantOwned, Base):
    """What the demo provider remembers of a firm: its side of the counter."""

    __tablename__ = "billing_demo_ledgers"
    __table_args__ = tenant_args("billing_demo_ledgers")

    state: Mapped[Json]


class NumberRange(Base):
    """The last number of a range of the operator's own invoices."""

    __tablename__ = "billing_numbers"
    __table_args__ = ({"info": {"scope": "local"}},)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Money]


class Price(Base):
    """A price of the catalogue that was written down; from then on it is never changed."""

    __tablename__ = "billing_prices"
    __table_args__ = ({"info": {"scope": "local"}},)

    lookup_key: Mapped[str] = mapped_column(Text, primary_key=True)
    plan: Mapped[Str]
    interval: Mapped[Str]
    currency: Mapped[Str]
    amount: Mapped[Money]
    stripe_price_id: Mapped[OptStr]
    applied_at: Mapped[Instant]


def leave_out_of_archives() -> None:
    """Keep billing out of a firm's archive: read in elsewhere, it begins with billing of its own, without our ids."""
    for table in metadata.tables.values():
        if table.name.startswith("billing_") and table.info.get("scope") == "tenant":
            table.info["left_out"] = "billing belongs to the installation, not to the firm's data"
