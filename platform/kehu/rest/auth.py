"""Bearer tokens: `kehu_<tenant>_<token>_<secret>`; the tenant stands in front so that one look-up is enough."""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import uuid
from dataclasses import replace
from typing import Any

from flask import g
from sqlalchemy import and_, bindparam, or_, select

from kehu.accounts.models import User
from kehu.core import clock, context, db, hooks
from kehu.core.context import Scope
from kehu.core.errors import SignInNeeded
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.members.models import ApiToken, Member, Role


def make_secret() -> tuple[str, str]:
    """Return a new secret and the hash that is kept."""
    secret = secrets.token_urlsafe(32).replace("_", "-")
    return secret, hash_secret(secret)


def hash_secret(secret: str) -> str:
    """Return the hash of a secret; it is long and random, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_text(tenant_id: uuid.UUID, token_id: uuid.UUID, secret: str) -> str:
    """Return a token as it is shown once."""
    return f"kehu_{tenant_id.hex}_{token_id.hex}_{secret}"


def authenticate(header: str) -> None:
    """Bind tenant and actor of a bearer token to the request.

    :raises SignInNeeded: when the token is unknown, revoked or out of date.
    """
    scheme, _space, text = header.partition(" ")
    parts = text.strip().split("_")
    if scheme.lower() != "bearer" or len(parts) != 4 or parts[0] != "kehu":
        raise _refused()
    tenant_id, token_id = parse_id(parts[1]), parse_id(parts[2])
    if tenant_id is None or token_id is None:
        raise _refused()
    tenant = hooks.tenant_by_id(tenant_id)
    if tenant is None or tenant.state != "active":
        raise _refused()
    db.bind_tenant(tenant)
    row = _load(token_id)
    if row is None or not hmac.compare_digest(row.secret_hash, hash_secret(parts[3])):
        raise _refused()
    actor = context.Actor(
        kind="api",
        member_id=row.member_id,
        user_id=row.user_id,
        name=row.name,
        role=row.code,
        team_id=row.team_id,
        permissions=narrowed(row.permissions, row.scopes),
        token_id=token_id,
    )
    g.token_id = token_id
    context.set_context(replace(context.current(), actor=actor, via=row.token_name))


def narrowed(granted: dict[str, Scope], scopes: list[str]) -> dict[str, Scope]:
    """Return the permissions of a role as far as a token's scopes reach.

    A scope is a permission code, `<resource>:*`, `*:read` or `*`.
    """
    wanted = set(scopes)

    def kept(code: str) -> bool:
        resource, _colon, action = code.partition(":")
        return bool(wanted & {code, f"{resource}:*", f"*:{action}", "*"})

    return {code: scope for code, scope in granted.items() if kept(code)}


@functools.cache
def _statement() -> Any:
    """Return the look-up of a token; built once, since every call needs it."""
    return (
        select(
            ApiToken.secret_hash,
            ApiToken.scopes,
            ApiToken.used_at,
            ApiToken.name.label("token_name"),
            Member.id.label("member_id"),
            Member.user_id,
            Member.name,
            Member.team_id,
            Role.code,
            Role.permissions,
        )
        .join(Member, and_(Member.tenant_id == ApiToken.tenant_id, Member.id == ApiToken.member_id))
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .join(User, and_(User.id == Member.user_id, User.active))
        .where(
            ApiToken.id == bindparam("token"),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > bindparam("now")),
            Member.state == "active",
            Member.deleted_at.is_(None),
        )
    )


def _load(token_id: uuid.UUID) -> Any:
    return db.session().execute(_statement(), {"token": token_id, "now": clock.now()}).first()


def _refused() -> SignInNeeded:
    return SignInNeeded(
        _("This token is unknown, revoked or out of date. Make a new one under Settings, API tokens.")
    )
