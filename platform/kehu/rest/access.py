"""Who may call: a bearer token whose member and scopes hold the permission."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from kehu.core import context, permissions
from kehu.core.errors import SignInNeeded
from kehu.core.i18n import _
from kehu.rest import limits

F = TypeVar("F", bound=Callable[..., Any])


def token_needs(code: str) -> Callable[[F], F]:
    """Require a token with a permission (`customers:read`) before a view runs; the scope is applied by the service."""

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            actor = context.current().actor
            if actor is None or actor.kind != "api":
                raise SignInNeeded(
                    _(
                        "Send an API token: “Authorization: Bearer kehu_…”. Make one under Settings, API tokens."
                    )
                )
            limits.count(str(actor.token_id))
            permissions.require(actor, code)
            return view(*args, **kwargs)

        guarded.kehu_access = code  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate
