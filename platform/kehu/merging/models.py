"""Merges with all that is needed to take them back, and pairs of which somebody said that they are no doubles."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Instant,
    Json,
    JsonList,
    OptUuid,
    RecordRow,
    Str,
    TenantRow,
    UuidCol,
    tenant_args,
    tenant_index,
)

DONE = "state = 'done'"


class Merge(TenantRow, Base):
    """One record that went into another.

    `now_id` is where the dropped record's address leads: the kept one, or the one into which that was merged later.
    `moved` says which rows point elsewhere since, `changed` which rows have other values, `fields` what became of
    the kept record's own values, `notes` what plugins have to remember.
    `how` says who merged: a `person`, or the `rule`.
    """

    __tablename__ = "merges"
    __table_args__ = tenant_args(
        "merges",
        tenant_index("merges", "drop", "object", "drop_id", unique=True, where=DONE),
        tenant_index("merges", "now", "object", "now_id", "id"),
        CheckConstraint("state IN ('done', 'undone')", name="state"),
    )

    object: Mapped[Str]
    keep_id: Mapped[UuidCol]
    drop_id: Mapped[UuidCol]
    now_id: Mapped[UuidCol]
    state: Mapped[str] = mapped_column(Text, default="done", server_default=text("'done'"))
    how: Mapped[str] = mapped_column(Text, default="person", server_default=text("'person'"))
    moved: Mapped[JsonList]
    changed: Mapped[JsonList]
    fields: Mapped[Json]
    notes: Mapped[Json]
    at: Mapped[Instant]
    by: Mapped[OptUuid]
    undone_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    undone_by: Mapped[OptUuid]


class LikelyDouble(TenantRow, Base):
    """Two records that the last look through the whole firm held for one.

    A page weighs them again before it shows them. `millionths` is how probable it was.
    """

    __tablename__ = "likely_doubles"
    __table_args__ = tenant_args(
        "likely_doubles",
        tenant_index("likely_doubles", "pair", "object", "low_id", "high_id", unique=True),
        tenant_index("likely_doubles", "likely", "object", "millionths", "id"),
    )

    object: Mapped[Str]
    low_id: Mapped[UuidCol]
    high_id: Mapped[UuidCol]
    millionths: Mapped[int] = mapped_column(BigInteger)


class NoDouble(TenantRow, Base):
    """Two records of whom somebody said that they are not the same; `low_id` is the lesser, so a pair is kept once."""

    __tablename__ = "no_doubles"
    __table_args__ = tenant_args(
        "no_doubles",
        tenant_index("no_doubles", "pair", "object", "low_id", "high_id", unique=True),
    )

    object: Mapped[Str]
    low_id: Mapped[UuidCol]
    high_id: Mapped[UuidCol]
    said_at: Mapped[Instant]
    said_by: Mapped[OptUuid]


class MergeRule(RecordRow, Base):
    """Whether certain doubles of a kind are merged by themselves; no row means that they are not."""

    __tablename__ = "merge_rules"
    __table_args__ = tenant_args(
        "merge_rules",
        tenant_index("merge_rules", "object", "object", unique=True, where="deleted_at IS NULL"),
        CheckConstraint("object IN ('customers', 'contacts')", name="object"),
    )

    object: Mapped[Str]
    active: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
