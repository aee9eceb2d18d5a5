"""Each request of an operator who is inside a firm: still allowed, held to what is allowed, kept.

Cookies carry the id of the visit; whether it is good is asked of the database each time, for the person, the sign-in
and the firm of this request, so that a cookie that was kept, copied or planted is worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flask import Flask, Response, current_app, g, redirect, request, session

from kehu.core import context, db
from kehu.core.errors import Forbidden
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.web.access import PUBLIC, USER
from kehu.web.render import wanted_target
from kehu.web.shell import Banner, shell_of
from kehu.web.toasts import toast
from plugins.blueprint import VISITOR, access_of
from tenants.support.services import SupportService, writes

COOKIE = "kehu_support"
LEAVE = "/support/leave"
LOGOUT = "accounts.logout"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_CHANGES = (":write", ":delete")
_INSIDE = ("/trash/", "/undo/", "/consent/", "/drafts/")
"""Changes of records whose rights are asked for in the service, by kind of record; drafts of support are not kept."""
_FREE = ("/operator", LEAVE, "/static/", "/language", "/sw.js", "/manifest")
"""What is no page of the firm."""
_TAKEN_OUT = (".csv", ".xlsx", ".zip")


def join(app: Flask) -> None:
    """Stand at the door, behind the unit of work."""
    app.before_request(_hold)
    app.after_request(_keep)
    shell_of(app).banners.append(_banners)


def _hold() -> Any:
    g.support = None
    visit_id = parse_id(session.get(COOKIE))
    if visit_id is None or not db.has_session() or request.path.startswith("/api/"):
        return None
    now, session_id = context.current(), parse_id(session.get("kehu_sid"))
    who = None
    if now.tenant is not None and g.user_id is not None and session_id is not None:
        who = SupportService(db.session()).live(visit_id, g.user_id, session_id)
    if who is None:
        return _over()
    context.set_context(replace(now, actor=who, source="support"))
    g.support = who
    if not request.path.startswith(_FREE):
        _check(who)
    return None


def _over() -> Any:
    """End what the cookie says; the page that was asked for is not answered in anybody else's name."""
    session.pop(COOKIE, None)
    firm = session.pop("tenant_id", None)
    context.set_context(replace(context.current(), actor=None))
    if request.path.startswith(_FREE) or request.endpoint == LOGOUT:
        return None
    if request.method != "GET":
        raise Forbidden(_("Support access to the firm has ended. Nothing was changed."))
    toast(_("Support access to the firm has ended."), "warn")
    return to_console(f"/operator/tenants/{firm}" if firm else "/operator")


def to_console(url: str) -> Any:
    """Go back to the console, whose frame is another one: as a whole page, also from a boosted link."""
    if request.headers.get("HX-Request") == "true":
        return Response(status=200, headers={"HX-Redirect": url})
    return redirect(url, 303)


def _check(who: context.Actor) -> None:
    """Refuse what support can't reach.

    :raises Forbidden: says why.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    access = access_of(view) if view is not None else PUBLIC
    if request.endpoint == LOGOUT:
        return
    if access == USER:
        raise Forbidden(
            _("Support can't reach accounts, passwords and other firms from here. Leave the firm first.")
        )
    if ":" in access and not who.may(access):
        raise Forbidden(_("This part of the firm is not open to support."))
    if request.path.endswith(_TAKEN_OUT):
        raise Forbidden(_("Support looks at data here and takes none out."))
    if request.method in _READING:
        return
    if access in (PUBLIC, VISITOR):
        raise Forbidden(_("This is not for support."))
    if not writes(who):
        raise Forbidden(_("The owner lets support look, not change. Nothing was changed."))
    if not (access.endswith(_CHANGES) or request.path.startswith(_INSIDE) or "/bulk/" in request.path):
        raise Forbidden(_("Support changes records only. This is somebody's own, or leads further."))


def _keep(response: Response) -> Response:
    """Keep which page was opened; what a page would write beside being shown is taken back."""
    who: context.Actor | None = g.get("support")
    if who is None or who.visit_id is None or request.path.startswith(_FREE) or request.endpoint == LOGOUT:
        return response
    if request.method in _READING or not writes(who):
        db.session().rollback()
    page = response.mimetype == "text/html" and wanted_target() in ("", "main")
    if request.method == "GET" and response.status_code == 200 and (page or response.mimetype != "text/html"):
        with db.unit_of_work(actor=who, source="support") as own:
            SupportService(own).saw(who.visit_id, request.path)
    return response


def _banners(now: context.Context) -> Iterable[Banner]:
    if now.actor is None or now.actor.kind != "support" or now.tenant is None:
        return
    if writes(now.actor):
        text = _(
            "You are in %(firm)s for support and can change records. Each step is kept.", firm=now.tenant.name
        )
    else:
        text = _("You are in %(firm)s for support, to look only. Each step is kept.", firm=now.tenant.name)
    yield Banner(text=text, tone="bad", label=_("Leave the firm"), url=LEAVE)
