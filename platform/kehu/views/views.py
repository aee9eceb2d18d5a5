"""Pages over all lists: saved views, drafts, look-ups, undo, the trash, bulk runs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records.types import list_path
from kehu.views import drafts
from kehu.views.models import SavedView
from kehu.views.services import ViewService
from kehu.web import shell
from kehu.web import undo as undoing
from kehu.web.access import signed_in
from kehu.web.records import acts, bulk, lookup, query, saved, trash_page
from kehu.web.records.answers import done_toast, go_to
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("views", __name__)

blueprint.add_url_rule("/undo/<uuid:batch_id>", "undo", signed_in(undoing.undo_batch), methods=["POST"])
blueprint.add_url_rule("/lookup/<kind>", "lookup", signed_in(lookup.options))
blueprint.add_url_rule("/acts", "acts", signed_in(acts.show))
blueprint.add_url_rule("/trash", "trash", signed_in(trash_page.show))
blueprint.add_url_rule("/trash/restore", "restore_many", signed_in(trash_page.restore_many), methods=["POST"])
blueprint.add_url_rule(
    "/trash/<kind>/<uuid:record_id>/restore", "restore", signed_in(trash_page.restore), methods=["POST"]
)
blueprint.add_url_rule("/bulk/<uuid:run_id>", "bulk_progress", signed_in(bulk.progress))


@blueprint.record_once
def _join_frame(state: BlueprintSetupState) -> None:
    shell.shell_of(state.app).saved_views.append(saved.side_bar)  # type: ignore[arg-type]
    state.app.jinja_env.filters.update(
        list_query=lambda args: query.write(query.without_page(args)), list_url=_list_url
    )


def _list_url(type_name: str, args: Mapping[str, str], changes: Mapping[str, str]) -> str:
    return query.list_url(type_name, {**query.without_page(args), **changes})


@blueprint.route("/drafts/<path:key>", methods=["PUT"])
@signed_in
def keep_draft(key: str) -> ResponseReturnValue:
    """Keep a text that was not sent yet."""
    drafts.keep_draft(db.session(), key, request.form.get("text", ""))
    return "", 204


@blueprint.route("/drafts/<path:key>", methods=["DELETE"])
@signed_in
def forget_draft(key: str) -> ResponseReturnValue:
    """Forget a text."""
    drafts.forget_draft(db.session(), key)
    return "", 204


def _columns(args: dict[str, str]) -> list[str]:
    return args["columns"].split(",") if args.get("columns") else []


def _list_of(view: SavedView) -> str:
    return query.list_url(view.object, query.parse(view.query), view=str(view.id))


def _form(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
    return render_page(template, {}, status=status, may_share=saved.may_share(), **values)


@blueprint.route("/views/new", methods=["GET", "POST"])
@signed_in
def create_view() -> ResponseReturnValue:
    """Ask for a view's name, or keep the present filters under it."""
    kind, text = request.values.get("type", ""), request.values.get("query", "")
    if request.method == "GET":
        return _form(
            "records/view_form.html", kind=kind, query=text, name="", shared=False, view=None, error=""
        )
    args = query.parse(text)
    columns = _columns(args) or saved.chosen_columns(kind, args)
    name, shared = request.form.get("name", ""), request.form.get("shared") == "1"
    try:
        service = ViewService(db.session())
        view = service.create(kind, name, query.write(query.filters_only(args)), columns, shared=shared)
    except InvalidInput as error:
        return _form(
            "records/view_form.html",
            422,
            kind=kind,
            query=text,
            name=name,
            shared=shared,
            view=None,
            error=error.message,
        )
    toast(_("Saved the view “%(name)s”", name=view.name))
    return go_to(_list_of(view))


@blueprint.route("/views/<uuid:view_id>/save", methods=["POST"])
@signed_in
def save_view(view_id: uuid.UUID) -> ResponseReturnValue:
    """Write the changed filters into a view."""
    service = ViewService(db.session())
    args = query.parse(request.form.get("query", ""))
    columns = _columns(args) or list(service.get(view_id).columns)
    view = service.keep(view_id, query.write(query.filters_only(args)), columns)
    toast(_("Saved the view “%(name)s”", name=view.name))
    return go_to(_list_of(view))


@blueprint.route("/views/<uuid:view_id>/edit", methods=["GET", "POST"])
@signed_in
def edit_view(view_id: uuid.UUID) -> ResponseReturnValue:
    """Rename a view, share it or not."""
    service = ViewService(db.session())
    view = service.get(view_id)
    if request.method == "GET":
        return _form(
            "records/view_form.html",
            kind=view.object,
            query="",
            name=view.name,
            shared=view.sharing == "all",
            view=view,
            error="",
        )
    name, shared = request.form.get("name", ""), request.form.get("shared") == "1"
    try:
        service.rename(view_id, name, shared=shared if saved.may_share() else None)
    except InvalidInput as error:
        return _form(
            "records/view_form.html",
            422,
            kind=view.object,
            query="",
            name=name,
            shared=shared,
            view=view,
            error=error.message,
        )
    toast(_("Saved the view “%(name)s”", name=view.name))
    return go_to(_list_of(view))


@blueprint.route("/views/<uuid:view_id>/delete", methods=["POST"])
@signed_in
def delete_view(view_id: uuid.UUID) -> ResponseReturnValue:
    """Take a view away."""
    session = db.session()
    view = ViewService(session).delete(view_id)
    done_toast(session, _("Deleted the view “%(name)s”", name=view.name))
    return go_to(f"{list_path(view.object)}?view=all")
