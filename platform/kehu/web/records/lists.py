"""The list of a record type: views, filters, table, pages, count."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _n
from kehu.core.records import criteria, listing
from kehu.core.records.fields import Field
from kehu.core.records.listing import COUNT_BOUND, ListQuery
from kehu.web.records import filtering, query, where_text
from kehu.web.records import saved as views
from kehu.web.records.bulk import bulk_actions
from kehu.web.records.cells import NUMERIC, RowWriter
from kehu.web.render import render_page, wanted_target

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages


@dataclass(kw_only=True)
class ListState:
    """What the list's template draws."""

    pages: RecordPages
    args: Mapping[str, str]
    columns: Sequence[Field]
    rows: Markup = field(default_factory=Markup)
    empty: str = ""
    problem: str = ""
    heads: list[dict[str, Any]] = field(default_factory=list)
    start: int = 1
    shown: int = 0
    total: int | None = None
    previous_url: str = ""
    next_url: str = ""
    count_url: str = ""

    @property
    def count_key(self) -> str:
        """Tell one question for a count from another, so that a new one is asked anew."""
        return hashlib.blake2b(self.count_url.encode(), digest_size=6).hexdigest()

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return filtering.is_filtered(self.pages, self.args)

    @property
    def range_text(self) -> str:
        """Say which rows the page shows."""
        if self.total is not None and self.start == 1 and self.total == self.shown:
            return _n("%(num)s record", "%(num)s records", self.total)
        return _("%(first)s–%(last)s", first=self.start, last=self.start + self.shown - 1)


def show(pages: RecordPages) -> ResponseReturnValue:
    """Show the list, or only its table when a filter, the sort or the page changed."""
    args = query.of_request()
    remembered = (views.remembered(pages.name) or pages.first_query) if not args else ""
    if remembered:
        url = query.list_url(pages.name, query.parse(remembered))
        if request.headers.get("HX-Request") != "true":
            return redirect(url, 303)
        args = query.parse(remembered)
    state = read(pages, args)
    response = render_page(
        pages.options.list_template,
        {"list": "answer"},
        state=state,
        pages=pages,
        args=args,
        chips=filtering.chips(pages, args),
        where=where_text.shown(pages.type, args),
        has_criteria=bool(criteria.fields(pages.name)),
        tabs=_tabs(pages, args),
        view=views.active(pages.name, args),
        may_share=context.actor().may("views:share"),
        may_write=context.actor().may(f"{pages.name}:write"),
        may_import=context.actor().may(f"{pages.name}:import") and pages.type.importable,
        bulk=bulk_actions(pages),
        export_url=_export_url(pages, args),
        list_url=query.list_url,
        **(pages.options.list_context() if pages.options.list_context else {}),
    )
    views.remember(pages.name, args)
    if remembered:
        response.headers["HX-Push-Url"] = url
    _tidy_address(pages, args, response)
    return response


def _export_url(pages: RecordPages, args: Mapping[str, str]) -> str:
    if not context.actor().may(f"{pages.name}:export"):
        return ""
    text = query.write(query.without_page(args), sort=None)
    return pages.url("export") + (f"?{text}" if text else "")


def _tidy_address(pages: RecordPages, args: Mapping[str, str], response: Response) -> None:
    """Keep empty values and doubled keys of the filter form out of the address."""
    if wanted_target() == "list" and "list-filters" in request.headers.get("HX-Source", ""):
        response.headers["HX-Replace-Url"] = query.list_url(pages.name, query.without_page(args))


def read(pages: RecordPages, args: Mapping[str, str]) -> ListState:
    """Read one page of the list and write its rows."""
    columns = visible_columns(pages, args)
    state = ListState(pages=pages, args=args, columns=columns)
    try:
        found = listing.page(db.session(), pages.type, ListQuery(args=args, columns=_needed(pages, columns)))
    except InvalidInput as error:
        state.problem = str(error.message)
        return state
    base = query.without_page(args)
    state.start = _start(args)
    state.shown = len(found.rows)
    state.rows = RowWriter(pages, columns, query.write(base)).rows(found.rows, state.start)
    state.heads = heads(pages, columns, base, found.sort)
    if found.previous:
        state.previous_url = query.list_url(
            pages.name, base, before=found.previous, at=str(max(state.start - listing.PAGE, 1))
        )
    if found.next:
        state.next_url = query.list_url(pages.name, base, after=found.next, at=str(state.start + state.shown))
    if not found.previous and not found.next and not args.get("after") and not args.get("before"):
        state.total = state.shown
    else:
        state.count_url = f"{pages.path}/count?{query.write(query.filters_only(base))}"
    if not found.rows:
        state.empty = "nothing" if state.filtered or args.get("after") or args.get("before") else "none"
    return state


def _start(args: Mapping[str, str]) -> int:
    if not (args.get("after") or args.get("before")):
        return 1
    raw = args.get("at", "")
    return max(int(raw), 1) if raw.isdecimal() and len(raw) < 9 else 1


def visible_columns(pages: RecordPages, args: Mapping[str, str]) -> list[Field]:
    """Return the columns to show: those of the address, of the view, of the member, or the usual ones."""
    record_type = pages.type
    chosen = (
        args.get("columns", "").split(",") if args.get("columns") else views.chosen_columns(pages.name, args)
    )
    keys = [
        key for key in dict.fromkeys(chosen) if key in record_type.by_key and key not in pages.options.hidden
    ]
    found = [record_type.by_key[key] for key in keys] or [one for one in record_type.fields if one.column]
    return [one for one in found if one.key != record_type.title]


def _needed(pages: RecordPages, columns: Sequence[Field]) -> list[str]:
    keys = [pages.type.title, *[one.key for one in columns]]
    extra = (pages.options.note, pages.type.owner, *pages.options.mark_keys)
    keys += [key for key in extra if key in pages.type.by_key]
    return list(dict.fromkeys(keys))


def heads(
    pages: RecordPages, columns: Sequence[Field], base: Mapping[str, str], sort: str
) -> list[dict[str, Any]]:
    """Return the table's heads with the addresses that sort by them."""
    found = []
    for one in [pages.type.by_key[pages.type.title], *columns]:
        now = {one.key: "ascending", f"-{one.key}": "descending"}.get(sort, "")
        # Amounts and times are asked for from the top; a second click turns the order.
        falling = one.kind in NUMERIC or one.kind in ("date", "datetime")
        turned = {"ascending": f"-{one.key}", "descending": one.key}.get(
            now, f"-{one.key}" if falling else one.key
        )
        url = query.list_url(pages.name, base, sort=turned) if one.sortable else ""
        found.append({"label": str(one.label), "sorted": now, "sort_url": url, "num": one.kind in NUMERIC})
    return found


def _tabs(pages: RecordPages, args: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the views as tabs: all, the product's own, the saved ones."""
    now = args.get("view", "")
    tabs: list[dict[str, Any]] = [
        {"label": _("All"), "url": f"{pages.path}?view=all", "current": now in ("", "all")}
    ]
    for tab in pages.options.tabs:
        url = f"{pages.path}?{tab.query}&view={tab.key}"
        tabs.append({"key": tab.key, "label": str(tab.label), "url": url, "current": now == tab.key})
    saved = views.of_type(pages.name)
    tabs += [{"label": one.name, "url": one.url, "current": now == str(one.id)} for one in saved]
    return tabs


def count(pages: RecordPages) -> ResponseReturnValue:
    """Answer how many records match, counted up to a bound."""
    args = query.of_request()
    total = listing.count(db.session(), pages.type, args)
    more = total > COUNT_BOUND
    return render_page("records/count.html", {}, total=min(total, COUNT_BOUND) if more else total, more=more)
