"""Signing in and out. The other pages of accounts register on the same blueprint."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, cast

from flask import Flask, Response, g, redirect, request, session, url_for
from flask.blueprints import BlueprintSetupState

from kehu.accounts import locale, signin
from kehu.accounts.blueprint import blueprint
from kehu.accounts.models import User
from kehu.accounts.second_factor import SecondFactorService
from kehu.accounts.services import AccountService
from kehu.core import clock, context, db
from kehu.core.errors import TooMany
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.text import normal_email
from kehu.web import limits
from kehu.web.access import public
from kehu.web.render import render_page
from kehu.web.shell import TenantLink, shell_of

SECOND_STEP = "kehu_second"
SECOND_WITHIN = dt.timedelta(minutes=10)


def after_sign_in(target: str) -> Any:
    """Go on after signing in; who belongs to no firm here chooses or founds one."""
    if session.get("tenant_id") is None and not target.startswith(("/firms", "/account", "/invitation")):
        return redirect(url_for("accounts.firms"), 303)
    return redirect(target, 303)


@blueprint.get("/login")
@public
def login() -> Any:
    """Ask for address and password."""
    target = signin.own_path(request.args.get("next"))
    if context.current().actor is not None:
        return redirect(target, 303)
    if g.get("user_id") is not None:
        return redirect(url_for("accounts.firms"), 303)
    return _login_page(target)


def _login_page(target: str, email: str = "", error: str = "", status: int = 200) -> Response:
    return render_page(
        "accounts/login.html",
        status=status,
        next=target,
        email=email,
        error=error,
        firm=context.current().tenant,
    )


@blueprint.post("/login")
@public
def login_post() -> Any:
    """Sign in, or ask for the second factor."""
    target = signin.own_path(request.form.get("next"))
    email, password = request.form.get("email", "")[:300], request.form.get("password", "")
    keys = (("login", limits.address()), ("login-mail", normal_email(email)))
    try:
        for key in keys:
            limits.check(limits.entry_rate(), *key)
    except TooMany as refusal:
        response = _login_page(target, email, str(refusal.message), 429)
        response.headers["Retry-After"] = str(refusal.details["retry_after"])
        return response
    user = AccountService(db.session()).authenticate(email, password)
    if user is None:
        for key in keys:
            limits.count(limits.entry_rate(), *key)
        return _login_page(
            target, email, _("E-mail address or password is wrong. Check both and try again."), 422
        )
    if user.tf_primary_method:
        session[SECOND_STEP] = {"user": str(user.id), "at": clock.now().timestamp(), "next": target}
        return redirect(url_for("accounts.second"), 303)
    signin.sign_in(user)
    return after_sign_in(target)


def _second_step() -> tuple[uuid.UUID, str] | None:
    kept = session.get(SECOND_STEP)
    if (
        not isinstance(kept, dict)
        or clock.now().timestamp() - float(kept.get("at", 0)) > SECOND_WITHIN.total_seconds()
    ):
        return None
    user_id = parse_id(kept.get("user"))
    return (user_id, signin.own_path(kept.get("next"))) if user_id is not None else None


@blueprint.get("/login/second")
@public
def second() -> Any:
    """Ask for the code of the second factor."""
    if _second_step() is None:
        return redirect(url_for("accounts.login"), 303)
    return render_page("accounts/second.html", error="", recovery="recovery" in request.args)


@blueprint.post("/login/second")
@public
def second_post() -> Any:
    """Check the code and sign in."""
    step = _second_step()
    if step is None:
        return redirect(url_for("accounts.login"), 303)
    user_id, target = step
    limits.check(limits.entry_rate(), "second", str(user_id))
    user = db.session().get(User, user_id)
    code = request.form.get("code", "")[:40]
    recovery = request.form.get("recovery") == "1"
    if (
        user is None
        or not user.active
        or not SecondFactorService(db.session()).accept(user, code, recovery=recovery)
    ):
        limits.count(limits.entry_rate(), "second", str(user_id))
        message = _("This code is wrong or used up. Wait for the next one and try again.")
        return render_page("accounts/second.html", status=422, error=message, recovery=recovery)
    session.pop(SECOND_STEP, None)
    signin.sign_in(user)
    return after_sign_in(target)


@blueprint.post("/logout")
@public
def logout() -> Any:
    """End this browser's session."""
    signin.sign_out()
    response = redirect(url_for("accounts.login"), 303)
    # What the browser keeps for reading offline belongs to the person who leaves.
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@blueprint.record_once
def _join(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    locale.join(app)
    shell_of(app).tenants.append(_switcher)


def _switcher(now: context.Context) -> Iterable[TenantLink]:
    """Return the firms that the cookie remembers from signing in; asks the database nothing."""
    if now.actor is None:
        return
    for firm_id, name in session.get("kehu_firms", ()):
        here = now.tenant is not None and str(now.tenant.id) == firm_id
        yield TenantLink(name=name, url=url_for("accounts.switch", tenant_id=firm_id), current=here)
    if len(session.get("kehu_firms", ())) >= signin.SWITCHER:
        yield TenantLink(name=_("All your firms"), url="/firms")


from kehu.accounts import firm_views, profile_views, recovery_views  # noqa: E402, F401 - they register their routes
