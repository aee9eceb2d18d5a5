"""Attached files; the bytes lie in the installation's file store."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import Base, RecordRow, tenant_args, tenant_index


class File(RecordRow, Base):
    """A file at a record (CUS-16); `size` in bytes, `sha256` names the bytes in the store."""

    __tablename__ = "files"
    __table_args__ = tenant_args(
        "files",
        tenant_index("files", "record", "object", "record_id", "id"),
        tenant_index("files", "customer", "customer_id", "id"),
    )

    object: Mapped[str] = mapped_column(Text)
    record_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
