"""Forgotten passwords and proven addresses: pages that are reached by a link in a mail."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, request

from kehu.accounts import mails, signin
from kehu.accounts.blueprint import blueprint
from kehu.accounts.services import AccountService, spend_time
from kehu.core import clock, db
from kehu.core.errors import InvalidInput, TooMany
from kehu.core.i18n import _
from kehu.core.text import normal_email
from kehu.web import limits
from kehu.web.access import public, user_only
from kehu.web.render import render_page
from kehu.web.toasts import toast


@blueprint.get("/reset")
@public
def reset() -> Any:
    """Ask for the address."""
    return render_page("accounts/reset.html", sent=False, email=request.args.get("email", "")[:300])


@blueprint.post("/reset")
@public
def reset_post() -> Any:
    """Send a link, if the address is known; the answer is the same if not."""
    email = request.form.get("email", "")[:300]
    limits.count(limits.entry_rate(), "reset", limits.address())
    service = AccountService(db.session())
    user = service.by_email(email)
    if user is not None and user.active and _may_mail(email):
        mails.send_reset(db.session(), user)
    return render_page("accounts/reset.html", sent=True, email=email)


def _may_mail(email: str) -> bool:
    # Nobody's inbox is filled by strangers, and the answer must not tell that the address is known.
    try:
        limits.count("3 per hour", "reset-mail", normal_email(email))
    except TooMany:
        return False
    return True


@blueprint.get("/reset/<token>")
@public
def reset_password(token: str) -> Any:
    """Ask for a new password."""
    user = AccountService(db.session()).user_of_reset(token)
    return render_page(
        "accounts/new_password.html", token=token, user=user, error="", status=200 if user else 404
    )


@blueprint.post("/reset/<token>")
@public
def reset_password_post(token: str) -> Any:
    """Set the new password and sign in, unless a second factor has to be asked for."""
    service = AccountService(db.session())
    user = service.user_of_reset(token)
    if user is None:
        spend_time("")
        return render_page("accounts/new_password.html", token=token, user=None, error="", status=404)
    try:
        service.set_password(user, request.form.get("password", ""))
    except InvalidInput as error:
        return render_page(
            "accounts/new_password.html", token=token, user=user, error=str(error.message), status=422
        )
    if user.confirmed_at is None:
        # The link came by mail, so the address is proven too.
        user.confirmed_at = clock.now()
    service.revoke_others(user.id, None)
    mails.send_changed(db.session(), user, "password")
    toast(_("Your password is changed. All other browsers are signed out."))
    if user.tf_primary_method:
        return redirect("/login", 303)
    signin.sign_in(user)
    return redirect("/", 303)


@blueprint.get("/confirm/<token>")
@public
def confirm(token: str) -> Any:
    """Prove an address by the link of the mail."""
    user = AccountService(db.session()).confirm(token)
    return render_page("accounts/confirmed.html", user=user, status=200 if user else 404)


@blueprint.post("/account/confirm")
@user_only
def send_confirmation() -> Any:
    """Send the link that proves the address again."""
    limits.count("5 per hour", "confirm", str(g.user_id))
    user = signin.signed_in_user()
    if user.confirmed_at is None:
        mails.send_confirm(db.session(), user)
    toast(_("A mail with a link is on its way to %(email)s.", email=user.email))
    return redirect("/account", 303)
