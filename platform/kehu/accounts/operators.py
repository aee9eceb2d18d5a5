"""Who runs the installation, and the door of the pages for them.

An operator is a person with the mark that `kehu user operator` sets. These pages are served on the installation's
own host, so that a firm's host never carries an operator's session, and ask for a second factor.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from flask import current_app, redirect, request

from kehu.accounts import signin
from kehu.accounts.models import User
from kehu.core import context, site
from kehu.core.errors import Forbidden, NotFound
from kehu.core.i18n import _
from kehu.web.access import F, user_only
from kehu.web.language import choose_locale


def actor_of(user: User) -> context.Actor:
    """Return an operator as the actor of his work in any firm.

    :raises NotFound: for anybody who is none: the pages do not exist for others.
    :raises Forbidden: while the operator signs in with a password alone, except where one develops.
    """
    if not (user.operator and user.active):
        raise NotFound(_("There is no such page."))
    if not user.tf_primary_method and not current_app.extensions["kehu.settings"].development:
        raise Forbidden(
            _(
                "Operators sign in with a second factor. "
                "Switch it on under your profile, Second factor; then open this page again."
            )
        )
    return context.Actor(
        kind="system", name=user.name or user.email, email=user.email, user_id=user.id, locale=user.locale
    )


def operator() -> context.Actor:
    """Return the operator who is signed in, with a language that no firm he looks at changes; raises as `actor_of`."""
    found = actor_of(signin.signed_in_user())
    with context.use(tenant=None, actor=found):
        return replace(found, locale=choose_locale())


def operator_only(view: F) -> F:
    """Open a page for operators alone, on the installation's own host."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        who = operator()
        if not site.is_own():
            if request.method != "GET":
                raise NotFound(_("There is no such page."))
            base = current_app.extensions["kehu.settings"].base_url()
            return redirect(base + request.full_path.rstrip("?"), 303)
        # Nobody's rights within a firm count here, also not those of a firm that the operator works in.
        with context.use(tenant=None, actor=who):
            return view(*args, **kwargs)

    return user_only(guarded)  # type: ignore[return-value]
