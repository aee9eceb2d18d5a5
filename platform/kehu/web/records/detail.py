"""One record: its facts with their editors, its place in the list it was opened from."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from kehu.core import context, db
from kehu.core.i18n import _
from kehu.core.records import formulas, listing
from kehu.core.records import scope as scoping
from kehu.core.records.fields import Field
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType
from kehu.web.records import query
from kehu.web.records.display import LINKS, Displayer
from kehu.web.records.field_history import has_history
from kehu.web.records.titles import pointers, titles
from kehu.web.render import render_page
from kehu.web.widgets import icon

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One value of a record as its page shows it."""

    key: str
    label: str
    value: Markup
    edit_url: str = ""
    empty: bool = False
    kind: str = "text"
    history_url: str = ""

    @property
    def id(self) -> str:
        """The id of its element."""
        return f"fact-{self.key}"

    @property
    def label_html(self) -> Markup:
        """The label, which opens what the field held before."""
        if not self.history_url:
            return Markup("<dt>{}</dt>").format(self.label)
        return Markup(
            '<dt><button type="button" class="k-fact-label" hx-get="{}" hx-target="#dialog" hx-swap="innerHTML" '
            'data-dialog="wide" title="{}">{}</button></dt>'
        ).format(self.history_url, _("What stood here before"), self.label)

    @property
    def html(self) -> Markup:
        """The element that holds the value and opens its editor."""
        return fact_html(self)


@dataclass(frozen=True, kw_only=True)
class Section:
    """Facts under one heading."""

    key: str
    label: str
    facts: list[Fact]

    @property
    def filled(self) -> list[Fact]:
        """The facts that have a value."""
        return [fact for fact in self.facts if not fact.empty]

    @property
    def empty(self) -> list[Fact]:
        """The facts that wait for one."""
        return [fact for fact in self.facts if fact.empty]


@dataclass(frozen=True, kw_only=True)
class RecordPage:
    """What every record's page needs; empty addresses stand for what the member may not do."""

    type: RecordType
    record: Any
    title: str
    sections: list[Section]
    list_url: str
    history_url: str
    seers_url: str = ""
    position_url: str = ""
    edit_url: str = ""
    trash_url: str = ""
    may_write: bool = False
    may_delete: bool = False
    from_query: str = ""
    names: Mapping[uuid.UUID, str] = field(default_factory=dict)

    @property
    def id(self) -> uuid.UUID:
        """The record's id."""
        return self.record.id  # type: ignore[no-any-return]

    @property
    def version(self) -> int:
        """The version that the page shows."""
        return self.record.version  # type: ignore[no-any-return]

    @property
    def list_label(self) -> str:
        """What the list is called."""
        return str(self.type.plural)

    def fact(self, key: str) -> Fact:
        """Return one fact by its field.

        :raises KeyError: when the type has no such field.
        """
        for section in self.sections:
            for found in section.facts:
                if found.key == key:
                    return found
        raise KeyError(key)


def record_page_context(
    type_name: str, record: Any, *, titles: Mapping[str, str] | None = None
) -> RecordPage:
    """Return what a record's page shows; reads the names of linked records in one statement.

    :param titles: names that are known already, by field key.
    """
    from kehu.web.records.pages import pages_of

    pages = pages_of(type_name)
    assert pages is not None, f"Nobody registered pages for {type_name}."
    record_type, actor, session = pages.type, context.actor(), db.session()
    may_write = scoping.within(record_type, record, actor, actor.scope(f"{type_name}:write"), session)
    may_delete = scoping.within(record_type, record, actor, actor.scope(f"{type_name}:delete"), session)
    names = _names(record_type, record, titles)
    from_query = request.args.get("from", "")
    more = {"record_id": record.id}
    return RecordPage(
        type=record_type,
        record=record,
        title=service_for(type_name, session).title_of(record),
        sections=sections_of(pages, record, names, may_write=may_write),
        list_url=query.list_url(pages.name, query.parse(from_query)),
        history_url=pages.url("history", **more),
        seers_url=pages.url("seers", **more) if actor.may("members:read") else "",
        position_url=_position_url(pages, record) if "from" in request.args else "",
        edit_url=pages.url("edit", **more) if may_write else "",
        trash_url=pages.url("trash", **more) if may_delete else "",
        may_write=may_write,
        may_delete=may_delete,
        from_query=from_query,
        names=names,
    )


def _names(record_type: RecordType, record: Any, known: Mapping[str, str] | None) -> dict[uuid.UUID, str]:
    found = {
        getattr(record, key): title for key, title in (known or {}).items() if getattr(record, key, None)
    }
    missing = {
        kind: [one for one in ids if one not in found] for kind, ids in pointers(record_type, record).items()
    }
    return {**found, **titles(db.session(), missing)}


def sections_of(
    pages: RecordPages, record: Any, names: Mapping[uuid.UUID, str], *, may_write: bool
) -> list[Section]:
    """Return the facts of a record by section, in the order of the declaration."""
    record_type = pages.type
    displayer = Displayer(record_type)
    labels = {"main": _("Details"), **{key: str(label) for key, label in record_type.sections.items()}}
    found: dict[str, list[Fact]] = {key: [] for key in labels}
    base = pages.url("field", record_id=record.id, key="KEY")
    past = pages.url("field_history", record_id=record.id, key="KEY")
    for spec in record_type.fields:
        if spec.key == record_type.title and spec.readonly:
            continue
        edit_url = base.replace("KEY", spec.key) if may_write and not spec.readonly else ""
        fact = fact_of(displayer, spec, record, names, edit_url)
        if has_history(spec):
            fact = replace(fact, history_url=past.replace("KEY", spec.key))
        found.setdefault(spec.section, []).append(fact)
    return [
        Section(key=key, label=labels.get(key, key), facts=facts) for key, facts in found.items() if facts
    ]


def fact_of(
    displayer: Displayer, spec: Field, record: Any, names: Mapping[uuid.UUID, str], edit_url: str
) -> Fact:
    """Return one value of a record with its display and editor."""
    value = getattr(record, spec.key)
    currency = spec.currency_on(record)
    shown = displayer.html(
        spec, value, title=names.get(value) if spec.kind in ("member", "ref") else None, currency=currency
    )
    if value is None and spec.own is not None and spec.own.formula:
        reason = formulas.why(db.session(), displayer.type.name, spec, record)
        shown = Markup('{} <small class="k-quiet">{}</small>').format(shown, reason)
    return Fact(
        key=spec.key,
        label=str(spec.label),
        value=shown,
        edit_url=edit_url,
        empty=value is None or value == "" or value == [],
        kind=spec.kind,
    )


def fact_html(fact: Fact) -> Markup:
    """Return the element of a value: a button that opens its editor, or links with a pencil beside them."""
    if not fact.edit_url:
        return Markup('<dd id="{}">{}</dd>').format(fact.id, fact.value)
    label = _("Edit %(name)s", name=fact.label)
    start = Markup('<dd id="{}" data-edit-url="{}">').format(fact.id, fact.edit_url)
    if fact.kind in LINKS and not fact.empty:
        pencil = Markup(
            '<button type="button" class="k-pencil" data-edit aria-label="{}" title="{}">{}</button>'
        ).format(label, label, icon("pencil", 14))
        return Markup('{}<div class="k-value k-value-linked">{}{}</div></dd>').format(
            start, fact.value, pencil
        )
    return Markup(
        '{}<button type="button" class="k-value" data-edit aria-description="{}">{}</button></dd>'
    ).format(start, label, fact.value)


def _position_url(pages: RecordPages, record: Any) -> str:
    return pages.url(
        "position",
        record_id=record.id,
        **{"from": request.args.get("from", ""), "at": request.args.get("at", "")},
    )


def show(pages: RecordPages, record_id: uuid.UUID) -> ResponseReturnValue:
    """Show one record."""
    record = service_for(pages.name, db.session()).get(record_id)
    if pages.options.detail is not None:
        return pages.options.detail(record)
    page = record_page_context(pages.name, record)
    return render_page("records/detail.html", page=page, record=record, pages=pages)


def position(pages: RecordPages, record_id: uuid.UUID) -> ResponseReturnValue:
    """Answer where a record stands in the list that it was opened from."""
    session = db.session()
    record = service_for(pages.name, session).get(record_id)
    args = query.parse(request.args.get("from", ""))
    beside = listing.neighbours(session, pages.type, args, record)
    at = int(raw) if (raw := request.args.get("at", "")).isdecimal() and len(raw) < 8 else 0

    def step(other: uuid.UUID | None, index: int) -> str:
        if other is None:
            return ""
        return query.record_url(pages.type.url(other), request.args.get("from", ""), index)

    return render_page(
        "records/position.html",
        {},
        at=at,
        total=max(beside.total, at),
        more=beside.total > listing_bound(),
        previous_url=step(beside.previous, max(at - 1, 1) if at else 0),
        next_url=step(beside.next, at + 1 if at else 0),
    )


def listing_bound() -> int:
    """Return up to how many records a position counts."""
    return 1000
