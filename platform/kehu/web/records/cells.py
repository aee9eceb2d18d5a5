"""Rows of a list as HTML: functions and not macros, since a page holds hundreds of cells."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import url_for
from markupsafe import Markup, escape

from kehu.core import context
from kehu.core.i18n import _
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS
from kehu.web import widgets
from kehu.web.records import query
from kehu.web.records.display import Displayer

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

NUMERIC = frozenset({"number", "money"})
STRONG = frozenset({"member"})


def short_id(record_id: uuid.UUID) -> str:
    """Return the random end of an id: enough to tell the elements of one page apart."""
    return record_id.hex[20:]


class RowWriter:
    """Writes the rows of one page of a list."""

    def __init__(self, pages: RecordPages, columns: Sequence[Field], from_query: str = "") -> None:
        self.pages = pages
        self.type = pages.type
        self.columns = columns
        self.displayer = Displayer(self.type, short=True)
        actor = context.actor()
        self.scope = actor.scope(f"{pages.name}:write")
        self.member_id = actor.member_id
        self.from_query = from_query
        self.select_label = str(escape(_("Select %(name)s", name="\x00")))
        self.field_base = url_for(pages.endpoint("field"), record_id=uuid.UUID(int=0), key="KEY") + "?in=list"
        self.cells = [
            (one, self._classes(one), self._writer(one)) for one in columns if one.key != self.type.title
        ]
        self.note = self._note_writer(pages.options.note)

    def _classes(self, field: Field) -> str:
        options = self.pages.options
        names = []
        if field.kind in NUMERIC:
            names.append("k-num")
        elif field.kind in STRONG:
            names.append("k-strong")
        if field.key in options.phone:
            names.append("k-p1" if field.key == options.phone[0] else "k-p2")
        return f' class="{" ".join(names)}"' if names else ""

    def _writer(self, field: Field) -> Callable[[Mapping[str, Any]], str]:
        show, key = self.displayer.html, field.key
        if key in self.pages.options.cells:
            own = self.pages.options.cells[key](self.displayer)
            return lambda row: str(own(row))
        if field.kind in ("member", "ref"):
            return lambda row: show(field, row[key], title=row.get(f"{key}__title"))
        if field.kind == "money":
            return lambda row: show(field, row[key], currency=row.get(field.currency_from) or "")
        return lambda row: show(field, row[key])

    def _note_writer(self, key: str) -> Callable[[Mapping[str, Any]], str]:
        field = self.type.by_key.get(key)
        if field is None:
            return lambda _row: ""
        if field.kind in ("member", "ref"):
            return lambda row: escape(row.get(f"{key}__title") or "")
        if field.kind == "choice":
            labels = {one.value: escape(one.label) for one in field.choices()}
            return lambda row: labels.get(row[key], "")
        kind = KINDS[field.kind]
        if kind.json_type == "array":
            return lambda row: escape(kind.show(row[key][:1])) if row[key] else ""
        if field.kind == "number":
            return lambda row: escape(f"#{row[key]}") if row[key] is not None else ""
        return lambda row: escape(kind.show(row[key]))

    def rows(self, rows: Sequence[Mapping[str, Any]], start: int) -> Markup:
        """Return all rows; `start` is the place of the first in the whole list."""
        return Markup("".join(self.row(row, start + at) for at, row in enumerate(rows)))  # noqa: S704 - parts are escaped

    def row(self, row: Mapping[str, Any], at: int) -> str:
        """Return one row."""
        record_id: uuid.UUID = row["id"]
        name = str(row[self.type.title] or "")
        shown = str(escape(name)) or "–"
        full, tail = str(record_id), short_id(record_id)
        picture = self._picture(name, row)
        note = self.note(row)
        small = f"<small>{note}</small>" if note else ""
        url = escape(query.record_url(self.type.url(full), self.from_query, at))
        parts = [
            f'<tr id="r-{tail}" data-row="{full}"><td class="k-pick"><input type="checkbox" data-pick="{full}" '
            f'aria-label="{self.select_label.replace(chr(0), shown)}"></td><td class="k-lead"><span class="k-person">{picture}'
            f'<span class="k-clip"><a href="{url}" data-row-link>{shown}</a>{small}</span></span></td>'
        ]
        editable = self._editable(row)
        parts += [
            self._cell(field, classes, write(row), full, tail, editable)
            for field, classes, write in self.cells
        ]
        parts.append("</tr>")
        return "".join(parts)

    def _picture(self, name: str, row: Mapping[str, Any]) -> str:
        options = self.pages.options
        if options.mark is not None:
            return str(options.mark(row))
        return str(widgets.avatar(name, "", options.square)) if options.picture else ""

    def _editable(self, row: Mapping[str, Any]) -> bool:
        if self.scope is None:
            return False
        # Own scope: only one's own. What a team reaches is decided when the editor opens.
        return self.scope != "own" or self.type.owner not in row or row[self.type.owner] == self.member_id

    def _cell(self, field: Field, classes: str, value: str, full: str, tail: str, editable: bool) -> str:
        if field.readonly or not editable:
            return f"<td{classes}>{value}</td>"
        url = self.field_base.replace("KEY", field.key).replace(_ZERO, full)
        return f'<td{classes} id="{tail}-{field.key}" data-edit-url="{url}">{value}</td>'

    def one_cell(self, row: Mapping[str, Any], key: str) -> Markup:
        """Return one cell anew, after it was edited."""
        for field, classes, write in self.cells:
            if field.key == key:
                full = str(row["id"])
                return Markup(self._cell(field, classes, write(row), full, short_id(row["id"]), True))  # noqa: S704
        return Markup("")


_ZERO = str(uuid.UUID(int=0))
