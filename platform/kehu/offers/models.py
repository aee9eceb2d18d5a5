"""Rules of offers, their words, and the offers that came of them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Flag,
    OptStr,
    OptUuid,
    RecordRow,
    Str,
    StrC,
    UuidCol,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"
WAITING = "state IN ('open', 'contacted') AND deleted_at IS NULL"
"""Offers of which something may still become."""


class OfferRule(RecordRow, Base):
    """What is offered when: a kind of dated thing, so many days before, by mail or as a task."""

    __tablename__ = "offer_rules"
    __table_args__ = tenant_args(
        "offer_rules",
        tenant_fk("offer_rules", "product_id", "products"),
        tenant_fk("offer_rules", "pipeline_id", "pipelines"),
        tenant_fk("offer_rules", "owner_id", "members"),
        tenant_index("offer_rules", "name", "name_norm", "id", where=LIVE),
        tenant_index("offer_rules", "product", "product_id"),
        tenant_index("offer_rules", "pipeline", "pipeline_id"),
        tenant_index("offer_rules", "owner", "owner_id"),
        CheckConstraint("channel IN ('task', 'mail')", name="channel"),
        CheckConstraint("purpose IN ('marketing', 'service')", name="purpose"),
        CheckConstraint("hold_tickets IN ('any', 'high', 'none')", name="hold_tickets"),
        CheckConstraint("holdout BETWEEN 0 AND 50", name="holdout"),
    )

    name: Mapped[Str]
    name_norm: Mapped[StrC]
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    source: Mapped[StrC]
    months_after: Mapped[int | None] = mapped_column(BigInteger)
    product_id: Mapped[OptUuid]
    ladder: Mapped[Str]
    channel: Mapped[Str]
    purpose: Mapped[Str]
    holdout: Mapped[int] = mapped_column(BigInteger)
    hold_tickets: Mapped[Str]
    pipeline_id: Mapped[OptUuid]
    owner_id: Mapped[OptUuid]
    description: Mapped[OptStr]


class OfferText(RecordRow, Base):
    """The words of a rule's mail in one language."""

    __tablename__ = "offer_texts"
    __table_args__ = tenant_args(
        "offer_texts",
        tenant_fk("offer_texts", "rule_id", "offer_rules", ondelete="CASCADE"),
        tenant_index("offer_texts", "one", "rule_id", "locale", unique=True, where=LIVE),
    )

    rule_id: Mapped[UuidCol]
    locale: Mapped[StrC]
    subject: Mapped[Str]
    body: Mapped[Str]


class Offer(RecordRow, Base):
    """One thing of one customer whose day comes, and what became of it.

    `thing` tells the dated thing apart within its rule (an id, or what a plugin calls it); a customer gets one offer
    for it and rule. `rung` is the step of the ladder that was done last; `next_on` the day on which somebody has to
    do something.
    """

    __tablename__ = "offers"
    __table_args__ = tenant_args(
        "offers",
        tenant_fk("offers", "rule_id", "offer_rules", ondelete="CASCADE"),
        tenant_fk("offers", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("offers", "contact_id", "contacts"),
        tenant_fk("offers", "item_id", "owned_items", ondelete="CASCADE"),
        tenant_fk("offers", "term_id", "owned_item_terms", ondelete="CASCADE"),
        tenant_fk("offers", "deal_id", "deals"),
        tenant_fk("offers", "message_id", "messages"),
        tenant_fk("offers", "activity_id", "activities"),
        tenant_fk("offers", "owner_id", "members"),
        tenant_index("offers", "thing", "rule_id", "thing", "customer_id", unique=True),
        tenant_index("offers", "due", "due_on", "id", where=LIVE),
        tenant_index("offers", "waiting", "rule_id", "next_on", "id", where=WAITING),
        tenant_index("offers", "work", "next_on", "id", where=LIVE),
        tenant_index("offers", "rule", "rule_id", "due_on", "id"),
        tenant_index("offers", "customer", "customer_id", "due_on", "id"),
        tenant_index("offers", "owner", "owner_id", "due_on", "id", where=LIVE),
        tenant_index("offers", "item", "item_id"),
        tenant_index("offers", "term", "term_id"),
        tenant_index("offers", "contact", "contact_id"),
        tenant_index("offers", "deal", "deal_id"),
        tenant_index("offers", "message", "message_id"),
        tenant_index("offers", "activity", "activity_id"),
        CheckConstraint("state IN ('open', 'contacted', 'accepted', 'declined', 'stopped')", name="state"),
        CheckConstraint("NOT (held_out AND contacts > 0)", name="held_out"),
    )

    rule_id: Mapped[UuidCol]
    thing: Mapped[StrC]
    customer_id: Mapped[UuidCol]
    contact_id: Mapped[OptUuid]
    item_id: Mapped[OptUuid]
    term_id: Mapped[OptUuid]
    name: Mapped[Str]
    due_on: Mapped[dt.date] = mapped_column(Date)
    basis: Mapped[OptStr]
    state: Mapped[str] = mapped_column(Text, default="open", server_default="open")
    reason: Mapped[OptStr]
    note: Mapped[OptStr]
    rung: Mapped[int | None] = mapped_column(BigInteger)
    next_on: Mapped[dt.date] = mapped_column(Date)
    contacts: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    contacted_on: Mapped[dt.date | None] = mapped_column(Date)
    held_out: Mapped[Flag]
    renewed_on: Mapped[dt.date | None] = mapped_column(Date)
    closed_on: Mapped[dt.date | None] = mapped_column(Date)
    deal_id: Mapped[OptUuid]
    message_id: Mapped[OptUuid]
    activity_id: Mapped[OptUuid]
    owner_id: Mapped[OptUuid]
