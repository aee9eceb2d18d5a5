"""The saved views of a request: tabs, the side bar, what differs from them, and what a member used last."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import g

from kehu.core import context, db
from kehu.core.context import Context
from kehu.core.ids import parse_id
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.views.services import ViewService
from kehu.web.records import query
from kehu.web.shell import ViewLink
from kehu.web.widgets import hue_of

PREFS = "lists"


@dataclass(frozen=True, kw_only=True)
class View:
    """A saved view with its address."""

    id: uuid.UUID
    name: str
    object: str
    query: str
    columns: list[str]
    shared: bool
    mine: bool

    @property
    def url(self) -> str:
        """The list with the view's filters."""
        return query.list_url(self.object, query.parse(self.query), view=str(self.id))


@dataclass(frozen=True, kw_only=True)
class Active:
    """The view that a list shows, and whether it differs from it."""

    view: View | None
    changed: bool
    may_change: bool


def _view(row: Any) -> View:
    return View(
        id=row.id,
        name=row.name,
        object=row.object,
        query=row.query,
        columns=list(row.columns or ()),
        shared=row.sharing == "all",
        mine=row.member_id == context.actor().member_id,
    )


def every() -> list[View]:
    """Return all views that the member sees; read once a request."""
    found: list[View] | None = g.get("kehu_views")
    if found is None:
        found = g.kehu_views = [_view(row) for row in ViewService(db.session()).all()]
    return found


def of_type(type_name: str) -> list[View]:
    """Return the views of one list."""
    return [view for view in every() if view.object == type_name]


def chosen(type_name: str, args: Mapping[str, str]) -> View | None:
    """Return the saved view that the address names."""
    view_id = parse_id(args.get("view"))
    return next((view for view in of_type(type_name) if view.id == view_id), None) if view_id else None


def active(type_name: str, args: Mapping[str, str]) -> Active:
    """Return the view of a list and whether filters, sort or columns differ from it."""
    from kehu.web.records.pages import pages_of

    view = chosen(type_name, args)
    now = _normal(type_name, query.filters_only(args))
    if view is not None:
        columns = args.get("columns", "").split(",") if args.get("columns") else view.columns
        changed = (
            now != _normal(type_name, query.filters_only(query.parse(view.query))) or columns != view.columns
        )
        may = (view.mine and not view.shared) or (view.shared and context.actor().may("views:share"))
        return Active(view=view, changed=changed, may_change=may)
    pages = pages_of(type_name)
    tab = next((one for one in pages.options.tabs if one.key == args.get("view")), None) if pages else None
    base = _normal(type_name, query.filters_only(query.parse(tab.query))) if tab else {}
    return Active(view=None, changed=now != base, may_change=False)


def _normal(type_name: str, args: dict[str, str]) -> dict[str, str]:
    """Return filters and sort without the sort that holds anyway."""
    if args.get("sort") == get_type(type_name).default_sort:
        return {key: value for key, value in args.items() if key != "sort"}
    return args


def _prefs(type_name: str) -> dict[str, Any]:
    lists = context.actor().prefs.get(PREFS) or {}
    found = lists.get(type_name) if isinstance(lists, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def set_pref(type_name: str, key: str, value: Any) -> None:
    """Remember something about a list for the member."""
    actor = context.actor()
    lists = dict(actor.prefs.get(PREFS) or {})
    lists[type_name] = {**_prefs(type_name), key: value}
    ViewService(db.session()).remember({**actor.prefs, PREFS: lists})


def chosen_columns(type_name: str, args: Mapping[str, str]) -> list[str]:
    """Return the columns of the view, else those that the member chose."""
    view = chosen(type_name, args)
    if view is not None and view.columns:
        return view.columns
    columns = _prefs(type_name).get("columns")
    return [str(one) for one in columns] if isinstance(columns, list) else []


def remembered(type_name: str) -> str:
    """Return the query of the view that the member used last, or nothing for “All”."""
    from kehu.web.records.pages import pages_of

    last = _prefs(type_name).get("view")
    if not last:
        return ""
    view = chosen(type_name, {"view": str(last)})
    if view is not None:
        return view.url.partition("?")[2]
    pages = pages_of(type_name)
    tab = next((one for one in pages.options.tabs if one.key == last), None) if pages else None
    return f"{tab.query}&view={tab.key}" if tab else ""


def remember(type_name: str, args: Mapping[str, str]) -> None:
    """Remember the view that a list was opened with; written only when it is another one."""
    now = args.get("view")
    if not now:
        return
    now = "" if now == "all" else now
    if now != _prefs(type_name).get("view", "") and context.actor().member_id is not None:
        set_pref(type_name, "view", now)


def side_bar(now: Context) -> Iterable[ViewLink]:
    """Give the side bar its saved views, of the lists that the member may see."""
    if now.actor is None or now.tenant is None:
        return
    known = registered()
    for view in [view for view in every() if view.object in known][:12]:
        if now.actor.may(f"{view.object}:read"):
            yield ViewLink(view.name, view.url, hue_of(view.name))


def may_share() -> bool:
    """Tell whether the member may share views with everybody."""
    return context.actor().may("views:share")
