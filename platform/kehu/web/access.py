"""Which permission a page needs; each endpoint names one or stands on the public list."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from kehu.core import context, permissions
from kehu.web.security import PROVEN

F = TypeVar("F", bound=Callable[..., Any])

SIGNED_IN = "signed_in"
"""Any member; the service checks what the page does."""

PUBLIC = "public"
"""Anybody, without a tenant."""

USER = "user"
"""A signed-in person, who need not be a member of the present tenant."""


def needs(code: str) -> Callable[[F], F]:
    """Require a permission (`customers:read`) before a view runs; the scope is applied by the query or service."""

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            permissions.require(context.actor(), code)
            return view(*args, **kwargs)

        guarded.kehu_access = code  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def signed_in(view: F) -> F:
    """Require a member, whatever the role."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        context.actor()
        return view(*args, **kwargs)

    guarded.kehu_access = SIGNED_IN  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def public(view: F) -> F:
    """Mark a view that anybody may open."""
    view.kehu_access = PUBLIC  # type: ignore[attr-defined]
    return view


def signed_link(view: F) -> F:
    """Mark a view that anybody may open whose address is itself the secret: mail programs post to it without a form.

    It acts for the person whom the address names, never for who is signed in.
    """
    view.kehu_access = PUBLIC  # type: ignore[attr-defined]
    setattr(view, PROVEN, True)
    return view


def user_only(view: F) -> F:
    """Require a signed-in person, member of this tenant or not (choosing a tenant, account pages)."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        from kehu.core.errors import SignInNeeded
        from kehu.core.i18n import _
        from kehu.web.edge import signed_in_user_id

        if signed_in_user_id() is None:
            raise SignInNeeded(_("Sign in to go on."))
        return view(*args, **kwargs)

    guarded.kehu_access = USER  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]
