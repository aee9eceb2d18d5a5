"""Choosing the firm that one works in: on its own sub-domain, or as the session's choice on the plain host."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import current_app, g, redirect, session
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.exc import IntegrityError

from kehu.accounts import signin
from kehu.accounts.blueprint import blueprint
from kehu.accounts.models import User
from kehu.core import context, db
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.web.access import public, user_only
from kehu.web.render import render_page

HANDOVER = dt.timedelta(seconds=60)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt="kehu-handover")


@blueprint.get("/firms")
@user_only
def firms() -> Any:
    """List the firms that the person may enter."""
    found = signin.firms_of(g.user_id)
    return render_page("accounts/firms.html", firms=found, here=context.current().tenant)


@blueprint.get("/switch/<uuid:tenant_id>")
@user_only
def switch(tenant_id: uuid.UUID) -> Any:
    """Enter another firm: a change of host when the browser is on a sub-domain."""
    found = signin.firms_of(g.user_id)
    chosen = next((firm for firm in found if firm.id == tenant_id), None)
    if chosen is None:
        raise NotFound(_("You are no member of this firm, or it is closed. Nothing was changed."))
    user = signin.signed_in_user()
    signin.remember_firm(user, tenant_id)
    address = signin.host_address()
    if address and address != chosen.address:
        return redirect(handover_url(user, chosen.address), 303)
    signin.choose_firm(chosen, found)
    return redirect("/", 303)


def handover_url(user: User, address: str, target: str = "/") -> str:
    """Return a link that signs the person in on another sub-domain, once and within a minute."""
    settings = current_app.extensions["kehu.settings"]
    data = {
        "user": str(user.id),
        "key": user.fs_uniquifier,
        "session": str(new_id()),
        "next": target,
        "address": address,
    }
    return f"{settings.base_url(address)}/enter/{_serializer().dumps(data)}"


@blueprint.get("/enter/<token>")
@public
def enter(token: str) -> Any:
    """Sign in by a link from another sub-domain."""
    try:
        data = _serializer().loads(token, max_age=int(HANDOVER.total_seconds()))
    except BadSignature:
        return redirect("/login", 303)
    if data["address"] != signin.host_address():
        return redirect("/login", 303)
    user = db.session().get(User, parse_id(data["user"]))
    if user is None or not user.active or user.fs_uniquifier != data["key"]:
        return redirect("/login", 303)
    try:
        # The session's id stands in the link, so a second use meets the first one's row.
        with db.session().begin_nested():
            signin.sign_in(user, session_id=parse_id(data["session"]))
    except IntegrityError:
        session.clear()
        return redirect("/login", 303)
    target = signin.own_path(data.get("next"))
    return redirect(target if session.get("tenant_id") else "/firms", 303)
