"""Pages of segments: who is in one, and keeping a list's filters as one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records.types import get as get_type
from kehu.segments import services
from kehu.segments.models import Segment
from kehu.segments.services import SegmentService
from kehu.web.access import needs
from kehu.web.records import RecordPages, filtering, pages_of, query, record_page_context, where_text
from kehu.web.records.answers import done_toast, go_to
from kehu.web.render import render_page

blueprint = Blueprint("segments", __name__)

SHOWN = 20


def show_segment(record: Segment) -> Response:
    """Show a segment: its rule in words, how many are in it, the first of them."""
    session = db.session()
    args = query.parse(record.query or "")
    pages = pages_of(record.object)
    assert pages is not None
    values: dict[str, Any] = {"count": None, "people": [], "problem": ""}
    if context.actor().may(f"{record.object}:read"):
        try:
            values["count"] = services.count(session, record)
            values["people"] = _first(record)
        except InvalidInput as error:
            values["problem"] = str(error.message)
    return render_page(
        "segments/show.html",
        {},
        page=record_page_context("segments", record),
        record=record,
        chips=[chip for chip in filtering.chips(pages, args) if chip.on],
        where=where_text.shown(pages.type, args),
        typed=args.get("q", ""),
        list_url=query.list_url(record.object, {"segment": str(record.id), "view": "all"}),
        filters_url=query.list_url(record.object, {**args, "view": "all"}),
        bound=services.COUNT_BOUND,
        kind=get_type(record.object),
        **values,
    )


def _first(record: Segment) -> list[Any]:
    model: Any = get_type(record.object).model
    inside = services.members(record)
    statement = (
        select(model.id, model.name)
        .where(model.id.in_(inside))
        .order_by(model.name_norm, model.id)
        .limit(SHOWN)
    )
    return list(db.session().execute(statement))


SEGMENTS = RecordPages(
    "segments",
    note="description",
    picture=False,
    phone=("object", "updated_at"),
    chips=("object", "owner_id"),
    nav=False,
    hidden=("query",),
    detail=show_segment,
)
SEGMENTS.register(blueprint)


@blueprint.route("/segments/keep", methods=["GET", "POST"])
@needs("segments:write")
def keep() -> ResponseReturnValue:
    """Ask for a name, or for the segment to be changed, and keep a list's filters in it."""
    session = db.session()
    service = SegmentService(session)
    kind = request.values.get("type", "customers")
    if kind not in ("customers", "contacts"):
        kind = "customers"
    text = query.write(query.filters_only(query.parse(request.values.get("query", ""))))
    name, chosen = request.form.get("name", ""), parse_id(request.form.get("segment"))
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            if chosen is not None:
                record = service.update(chosen, {"query": text})
            else:
                record = service.create({"name": name, "object": kind, "query": text})
            done_toast(session, _("Kept as the segment “%(name)s”", name=record.name))
            return go_to(f"/segments/{record.id}")
        except InvalidInput as error:
            errors = error.fields
    return render_page(
        "segments/keep.html",
        {},
        status=422 if errors else 200,
        kind=kind,
        query=text,
        name=name,
        chosen=str(chosen or ""),
        errors=errors,
        segments=[
            ("", _("A new segment")),
            *((str(row.id), row.name) for row in services.names(session, kind)),
        ],
    )
