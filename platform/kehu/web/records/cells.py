"""Rows of a list as HTML: functions and not macros, since a page holds hundreds of cells."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from kehu.core import context
from kehu.core.i18n import _, day_text
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS
from kehu.web import widgets
from kehu.web.records.display import Displayer

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

NUMERIC = frozenset({"number", "decimal", "percent", "money"})
STRONG = frozenset({"member"})


def short_id(record_id: uuid.UUID) -> str:
    """Return the random end of an id: enough to tell the elements of one page apart."""
    return record_id.hex[20:]


_Cell = tuple[str, str, str, str, str, Callable[[Mapping[str, Any]], str]]


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
        self.link_end = f"?{urlencode({'from': from_query})}&amp;at="
        self.select_label = str(escape(_("Select %(name)s", name="\x00"))).split("\x00")
        base = pages.url("list")
        self.cells = [self._cell_parts(one, base) for one in columns if one.key != self.type.title]
        self.note = self._note_writer(pages.options.note)
        self.title = self._title_writer()

    def _title_writer(self) -> Callable[[Any], str]:
        """Return how the leading cell says its value: a choice in words, a day as people write it."""
        field = self.type.by_key.get(self.type.title)
        if field is not None and field.kind == "choice":
            labels = {one.value: str(one.label) for one in field.choices()}
            return lambda value: labels.get(value, "")
        if field is not None and field.kind == "date":
            return day_text
        return lambda value: str(value or "")

    def _cell_parts(self, field: Field, base: str) -> _Cell:
        """Return what all cells of a column share: only ids and values differ from row to row."""
        classes, write = self._classes(field), self._writer(field)
        plain = f"<td{classes}>"
        if field.readonly or self.scope is None:
            return field.key, plain, "", "", "", write
        return (
            field.key,
            plain,
            f'<td{classes} id="',
            f'-{field.key}" data-edit-url="{base}/',
            f'/field/{field.key}?in=list">',
            write,
        )

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
        if field.kind == "member":
            return lambda row: escape(row[f"{key}__title"] or "–")
        if field.kind == "ref":
            return lambda row: show(field, row[key], title=row[f"{key}__title"])
        if field.kind == "money":
            return lambda row: show(field, row[key], currency=field.currency_in(row))
        if field.kind == "text":
            return lambda row: escape(row[key]) if row[key] else "–"
        if field.kind == "choice":
            choice = self.displayer.choice
            return lambda row: choice(field, row[key]) if row[key] else "–"
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
        name = self.title(row[self.type.title])
        shown = str(escape(name)) or "–"
        full, tail = str(record_id), record_id.hex[20:]
        note = self.note(row)
        small = f"<small>{note}</small>" if note else ""
        before, after = self.select_label
        parts = [
            f'<tr id="r-{tail}" data-row="{full}"><td class="k-pick"><input type="checkbox" data-pick ',
            f'aria-label="{before}{shown}{after}"></td><td class="k-lead"><span class="k-person">',
            self._picture(name, row),
            f'<span class="k-clip"><a href="{self.type.url(full)}{self.link_end}{at}" data-row-link>{shown}</a>{small}',
            "</span></span></td>",
        ]
        editable = self._editable(row)
        for _key, plain, start, middle, end, write in self.cells:
            if start and editable:
                parts.append(f"{start}{tail}{middle}{full}{end}{write(row)}</td>")
            else:
                parts.append(f"{plain}{write(row)}</td>")
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

    def one_cell(self, row: Mapping[str, Any], wanted: str) -> Markup:
        """Return one cell anew, after it was edited."""
        full = str(row["id"])
        for key, _plain, start, middle, end, write in self.cells:
            if key == wanted:
                return Markup(f"{start}{short_id(row['id'])}{middle}{full}{end}{write(row)}</td>")  # noqa: S704
        return Markup("")
