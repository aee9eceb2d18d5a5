"""Which columns a list shows: chosen in a dialog, kept for the member or in the view's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request
from flask.typing import ResponseReturnValue

from kehu.web.records import query, saved
from kehu.web.records.answers import go_to
from kehu.web.records.lists import visible_columns
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

WIDE = frozenset({"addresses", "long_text"})


def choose(pages: RecordPages) -> ResponseReturnValue:
    """Show the choice of columns, or keep it."""
    args = query.parse(request.args.get("query", ""))
    fields = [
        one
        for one in pages.type.fields
        if one.key != pages.type.title and one.key not in pages.options.hidden and one.kind not in WIDE
    ]
    if request.method == "GET":
        shown = {one.key for one in visible_columns(pages, args)}
        return render_page(
            "records/columns.html", {}, pages=pages, fields=fields, shown=shown, query=query.write(args)
        )
    known = {one.key for one in fields}
    wanted = [key for key in request.form.getlist("column") if key in known]
    return _keep(pages, args, wanted)


def _keep(pages: RecordPages, args: dict[str, str], wanted: list[str]) -> Response:
    base = query.without_page(args)
    if saved.chosen(pages.name, args) is not None:
        return go_to(query.list_url(pages.name, base, columns=",".join(wanted)))
    saved.set_pref(pages.name, "columns", wanted)
    return go_to(query.list_url(pages.name, base, columns=None))
