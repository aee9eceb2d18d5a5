"""What pages ask about members, roles, teams and tokens."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.orm import Session

from kehu.core.records.listing import COUNT_BOUND
from kehu.core.text import fold, normal_email
from kehu.members.models import ApiToken, Member, Role, Team

PAGE = 100

_COLUMNS = (
    Member.id,
    Member.version,
    Member.name,
    Member.name_norm,
    Member.email,
    Member.title,
    Member.state,
    Member.user_id,
    Member.role_id,
    Member.team_id,
    Role.code.label("role_code"),
    Role.name.label("role_name"),
    Team.name.label("team_name"),
)


@dataclass(frozen=True, kw_only=True)
class MemberFilter:
    """What a list of members is narrowed to."""

    q: str = ""
    state: str = ""
    after: str = ""
    limit: int = PAGE


def _joined() -> Any:
    return (
        select(*_COLUMNS)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .outerjoin(Team, and_(Team.tenant_id == Member.tenant_id, Team.id == Member.team_id))
        .where(Member.deleted_at.is_(None))
    )


def list_members(session: Session, wanted: MemberFilter) -> Sequence[Row[Any]]:
    """Return members by name; one more than the page holds tells that there are more."""
    statement = _joined()
    if wanted.q:
        needle = fold(wanted.q)
        statement = statement.where(
            or_(
                Member.name_norm.contains(needle, autoescape=True),
                Member.email_norm.contains(normal_email(wanted.q), autoescape=True),
            )
        )
    if wanted.state:
        statement = statement.where(Member.state == wanted.state)
    if wanted.after:
        statement = statement.where(Member.name_norm > wanted.after)
    rows: Sequence[Row[Any]] = session.execute(
        statement.order_by(Member.name_norm, Member.id).limit(wanted.limit + 1)
    ).all()
    return rows


def get_member(session: Session, member_id: uuid.UUID) -> Row[Any] | None:
    """Return one member with role and team."""
    found: Row[Any] | None = session.execute(_joined().where(Member.id == member_id)).first()
    return found


def members_who_may(session: Session, permission: str, *, roles: Collection[str] = ()) -> list[uuid.UUID]:
    """Return the active members whose role grants a permission, by name.

    :param roles: only members with these built-in roles.
    """
    grants = or_(Role.code == "owner", Role.permissions.has_key(permission))
    statement = (
        select(Member.id)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Member.state == "active", Member.deleted_at.is_(None), grants)
        .order_by(Member.name_norm, Member.id)
        .limit(500)
    )
    if roles:
        statement = statement.where(Role.code.in_(roles))
    return list(session.execute(statement).scalars())


def roles(session: Session) -> Sequence[Role]:
    """Return the roles, built-in ones first, in the order of their power."""
    order = {code: number for number, code in enumerate(("owner", "admin", "manager", "member", "viewer"))}
    found = session.execute(select(Role).limit(200)).scalars().all()
    return sorted(found, key=lambda role: (order.get(role.code, 9), role.name))


def teams(session: Session) -> Sequence[Row[Any]]:
    """Return the teams by name, with how many members each has."""
    counted = (
        select(func.count())
        .select_from(Member)
        .where(Member.tenant_id == Team.tenant_id, Member.team_id == Team.id, Member.deleted_at.is_(None))
        .correlate(Team)
        .scalar_subquery()
    )
    return session.execute(
        select(Team.id, Team.name, counted.label("members")).order_by(Team.name).limit(500)
    ).all()


def members_by_role(session: Session) -> dict[uuid.UUID, int]:
    """Return how many members each role has."""
    statement = (
        select(Member.role_id, func.count()).where(Member.deleted_at.is_(None)).group_by(Member.role_id)
    )
    return {role_id: min(number, COUNT_BOUND) for role_id, number in session.execute(statement).all()}


def tokens(session: Session) -> Sequence[Row[Any]]:
    """Return the API tokens, newest first, with the member whose rights they carry."""
    statement = (
        select(
            ApiToken.id,
            ApiToken.name,
            ApiToken.scopes,
            ApiToken.created_at,
            ApiToken.used_at,
            ApiToken.expires_at,
            ApiToken.revoked_at,
            Member.name.label("member_name"),
        )
        .join(Member, and_(Member.tenant_id == ApiToken.tenant_id, Member.id == ApiToken.member_id))
        .order_by(ApiToken.created_at.desc())
        .limit(200)
    )
    rows: Sequence[Any] = session.execute(statement).all()
    return rows
