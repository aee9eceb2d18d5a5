"""What Stripe sent, and what of a customer is still to be fetched. Both exist before the firm is known."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import (
    Base,
    Flag,
    Instant,
    Json,
    OptInstant,
    OptStr,
    OptUuid,
    Str,
    TenantRow,
    tenant_args,
    tenant_index,
)

STATES = ("new", "done", "ignored", "parked", "failed")
"""Waiting to be fetched; mirrored; nothing of ours; nobody's yet; given up until an operator replays it."""


KINDS = (
    *("subscribe", "abandon", "change", "later", "cancel", "undo", "pay", "card", "details"),
    *("credit", "refund", "end"),
)
"""What an operation does; the last three are the operator's."""


def _moment() -> Any:
    return mapped_column(DateTime(timezone=True), default=clock.now)


class StripeEvent(Base):
    """An event as it came in; the body is kept 90 days and never trusted as the state of anything."""

    __tablename__ = "billing_stripe_events"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index(
            "billing_stripe_events_open_idx",
            "customer_id",
            postgresql_where=text("state IN ('new', 'parked')"),
        ),
        Index("billing_stripe_events_received_idx", "received_at"),
        {"info": {"scope": "local"}},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[Str]
    object_id: Mapped[str] = mapped_column(Text, server_default="", default="")
    customer_id: Mapped[OptStr]
    livemode: Mapped[Flag]
    api_version: Mapped[str] = mapped_column(Text, server_default="", default="")
    state: Mapped[str] = mapped_column(Text, server_default="new", default="new")
    last_error: Mapped[str] = mapped_column(Text, server_default="", default="")
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    received_at: Mapped[dt.datetime] = _moment()
    done_at: Mapped[OptInstant]


class Sync(Base):
    """How far the mirror of one Stripe customer is, and who is at it now.

    :param want: raised by each event; the mirror is true when `done` has reached it.
    :param firm_id: the firm whose customer this is, written by us when we made it; None while nobody knows it.
    """

    __tablename__ = "billing_sync"
    __table_args__ = (
        Index("billing_sync_behind_idx", "next_at", postgresql_where=text("want > done")),
        {"info": {"scope": "local"}},
    )

    customer_id: Mapped[str] = mapped_column(Text, primary_key=True)
    firm_id: Mapped[OptUuid]
    want: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    lease_owner: Mapped[uuid.UUID | None] = mapped_column()
    lease_until: Mapped[OptInstant]
    attempts: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    next_at: Mapped[dt.datetime] = _moment()
    since: Mapped[dt.datetime] = _moment()
    last_error: Mapped[str] = mapped_column(Text, server_default="", default="")


def _count() -> Any:
    return mapped_column(BigInteger, server_default=text("0"), default=0)


def _text() -> Any:
    return mapped_column(Text, server_default="", default="")


class Operation(TenantRow, Base):
    """A change that somebody asked for, kept before Stripe hears of it; one of a firm is open at a time.

    :param desired: the end that is wanted, in full, so that asking twice asks for the same.
    :param round: counts new keys: only a failure that Stripe saved and would repeat needs one.
    """

    __tablename__ = "billing_operations"
    __table_args__ = tenant_args(
        "billing_operations",
        tenant_index("billing_operations", "made", "made_at", "id"),
        Index(
            "billing_operations_open_key",
            "tenant_id",
            unique=True,
            postgresql_where=text("state IN ('pending', 'sent')"),
        ),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("state IN ('pending', 'sent', 'done', 'failed', 'needs_action')", name="state"),
    )

    kind: Mapped[Str]
    desired: Mapped[Json]
    state: Mapped[Str]
    url: Mapped[str] = _text()
    error: Mapped[str] = _text()
    attempts: Mapped[int] = _count()
    round: Mapped[int] = _count()
    actor_id: Mapped[OptUuid]
    actor_name: Mapped[Str]
    made_at: Mapped[Instant]
    sent_at: Mapped[OptInstant]
    ended_at: Mapped[OptInstant]


class ReconRun(Base):
    """One night's comparison with Stripe."""

    __tablename__ = "billing_recon_runs"
    __table_args__ = ({"info": {"scope": "local"}},)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = _moment()
    looked: Mapped[int] = _count()
    found: Mapped[int] = _count()
    repaired: Mapped[int] = _count()
    seconds: Mapped[int] = _count()


class ReconDiff(Base):
    """Something about which we and Stripe disagree, since when and through how many runs."""

    __tablename__ = "billing_recon_diffs"
    __table_args__ = ({"info": {"scope": "local"}},)

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    object_id: Mapped[str] = mapped_column(Text, primary_key=True)
    customer_id: Mapped[str] = _text()
    detail: Mapped[str] = _text()
    first_at: Mapped[dt.datetime] = _moment()
    last_at: Mapped[dt.datetime] = _moment()
    runs: Mapped[int] = _count()
