"""Users and their sign-in sessions; global, because one person may work in several tenants."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask_security import AsaList, UserMixin
from sqlalchemy import BigInteger, Boolean, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.ids import new_id
from kehu.core.tables import Base


class User(Base, UserMixin):
    """A person who signs in. `email` is kept as written, `email_norm` is compared."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email_key", "email_norm", unique=True),
        Index("users_uniquifier_key", "fs_uniquifier", unique=True),
        {"info": {"scope": "reference"}},
    )

    id: Mapped[uuid.UUID] = mapped_column(  # type: ignore[assignment]  # the mixin's hint says int
        UUID(as_uuid=True), primary_key=True, default=new_id
    )
    email: Mapped[str] = mapped_column(Text)
    email_norm: Mapped[str] = mapped_column(Text(collation="C"))
    name: Mapped[str] = mapped_column(Text, server_default="")
    locale: Mapped[str] = mapped_column(Text, server_default="")
    password: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    fs_uniquifier: Mapped[str] = mapped_column(Text)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    tf_primary_method: Mapped[str | None] = mapped_column(Text)
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    tf_phone_number: Mapped[str | None] = mapped_column(Text)
    tf_counter: Mapped[int | None] = mapped_column(BigInteger)
    """Of the latest code that let him in: codes up to it are used up."""
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))
    operator: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    prefs: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
    created_at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )

    @property
    def roles(self) -> list[Any]:  # type: ignore[override]
        """Roles are a member's, not a user's; Flask-Security asks all the same."""
        return []


class LoginSession(Base):
    """One signed-in browser of a user; listed and revocable."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index("login_sessions_user_idx", "user_id"), {"info": {"scope": "local"}})

    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    created_at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )
    seen_at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, server_default=func.now()
    )
    address: Mapped[str] = mapped_column(Text, server_default="")
    agent: Mapped[str] = mapped_column(Text, server_default="")
    revoked_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class CrossTenantUse(Base):
    """One use of the role that sees all tenants (`kehu.core.db.cross_tenant`)."""

    __tablename__ = "cross_tenant_uses"
    __table_args__ = ({"info": {"scope": "local"}},)

    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id)
    at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
