"""The palette and the search page: one engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from flask.blueprints import BlueprintSetupState

from kehu.core import context, db
from kehu.core.i18n import _
from kehu.core.text import clean, fold
from kehu.search import recents
from kehu.search.services import PAGE, Group, SearchService
from kehu.web.access import signed_in
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of

blueprint = Blueprint("search", __name__)

LONGEST = 200
PLACES = 5
CREATABLE = ("customers", "contacts", "deals", "owned_items", "tickets", "activities")


@blueprint.record_once
def _join_frame(state: BlueprintSetupState) -> None:
    app: Flask = state.app  # type: ignore[assignment]
    recents.init_recents(app)
    shell_of(app).places.append(_account_and_trash)


def _account_and_trash(now: context.Context) -> Iterable[NavItem]:
    if now.actor is not None:
        yield NavItem("account", _("My account"), "/account", "user-circle")
        yield NavItem("trash", _("Trash"), "/trash", "trash")
        yield NavItem("acts", _("What you did"), "/acts", "history")


def _query() -> str:
    return clean(request.args.get("q", "")[:LONGEST])


@blueprint.get("/palette")
@signed_in
def palette() -> Response:
    """Answer the palette's list: recent records and places when nothing is typed, else what is found."""
    query = _query()
    service = SearchService(db.session())
    groups = service.find(query) if query else []
    return render_page(
        "search/palette.html",
        query=query,
        groups=groups,
        recent=[] if query else service.recent(recents.recent_marks()),
        places=_places(query),
        creates=_creates(query) if query and not groups else [],
    )


def _places(query: str) -> list[Any]:
    """Return the lines of the side bar; when something is typed also the pages behind them that fit."""
    wanted, shell, now = fold(query), shell_of(current_app), context.current()
    lines = shell.lines(now).every
    if not wanted:
        return lines
    seen = {item.url for item in lines}
    behind = [item for provider in shell.places for item in provider(now) if item.url not in seen]
    fitting = [item for item in (*lines, *behind) if wanted in fold(str(item.label))]
    # What begins with the text is meant more often than what holds it.
    fitting.sort(key=lambda item: not fold(str(item.label)).startswith(wanted))
    return fitting[:PLACES]


def _creates(query: str) -> list[dict[str, str]]:
    from urllib.parse import urlencode

    from kehu.core.records.types import registered

    actor = context.actor()
    found = []
    for name in CREATABLE:
        one = registered().get(name)
        if one is not None and actor.may(f"{name}:write"):
            label = _("Create %(thing)s “%(query)s”", thing=one.label, query=query[:60])
            url = f"/{name}/new?{urlencode({one.title: query})}"
            found.append({"label": label, "url": url, "icon": one.icon})
    return found


@blueprint.get("/search")
@signed_in
def index() -> Response:
    """Show all that is found, by kind; one kind alone with more of it."""
    query, service = _query(), SearchService(db.session())
    types = service.types()
    kind = request.args.get("kind", "")
    kind = kind if any(one.name == kind for one in types) else ""
    groups: list[Group] = service.find(query, kind=kind, limit=PAGE if kind else 6) if query else []
    return render_page(
        "search/index.html", {"list": "hits"}, query=query, kind=kind, types=types, groups=groups
    )
