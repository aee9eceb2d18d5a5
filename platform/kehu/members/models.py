"""Members, roles, teams, invitations and API tokens of a tenant."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core import clock
from kehu.core.tables import Base, Flag, Json, RecordRow, TenantRow, tenant_args, tenant_fk, tenant_index


class Team(TenantRow, Base):
    """A group of members that share a scope."""

    __tablename__ = "teams"
    __table_args__ = tenant_args("teams", tenant_index("teams", "name", "name", unique=True))

    name: Mapped[str] = mapped_column(Text)


class Role(TenantRow, Base):
    """What members may do: permission code -> own, team or all."""

    __tablename__ = "roles"
    __table_args__ = tenant_args("roles", tenant_index("roles", "code", "code", unique=True))

    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    permissions: Mapped[Json]
    builtin: Mapped[Flag]


class Member(RecordRow, Base):
    """A user within a tenant. A placeholder stands for a person that an import named and nobody invited yet."""

    __tablename__ = "members"
    __table_args__ = tenant_args(
        "members",
        tenant_fk("members", "role_id", "roles"),
        tenant_fk("members", "team_id", "teams"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="members_user_fkey"),
        tenant_index("members", "user", "user_id", unique=True),
        tenant_index("members", "name", "name_norm", "id"),
        tenant_index("members", "team", "team_id"),
        CheckConstraint("state IN ('active', 'invited', 'placeholder', 'parked')", name="state"),
    )

    user_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    role_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    team_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    email: Mapped[str] = mapped_column(Text, server_default="")
    email_norm: Mapped[str] = mapped_column(Text(collation="C"), server_default="")
    title: Mapped[str] = mapped_column(Text, server_default="")
    state: Mapped[str] = mapped_column(Text, server_default="active")
    prefs: Mapped[Json]


class Invitation(TenantRow, Base):
    """An offer to join, by a link whose secret only the mail holds."""

    __tablename__ = "invitations"
    __table_args__ = tenant_args(
        "invitations",
        tenant_fk("invitations", "member_id", "members", ondelete="CASCADE"),
        tenant_index("invitations", "member", "member_id"),
    )

    member_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    secret_hash: Mapped[str] = mapped_column(Text)
    invited_by: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    expires_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))


class ApiToken(TenantRow, Base):
    """A bearer token of a member, narrowed to scopes; only its hash is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = tenant_args(
        "api_tokens",
        tenant_fk("api_tokens", "member_id", "members", ondelete="CASCADE"),
        tenant_index("api_tokens", "member", "member_id"),
    )

    member_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(Text(collation="C"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    used_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
