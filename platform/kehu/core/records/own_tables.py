"""Tables of the fields that firms make themselves: their definitions, and index rows of their values."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Double, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Flag,
    Json,
    JsonList,
    RecordRow,
    StrC,
    TenantOwned,
    tenant_args,
    tenant_fk,
    tenant_index,
)


class CustomField(RecordRow, Base):
    """A field that a firm added to a type of record.

    `key` is its name everywhere, `slot` the place of its values in the record's `custom`; a change of the kind gives
    it another slot, so that what stood there before can be had back.
    """

    __tablename__ = "custom_fields"
    __table_args__ = tenant_args(
        "custom_fields",
        tenant_index("custom_fields", "key", "object", "key", unique=True),
        CheckConstraint("state IN ('active', 'retired')", name="state"),
    )

    object: Mapped[StrC]
    key: Mapped[StrC]
    slot: Mapped[StrC]
    label: Mapped[str] = mapped_column(Text)
    label_en: Mapped[str] = mapped_column(Text, server_default="", default="")
    """Its name for who reads English; empty: `label`."""
    label_zh_hans: Mapped[str] = mapped_column(Text, server_default="", default="")
    label_zh_hant: Mapped[str] = mapped_column(Text, server_default="", default="")
    label_ru: Mapped[str] = mapped_column(Text, server_default="", default="")
    kind: Mapped[StrC]
    help: Mapped[str] = mapped_column(Text, server_default="", default="")
    section: Mapped[str] = mapped_column(Text, server_default="", default="")
    state: Mapped[str] = mapped_column(Text, server_default="active", default="active")
    required: Mapped[Flag]
    only_one: Mapped[Flag]
    """No two records have the same value."""
    in_list: Mapped[Flag]
    at_create: Mapped[Flag]
    searchable: Mapped[Flag]
    options: Mapped[JsonList]
    target: Mapped[str] = mapped_column(Text, server_default="", default="")
    currency: Mapped[str] = mapped_column(Text, server_default="", default="")
    minimum: Mapped[int | None] = mapped_column(BigInteger)
    maximum: Mapped[int | None] = mapped_column(BigInteger)
    initial: Mapped[str] = mapped_column(Text, server_default="", default="")
    """The value of a new record that nobody gave, as it would be typed."""
    formula: Mapped[str] = mapped_column(Text, server_default="", default="")
    former: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"), default=list)
    """What it was before changes of its kind, the latest first: kind, slot, options and when."""
    changing: Mapped[Json]
    """The change of its kind that is under way; empty when none is."""
    position: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)


class CustomIndex(TenantOwned, Base):
    """A value of an own field, typed, so that an index finds and orders records by it (DATABASE.md 1.4)."""

    __tablename__ = "custom_values"
    __table_args__ = tenant_args(
        "custom_values",
        tenant_fk("custom_values", "field_id", "custom_fields", ondelete="CASCADE"),
        tenant_index("custom_values", "word", "field_id", "word", "record_id", where="word IS NOT NULL"),
        tenant_index(
            "custom_values", "number", "field_id", "number", "record_id", where="number IS NOT NULL"
        ),
        tenant_index("custom_values", "sole", "field_id", "sole", unique=True, where="sole IS NOT NULL"),
    )

    field_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    record_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, default=0)
    """Of several values of one record, from 0."""
    word: Mapped[str | None] = mapped_column(Text(collation="C"))
    number: Mapped[float | None] = mapped_column(Double)
    sole: Mapped[str | None] = mapped_column(Text(collation="C"))
    """The value of a field that allows each value once."""
