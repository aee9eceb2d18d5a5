"""The cookie of a signed-in browser: who, in which session, at which firm. It is per host."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, g, redirect, request, session
from flask_login import login_user, logout_user

from kehu.accounts.models import User
from kehu.accounts.services import AccountService
from kehu.core import context, db, hooks, site
from kehu.core.ids import parse_id

SWITCHER = 8
"""How many firms the cookie remembers for the switcher; the rest is a page away."""


def own_path(target: str | None) -> str:
    """Return where to go on after signing in: a path of this site, never another site's address."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or len(target) > 1000:
        return "/"
    if any(ord(sign) < 32 for sign in target) or urlsplit(target).netloc:
        return "/"
    return "/" if target.split("?")[0] in ("/login", "/logout") else target


def firms_of(user_id: uuid.UUID) -> list[context.TenantInfo]:
    """Return the firms that a person may enter."""
    found = hooks.first("kehu_member_tenants", user_id=user_id) or []
    return [tenant for tenant in found if tenant.state == "active"]


def host_address() -> str:
    """Return the address of the firm whose host the browser is on, or an empty text on the plain host."""
    tenant = context.current().tenant
    return site.sub_domain() or (tenant.address if tenant is not None and site.names(tenant) else "")


def sign_in(
    user: User, *, joined: context.TenantInfo | None = None, session_id: uuid.UUID | None = None
) -> None:
    """Sign a person in on this host and choose the firm: the host's, the one joined, the last one, else the first.

    :param joined: a firm that the running transaction made the person a member of.
    """
    row = AccountService(db.session()).open_session(
        user, address=request.remote_addr or "", agent=request.user_agent.string, session_id=session_id
    )
    # What was typed in a page that waits for signing in has to stay sendable: its forgery token is kept.
    kept = {key: session[key] for key in ("csrf_token",) if key in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    login_user(user)
    session["kehu_sid"] = str(row.id)
    g.user_id = user.id
    firms = firms_of(user.id)
    if joined is not None:
        firms = [joined, *(firm for firm in firms if firm.id != joined.id)]
    wanted = joined.id if joined is not None else parse_id(user.prefs.get("tenant"))
    address = host_address()
    chosen = next((firm for firm in firms if firm.address == address), None) if address else None
    if chosen is None and not address:
        chosen = next((firm for firm in firms if firm.id == wanted), firms[0] if firms else None)
    choose_firm(chosen, firms)


def choose_firm(chosen: context.TenantInfo | None, firms: list[context.TenantInfo]) -> None:
    """Keep the firm and those that can be switched to in the cookie."""
    if chosen is None:
        session.pop("tenant_id", None)
    else:
        session["tenant_id"] = str(chosen.id)
    session["kehu_firms"] = [[str(firm.id), firm.name] for firm in firms[:SWITCHER]] if len(firms) > 1 else []


def remember_firm(user: User, tenant_id: uuid.UUID) -> None:
    """Keep a choice for the next time that the person signs in."""
    if user.prefs.get("tenant") != str(tenant_id):
        user.prefs = {**user.prefs, "tenant": str(tenant_id)}


def sign_out() -> None:
    """End this browser's session."""
    session_id, user_id = parse_id(session.get("kehu_sid")), g.get("user_id")
    if session_id is not None and user_id is not None:
        AccountService(db.session()).revoke(user_id, session_id)
    logout_user()
    session.clear()
    g.user_id = None


def renew_key(user: User) -> None:
    """Keep this browser signed in after the key of all sessions was renewed (a new password)."""
    session["_user_id"] = user.get_id()


def signed_in_user() -> User:
    """Return the account of the person who is signed in (pages marked `user_only`)."""
    user = db.session().get(User, g.user_id)
    assert user is not None
    return user


def front_door() -> Any:
    """Answer the site's first address for somebody who is not in a firm: choose one, log in, or read what Kehu is."""
    if g.get("user_id") is not None:
        return redirect("/firms", 303)
    if host_address():
        return redirect("/login", 303)
    landing: Callable[[], Any] = current_app.extensions["kehu.landing"]
    return landing()
