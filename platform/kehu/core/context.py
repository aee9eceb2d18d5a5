"""Who is asking: tenant, actor and request, for the length of one unit of work."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from kehu.core.errors import Forbidden, SignInNeeded
from kehu.core.i18n import _

Scope = Literal["own", "team", "all"]
ActorKind = Literal["member", "api", "job", "import", "plugin", "support", "system"]
_WIDTH: dict[str, int] = {"own": 1, "team": 2, "all": 3}


@dataclass(frozen=True, kw_only=True)
class TenantInfo:
    """What the platform needs to know of a tenant; filled by `tenants/` through a hook."""

    id: uuid.UUID
    address: str
    name: str
    currency: str = "EUR"
    zone: str = "UTC"
    locale: str = "en"
    country: str = ""
    plugins: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    state: str = "active"
    demo: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tz(self) -> ZoneInfo:
        """The tenant's time zone."""
        return ZoneInfo(self.zone)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a member, or a job or import on behalf of one.

    :param visit_id: of an operator who is inside for support; `member_id` is then the owner who let him in.
    """

    kind: ActorKind = "member"
    member_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None
    name: str = ""
    email: str = ""
    role: str = ""
    team_id: uuid.UUID | None = None
    permissions: Mapping[str, Scope] = field(default_factory=dict)
    locale: str = ""
    prefs: Mapping[str, Any] = field(default_factory=dict)
    token_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None
    visit_id: uuid.UUID | None = None

    def scope(self, permission: str) -> Scope | None:
        """Return how far a permission reaches for this actor, or None when it is not granted."""
        if self.kind == "system":
            return "all"
        return self.permissions.get(permission)

    def may(self, permission: str) -> bool:
        """Tell whether a permission is granted in any scope."""
        return self.scope(permission) is not None

    def require(self, permission: str) -> Scope:
        """Return the scope of a permission.

        :raises Forbidden: when it is not granted.
        :raises PaymentNeeded: for one that writes, while the firm may only read.
        """
        scope = self.scope(permission)
        if scope is None:
            from kehu.core import permissions  # It knows actors.

            raise Forbidden(
                _(
                    "Your role does not allow this. Ask an admin of your firm for the right “%(name)s”.",
                    name=permissions.name_of(permission),
                ),
                permission=permission,
            )
        from kehu.core import gate  # It asks through the hooks, which know the context.

        gate.refuse_writing(self, permission)
        return scope


SYSTEM = Actor(kind="system", name="Kehu")
"""The product itself: sign-up, sweeps, migrations of data."""


def narrower(one: Scope, other: Scope) -> Scope:
    """Return the narrower of two scopes."""
    return one if _WIDTH[one] <= _WIDTH[other] else other


@dataclass(frozen=True, kw_only=True)
class Context:
    """One unit of work: who, for which tenant, under which request id.

    :param source: the way by which changes come: web, api, import, job, rule …
    :param via: the name of what they come through, such as a rule's or an API token's; see `by_rule`.
    """

    tenant: TenantInfo | None = None
    actor: Actor | None = None
    request_id: str = ""
    source: str = ""
    via: str = ""
    started: dt.datetime | None = None


_context: ContextVar[Context] = ContextVar("kehu_context", default=Context())  # noqa: B039 - frozen, never mutated


def current() -> Context:
    """Return the context of the running unit of work (empty outside of one)."""
    return _context.get()


def tenant() -> TenantInfo:
    """Return the present tenant.

    :raises SignInNeeded: when no tenant is bound.
    """
    found = _context.get().tenant
    if found is None:
        raise SignInNeeded(_("Sign in to go on."))
    return found


def actor() -> Actor:
    """Return the present actor.

    :raises SignInNeeded: when nobody is signed in.
    """
    found = _context.get().actor
    if found is None:
        raise SignInNeeded(_("Sign in to go on."))
    return found


def set_context(context: Context) -> None:
    """Replace the context (request wrapper only; elsewhere use `use`)."""
    _context.set(context)


@contextmanager
def use(**changes: Any) -> Iterator[Context]:
    """Change parts of the context within the block."""
    token = _context.set(replace(_context.get(), **changes))
    try:
        yield _context.get()
    finally:
        _context.reset(token)


@contextmanager
def by_rule(name: str) -> Iterator[Context]:
    """Let the trail say of all that is written within the block that a rule of the firm did it.

    :param name: what the firm calls the rule.
    """
    with use(source="rule", via=name) as found:
        yield found
