"""Imports, the rows that were refused, and saved mappings."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Json,
    JsonList,
    OptStr,
    RecordRow,
    TenantRow,
    tenant_args,
    tenant_fk,
    tenant_index,
)


class Import(RecordRow, Base):
    """One upload on its way into records. `done_rows` is the last row that was committed: a restart goes on there."""

    __tablename__ = "imports"
    __table_args__ = tenant_args(
        "imports",
        tenant_fk("imports", "owner_id", "members"),
        tenant_index("imports", "created", "created_at", "id"),
        CheckConstraint(
            "state IN ('uploaded', 'checking', 'checked', 'queued', 'running', 'done', 'failed', 'undoing', 'undone')",
            name="state",
        ),
    )

    object: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, default="uploaded", server_default="uploaded")
    format: Mapped[Json]
    mapping: Mapped[Json]
    options: Mapped[Json]
    total_rows: Mapped[int | None] = mapped_column(BigInteger)
    done_rows: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    created_count: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    updated_count: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    unchanged_count: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    error_count: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    report: Mapped[Json]
    message: Mapped[OptStr]
    started_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class RefusedRow(TenantRow, Base):
    """A row that was refused, with what was wrong in which column."""

    __tablename__ = "import_errors"
    __table_args__ = tenant_args(
        "import_errors",
        tenant_fk("import_errors", "import_id", "imports", ondelete="CASCADE"),
        tenant_index("import_errors", "row", "import_id", "row"),
    )

    import_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    row: Mapped[int] = mapped_column(BigInteger)
    cells: Mapped[JsonList]
    errors: Mapped[Json]


class ImportMapping(TenantRow, Base):
    """The mapping that was used last for files with the same header."""

    __tablename__ = "import_mappings"
    __table_args__ = tenant_args(
        "import_mappings", tenant_index("import_mappings", "header", "object", "header_hash", unique=True)
    )

    object: Mapped[str] = mapped_column(Text)
    header_hash: Mapped[str] = mapped_column(Text(collation="C"))
    mapping: Mapped[Json]
    options: Mapped[Json]
