"""Names that firms had, and domains of their own; global, because hosts are looked up before the firm is known."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import Base, Instant, OptInstant, Str, StrC, UuidCol

SERVING = ("verified", "failing")
STATES = ("waiting", *SERVING, "lapsed")
"""Never checked well; right; wrong of late but still served; wrong for too long."""


class OldAddress(Base):
    """A name that a firm had: it leads to the new one, and nobody else gets it, until a moment."""

    __tablename__ = "old_addresses"
    __table_args__ = (Index("old_addresses_firm_idx", "firm_id"), {"info": {"scope": "local"}})

    address: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    firm_id: Mapped[UuidCol]
    until: Mapped[Instant]


class Domain(Base):
    """A firm's own domain. Two firms may claim one; the one whose token stands in the name servers gets it.

    :param token: what its TXT record must say.
    :param error: which record is wrong: txt, target or dns; `seen` is what was found in its place.
    """

    __tablename__ = "firm_domains"
    __table_args__ = (
        Index("firm_domains_host_key", "host", unique=True, postgresql_where=text(f"state IN {SERVING}")),
        Index("firm_domains_claimed_idx", "host"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        {"info": {"scope": "local"}},
    )

    firm_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    host: Mapped[StrC]
    token: Mapped[Str]
    state: Mapped[Str]
    made_at: Mapped[Instant]
    asked_at: Mapped[OptInstant]
    checked_at: Mapped[OptInstant]
    verified_at: Mapped[OptInstant]
    failing_since: Mapped[OptInstant]
    error: Mapped[str] = mapped_column(Text, server_default="", default="")
    seen: Mapped[str] = mapped_column(Text, server_default="", default="")
