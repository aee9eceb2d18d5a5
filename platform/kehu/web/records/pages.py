"""Which pages a record type has: a feature declares them once and registers them on its blueprint."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from kehu.core.context import Context
from kehu.core.i18n import _
from kehu.core.records.types import RecordType, key_of, list_path, registered
from kehu.core.records.types import get as get_type
from kehu.web import shell
from kehu.web.access import needs


@dataclass(frozen=True)
class Tab:
    """A view that the product brings: a name and the query of its filters."""

    key: str
    label: Any
    query: str


@dataclass(kw_only=True)
class _Options:
    note: str = ""
    square: bool = False
    picture: bool = True
    mark: Callable[[Mapping[str, Any]], Any] | None = None
    mark_keys: Sequence[str] = ()
    phone: tuple[str, str] = ("", "")
    chips: Sequence[str] = ()
    tabs: Sequence[Tab] = ()
    first_tab: str = ""
    nav: bool = True
    hotkey: str = ""
    create_key: str = ""
    phone_bar: bool = False
    list_template: str = "records/list.html"
    list_context: Callable[[], Mapping[str, Any]] | None = None
    detail: Callable[[Any], ResponseReturnValue] | None = None
    after_create: str = "record"
    hidden: Sequence[str] = ()
    cells: Mapping[str, Callable[[Any], Callable[[Mapping[str, Any]], Any]]] = field(default_factory=dict)
    creatable: bool = True
    purpose: Any = ""
    section: str = ""


class RecordPages:
    """The pages of one record type.

    :param type_name: the record type's plural name; also the start of the addresses.
    :param note: key of the field whose value stands under the name in lists.
    :param mark: draws what stands before a row's name instead of a picture, from the values of `mark_keys`.
    :param phone: keys of the two columns that show on phones.
    :param chips: filters that always show; the other filterable fields wait under “Add filter”.
    :param tabs: views beside “All”.
    :param first_tab: key of the view that opens for who has not chosen one yet.
    :param nav: whether the side bar gets an entry; `hotkey` and `phone_bar` belong to it.
    :param create_key: key sequence that opens the create dialog, for example ``c c``.
    :param list_template: a template that extends ``records/list.html``; `list_context` returns more values for it.
    :param detail: draws one record that was read within the actor's scope; None for the plain page.
    :param after_create: ``record`` opens the new record, ``list`` stays where one is.
    :param hidden: fields that lists never offer as a column or filter.
    :param cells: field key -> function of a `Displayer` that returns the writer of its cells in lists.
    :param section: key of the side bar's line under which the pages stand, when they have none of their own.
    :param purpose: what such records are good for, said while there are none.
    :param creatable: False when records come into being in another way.
    """

    def __init__(self, type_name: str, **options: Any) -> None:
        self.name = type_name
        self.path = list_path(type_name)
        self.options = _Options(**options)
        self.blueprint = ""
        _pages[type_name] = self

    @property
    def type(self) -> RecordType:
        """The record type."""
        return get_type(self.name)

    @property
    def first_query(self) -> str:
        """The query of the view that opens for who has not chosen one yet; empty for all records."""
        tab = next((one for one in self.options.tabs if one.key == self.options.first_tab), None)
        return f"{tab.query}&view={tab.key}" if tab is not None else ""

    def endpoint(self, action: str) -> str:
        """Return the name of an endpoint, for `url_for`."""
        return f"{self.blueprint}.{key_of(self.name)}_{action}"

    def url(self, page: str, /, **values: Any) -> str:
        """Return the address of one of the pages."""
        return url_for(self.endpoint(page), **values)

    def register(self, blueprint: Blueprint) -> None:
        """Add the routes to a blueprint, and the entries of side bar and create menu."""
        from kehu.web.records import (
            builder,
            bulk,
            columns,
            create,
            detail,
            edit,
            export,
            field_history,
            filtering,
            history,
            inline,
            lists,
            seers,
            trash,
        )

        self.blueprint = blueprint.name
        home, key = self.path, key_of(self.name)
        one = f"{home}/<uuid:record_id>"
        routes: Iterable[tuple[str, str, Callable[..., Any], str, tuple[str, ...]]] = (
            (home, "list", lists.show, "read", ("GET",)),
            (f"{home}/count", "count", lists.count, "read", ("GET",)),
            (f"{home}/filter/<key>", "filter", filtering.menu, "read", ("GET",)),
            (f"{home}/criteria", "criteria", filtering.more, "read", ("GET",)),
            (f"{home}/where", "where", builder.show, "read", ("GET",)),
            (f"{home}/columns", "columns", columns.choose, "read", ("GET", "POST")),
            (f"{home}/export.csv", "export", export.download, "export", ("GET",)),
            (f"{home}/export.xlsx", "export_xlsx", export.workbook, "export", ("GET",)),
            (f"{home}/export.jsonl", "export_jsonl", export.json_lines, "export", ("GET",)),
            (f"{home}/bulk/<action>", "bulk", bulk.act, "read", ("GET", "POST")),
            (one, "show", detail.show, "read", ("GET",)),
            (f"{one}/position", "position", detail.position, "read", ("GET",)),
            (f"{one}/field/<key>", "field", inline.field, "write", ("GET", "POST")),
            (f"{one}/edit", "edit", edit.edit, "write", ("GET", "POST")),
            (f"{one}/trash", "trash", trash.put, "delete", ("POST",)),
            (f"{one}/history", "history", history.show, "read", ("GET",)),
            (f"{one}/history/<uuid:entry_id>/undo", "history_undo", history.undo_one, "write", ("POST",)),
            (f"{one}/seers", "seers", seers.show, "read", ("GET",)),
            (f"{one}/history/field/<key>", "field_history", field_history.show, "read", ("GET",)),
            (
                f"{one}/history/<uuid:entry_id>/undo/<key>",
                "field_undo",
                field_history.undo_one,
                "write",
                ("POST",),
            ),
        )
        if self.options.creatable:
            routes = (*routes, (f"{home}/new", "new", create.new, "write", ("GET", "POST")))
        for rule, action, view, right, methods in routes:
            guarded = needs(f"{self.name}:{right}")(functools.partial(view, self))
            blueprint.add_url_rule(rule, f"{key}_{action}", guarded, methods=list(methods))
        blueprint.record_once(self._join_frame)

    def _join_frame(self, state: BlueprintSetupState) -> None:
        frame = shell.shell_of(state.app)  # type: ignore[arg-type]
        if self.options.nav:
            frame.nav.append(self._nav)
        if self.options.creatable:
            frame.commands.append(self._commands)

    def _nav(self, now: Context) -> Iterable[shell.NavItem]:
        if now.actor is not None and now.actor.may(f"{self.name}:read") and self.name in registered():
            options = self.options
            yield shell.NavItem(
                self.name,
                str(self.type.plural),
                self.path,
                self.type.icon,
                hotkey=options.hotkey,
                phone=options.phone_bar,
                group="plugins" if "." in self.name else "work",
            )

    def _commands(self, now: Context) -> Iterable[shell.Command]:
        if now.actor is not None and now.actor.may(f"{self.name}:write") and self.name in registered():
            label = _("New %(thing)s", thing=self.type.label)
            yield shell.Command(label, f"{self.path}/new", self.type.icon, hotkey=self.options.create_key)


_pages: dict[str, RecordPages] = {}


def pages_of(type_name: str) -> RecordPages | None:
    """Return the pages of a record type, or None where it has none."""
    return _pages.get(type_name)
