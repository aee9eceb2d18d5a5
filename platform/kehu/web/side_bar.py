"""The lines of the side bar: which of them a member hides, and the menu that a phone shows instead."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, current_app, make_response, redirect, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.i18n import _
from kehu.members.prefs import set_pref
from kehu.web.access import signed_in
from kehu.web.pages import local_path
from kehu.web.render import render_page
from kehu.web.shell import HIDDEN_LINES, SideLines, language_links, shell_of
from kehu.web.toasts import toast

blueprint = Blueprint("side_bar", __name__)


@blueprint.get("/menu")
@signed_in
def menu() -> ResponseReturnValue:
    """Show all places, the account and the languages: what the side bar holds, for a phone."""
    return render_page("kehu/menu.html", {}, lines=_lines(), languages=language_links(_here()))


@blueprint.get("/side-bar")
@signed_in
def choose() -> ResponseReturnValue:
    """Ask which lines the member wants to see."""
    return render_page("kehu/side_bar.html", {}, lines=_lines())


@blueprint.post("/side-bar")
@signed_in
def save() -> ResponseReturnValue:
    """Keep which lines are shown; all that may be hidden and were not ticked are hidden."""
    shown = set(request.form.getlist("line"))
    return _keep([item.key for item in _lines().every if not item.fixed and item.key not in shown])


@blueprint.post("/side-bar/hidden")
@signed_in
def restore() -> ResponseReturnValue:
    """Hide these lines and no others: the way back from a choice, and “show all”."""
    known = {item.key for item in _lines().every if not item.fixed}
    return _keep([key for key in request.args.getlist("line") if key in known])


def _lines() -> SideLines:
    return shell_of(current_app).lines(context.current())


def _keep(hidden: list[str]) -> Response:
    before = _lines().hidden
    set_pref(db.session(), context.actor(), HIDDEN_LINES, hidden)
    back = "&".join(f"line={quote(item.key)}" for item in before)
    toast(_("The side bar shows what you chose"), undo_url=f"/side-bar/hidden?{back}")
    return _again()


def _again() -> Response:
    """Draw the page anew, with its side bar."""
    if request.headers.get("HX-Request") != "true":
        return redirect(_here(), 303)  # type: ignore[return-value]
    response = make_response("", 204)
    response.headers["HX-Redirect"] = _here()
    return response


def _here() -> str:
    """Return the page in which a dialog was opened."""
    parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    return local_path(f"{parts.path}?{parts.query}" if parts.query else parts.path or "/")
