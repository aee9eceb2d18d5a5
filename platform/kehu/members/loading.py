"""Who is asking: one query from a session cookie, a member or a token to an actor."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from kehu.accounts.models import LoginSession, User
from kehu.core import clock, context
from kehu.core.permissions import everything
from kehu.members.models import Member, Role

_MEMBER = (
    Member.id,
    Member.name,
    Member.email,
    Member.team_id,
    Member.prefs,
    Role.code.label("role_code"),
    Role.permissions.label("permissions"),
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A signed-in person, and the member that he is in the present tenant, if any."""

    user_id: uuid.UUID
    email: str
    locale: str
    session_id: uuid.UUID
    actor: context.Actor | None
    confirmed: bool


def _actor(
    row: Any, *, kind: context.ActorKind, user_id: uuid.UUID | None, locale: str = "", **more: Any
) -> context.Actor:
    return context.Actor(
        kind=kind,
        member_id=row.id,
        user_id=user_id,
        name=row.name,
        email=row.email,
        role=row.role_code,
        team_id=row.team_id,
        # Owners may do everything, also what a later release or a plugin brings.
        permissions=everything() if row.role_code == "owner" else row.permissions,
        locale=locale,
        prefs=row.prefs,
        **more,
    )


def load_identity(session: Session, user_key: str, session_id: uuid.UUID) -> Identity | None:
    """Return the person behind a session cookie, or None when the session was revoked or the user switched off.

    :param user_key: the `fs_uniquifier` that Flask-Login keeps; a password change renews it.
    """
    columns: list[Any] = [User.id, User.email, User.locale, User.confirmed_at, LoginSession.seen_at]
    statement = select(*[column.label(f"u_{column.key}") for column in columns]).join(
        LoginSession,
        and_(
            LoginSession.id == session_id, LoginSession.user_id == User.id, LoginSession.revoked_at.is_(None)
        ),
    )
    tenant = context.current().tenant
    if tenant is not None:
        statement = (
            statement.add_columns(*_MEMBER)
            .outerjoin(
                Member, and_(Member.user_id == User.id, Member.state == "active", Member.deleted_at.is_(None))
            )
            .outerjoin(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        )
    row = session.execute(statement.where(User.fs_uniquifier == user_key, User.active)).first()
    if row is None:
        return None
    if (clock.now() - row.u_seen_at).total_seconds() > 300:
        found = session.get(LoginSession, session_id)
        if found is not None:
            found.seen_at = clock.now()
    actor = None
    if tenant is not None and row.id is not None:
        actor = _actor(row, kind="member", user_id=row.u_id, locale=row.u_locale, session_id=session_id)
    return Identity(
        user_id=row.u_id,
        email=row.u_email,
        locale=row.u_locale,
        session_id=session_id,
        actor=actor,
        confirmed=row.u_confirmed_at is not None,
    )


def actor_of_member(
    session: Session, member_id: uuid.UUID, *, kind: context.ActorKind = "member"
) -> context.Actor | None:
    """Return the actor for a member of the present tenant (jobs, commands)."""
    statement = (
        select(*_MEMBER, Member.user_id)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Member.id == member_id, Member.deleted_at.is_(None))
    )
    row = session.execute(statement).first()
    return _actor(row, kind=kind, user_id=row.user_id) if row is not None else None


def actor_of_job(session: Session, member_id: uuid.UUID) -> context.Actor | None:
    """Return the actor on whose behalf a job runs; one who was kept out since the job was queued has no rights left."""
    found = actor_of_member(session, member_id, kind="job")
    statement = (
        select(Member.id)
        .join(User, and_(User.id == Member.user_id, User.active))
        .where(Member.id == member_id, Member.state == "active")
    )
    let_in = session.execute(statement).first() is not None
    return replace(found, permissions={}) if found is not None and not let_in else found
