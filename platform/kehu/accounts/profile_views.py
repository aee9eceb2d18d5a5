"""The page of one's own account: profile, language, password, second factor, signed-in browsers."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, g, redirect, request, session

from kehu.accounts import agents, mails, signin
from kehu.accounts.blueprint import blueprint
from kehu.accounts.locale import YEAR
from kehu.accounts.models import User
from kehu.accounts.second_factor import SecondFactorService
from kehu.accounts.services import AccountService
from kehu.core import context, db
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import LOCALES, _, _n
from kehu.core.ids import parse_id
from kehu.web import limits
from kehu.web.access import user_only
from kehu.web.language import COOKIE
from kehu.web.render import render_page
from kehu.web.toasts import toast

PENDING = "kehu_totp"


def _page(
    user: User, status: int = 200, errors: dict[str, list[str]] | None = None, form: str = ""
) -> Response:
    service = AccountService(db.session())
    here = parse_id(session.get("kehu_sid"))
    rows = [
        {
            "id": row.id,
            "agent": agents.describe(row.agent),
            "address": row.address,
            "seen_at": row.seen_at,
            "here": row.id == here,
        }
        for row in service.sessions(user.id)
    ]
    return render_page(
        "accounts/account.html",
        status=status,
        user=user,
        errors=errors or {},
        form=form,
        languages=[("", _("As the firm has it")), *LOCALES.items()],
        sessions=rows,
        codes_left=SecondFactorService(db.session()).recovery_codes_left(user),
        layout="kehu/app.html" if context.current().actor is not None else "kehu/auth.html",
    )


@blueprint.get("/account")
@user_only
def account() -> Any:
    """Show one's own account."""
    return _page(signin.signed_in_user())


@blueprint.post("/account/profile")
@user_only
def profile() -> Any:
    """Change name and language."""
    user = signin.signed_in_user()
    locale = request.form.get("locale", "")
    try:
        AccountService(db.session()).change_profile(user, name=request.form.get("name", ""), locale=locale)
    except InvalidInput as error:
        return _page(user, 422, error.fields, "profile")
    toast(_("Your profile is saved."))
    response = redirect("/account", 303)
    if locale:
        response.set_cookie(
            COOKIE, locale, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure
        )
    return response


@blueprint.post("/account/password")
@user_only
def password() -> Any:
    """Change the password; all other browsers are signed out."""
    user = signin.signed_in_user()
    limits.count(limits.entry_rate(), "password", str(user.id))
    service = AccountService(db.session())
    try:
        service.change_password(user, request.form.get("current", ""), request.form.get("password", ""))
    except InvalidInput as error:
        return _page(user, 422, error.fields, "password")
    service.revoke_others(user.id, parse_id(session.get("kehu_sid")))
    signin.renew_key(user)
    mails.send_changed(db.session(), user, "password")
    toast(_("Your password is changed. All other browsers are signed out."))
    return redirect("/account", 303)


@blueprint.post("/account/sessions/<uuid:session_id>/revoke")
@user_only
def revoke_session(session_id: uuid.UUID) -> Any:
    """Sign one browser out."""
    if not AccountService(db.session()).revoke(g.user_id, session_id):
        raise NotFound(_("This browser is signed out already."))
    toast(_("The browser is signed out."))
    return redirect("/account", 303)


@blueprint.post("/account/sessions/revoke-others")
@user_only
def revoke_others() -> Any:
    """Sign out everywhere else."""
    ended = AccountService(db.session()).revoke_others(g.user_id, parse_id(session.get("kehu_sid")))
    toast(_n("%(num)s other browser is signed out.", "%(num)s other browsers are signed out.", ended))
    return redirect("/account", 303)


# --- second factor ----------------------------------------------------------------------------------------


@blueprint.get("/account/second")
@user_only
def second_setup() -> Any:
    """Show the picture for the authenticator app."""
    user = signin.signed_in_user()
    if user.tf_primary_method:
        return redirect("/account", 303)
    service = SecondFactorService(db.session())
    session[PENDING] = session.get(PENDING) or service.new_secret()
    return _setup_page(user, "")


def _setup_page(user: User, error: str, status: int = 200, password_error: str = "") -> Response:
    values = SecondFactorService(db.session()).setup_values(user, session[PENDING])
    return render_page(
        "accounts/second_setup.html",
        status=status,
        values=values,
        error=error,
        password_error=password_error,
        codes=None,
    )


@blueprint.post("/account/second")
@user_only
def second_on() -> Any:
    """Switch the second factor on, once a code fits, and show the recovery codes."""
    user = signin.signed_in_user()
    limits.count(limits.entry_rate(), "second-setup", str(user.id))
    if PENDING not in session or user.tf_primary_method:
        return redirect("/account/second", 303)
    if not _password_again(user):
        # Who only found an open browser must not lock its owner out.
        return _setup_page(user, "", 422, _("This is not your present password."))
    service = SecondFactorService(db.session())
    try:
        codes = service.switch_on(user, session[PENDING], request.form.get("code", ""))
    except InvalidInput as error:
        return _setup_page(user, str(error.message), 422)
    session.pop(PENDING)
    mails.send_changed(db.session(), user, "second_on")
    return render_page("accounts/second_setup.html", values=None, error="", codes=codes)


@blueprint.post("/account/second/codes")
@user_only
def second_codes() -> Any:
    """Make new recovery codes."""
    user = signin.signed_in_user()
    if not _password_again(user):
        return _page(user, 422, {"current": [_("This is not your present password.")]}, "second")
    codes = SecondFactorService(db.session()).new_recovery_codes(user)
    return render_page("accounts/second_setup.html", values=None, error="", codes=codes)


@blueprint.post("/account/second/off")
@user_only
def second_off() -> Any:
    """Switch the second factor off."""
    user = signin.signed_in_user()
    if not _password_again(user):
        return _page(user, 422, {"current": [_("This is not your present password.")]}, "second")
    SecondFactorService(db.session()).switch_off(user)
    mails.send_changed(db.session(), user, "second_off")
    toast(_("The second factor is off. Your password alone lets you in."), level="warn")
    return redirect("/account", 303)


def _password_again(user: User) -> bool:
    limits.count(limits.entry_rate(), "password", str(user.id))
    try:
        AccountService(db.session()).confirm_password(user, request.form.get("current", ""))
    except InvalidInput:
        return False
    return True
