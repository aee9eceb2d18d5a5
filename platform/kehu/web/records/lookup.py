"""Look-ups: options for choosing a record or a member by typing, the latest ones before anything is typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, and_, or_, select

from kehu.core import context, db, search
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import filters
from kehu.core.records import scope as scoping
from kehu.core.records.types import RecordType, get, registered
from kehu.core.search import SearchTerm
from kehu.core.search_terms import query_terms
from kehu.core.tables import metadata
from kehu.core.text import clean, fold
from kehu.web.records.forms import CREATABLE
from kehu.web.render import render_page

MOST = 8
LONGEST = 100
READ, FEW = 200, 24
"""How many records of a kind without search terms are read, and shown."""

WITHIN = {"stages": "pipeline_id"}
"""Kinds whose names mean something only beside the record above them."""


def options(kind: str) -> ResponseReturnValue:
    """Answer the options of a look-up for what was typed."""
    typed = clean(request.args.get("q", ""))[:LONGEST]
    if kind == "members":
        return _answer(_members(typed))
    if kind == "tags":
        return _answer(_tags(request.args.get("of", ""), typed))
    record_type = registered().get(kind)
    # Files are seen at their records alone, whose rights hold for them too.
    if record_type is None or kind == "files":
        raise NotFound(_("There is nothing to look up here."))
    actor = context.actor()
    actor.require(f"{kind}:read")
    create = ""
    if request.args.get("create") == "1" and typed and kind in CREATABLE and actor.may(f"{kind}:write"):
        create = _("Create “%(name)s”", name=typed)
    return _answer(_records(record_type, typed), create=create, typed=typed)


def _answer(found: list[dict[str, Any]], *, create: str = "", typed: str = "") -> ResponseReturnValue:
    return render_page("records/options.html", {}, found=found, create=create, typed=typed)


def _members(typed: str) -> list[dict[str, Any]]:
    members = metadata.tables["members"]
    statement = select(members.c.id, members.c.name, members.c.title).where(
        members.c.tenant_id == db.tenant_id(), members.c.state != "parked", members.c.deleted_at.is_(None)
    )
    for word in fold(typed).split():
        pattern = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        statement = statement.where(
            or_(members.c.name_norm.like(f"{pattern}%"), members.c.name_norm.like(f"% {pattern}%"))
        )
    statement = statement.order_by(members.c.name_norm, members.c.id).limit(MOST)
    return [{"value": row.id, "text": row.name, "note": row.title} for row in db.session().execute(statement)]


def _records(record_type: RecordType, typed: str) -> list[dict[str, Any]]:
    model: Any = record_type.model
    actor = context.actor()
    title = getattr(model, record_type.title)
    norm = getattr(model, f"{record_type.title}_norm", title)
    note = model.number if hasattr(model, "number") else model.id
    statement = select(model.id, title.label("title"), note.label("note")).where(
        model.deleted_at.is_(None),
        scoping.condition(record_type, model, actor, actor.scope(f"{record_type.name}:read")),
    )
    customer_id = parse_id(request.args.get("customer_id"))
    if customer_id is not None and hasattr(model, "customer_id"):
        statement = statement.where(model.customer_id == customer_id)
    if not record_type.searchable:
        # These have no terms (and few records: stages, queues): all are read in their order and compared.
        rows = db.session().execute(_in_order(statement, model, record_type).limit(READ))
        return _options(_by_name(rows, typed)[:FEW], model)
    if typed:
        if not query_terms(typed):
            return []
        statement = statement.where(*filters.words(record_type, model, typed, actor))
        statement = statement.order_by(norm, model.id)
    else:
        statement = statement.order_by(model.updated_at.desc(), model.id.desc())
    return _options(db.session().execute(statement.limit(MOST)), model)


def _in_order(statement: Select[Any], model: Any, record_type: RecordType) -> Select[Any]:
    above = WITHIN.get(record_type.name)
    if above is not None:
        other: Any = get(record_type.by_key[above].ref).model
        statement = statement.add_columns(other.name.label("within")).join(
            other, and_(other.tenant_id == model.tenant_id, other.id == getattr(model, above))
        )
        statement = statement.order_by(*_sort(other, get(record_type.by_key[above].ref)))
    return statement.order_by(*_sort(model, record_type))


def _sort(model: Any, record_type: RecordType) -> tuple[Any, Any]:
    column = getattr(model, record_type.default_sort.lstrip("-"))
    return column.desc() if record_type.default_sort.startswith("-") else column, model.id


def _by_name(rows: Iterable[Any], typed: str) -> list[Any]:
    """Return the rows that have a word beginning with each word that was typed."""
    wanted = fold(typed).split()
    return [
        row
        for row in rows
        if all(any(word.startswith(one) for word in fold(row.title or "").split()) for one in wanted)
    ]


def _options(rows: Iterable[Any], model: Any) -> list[dict[str, Any]]:
    numbered = hasattr(model, "number")
    return [
        {
            "value": row.id,
            "text": row.title or "–",
            "note": f"#{row.note}" if numbered else getattr(row, "within", ""),
        }
        for row in rows
    ]


def _of_seen(record_type: RecordType, actor: context.Actor, reach: context.Scope) -> list[Any]:
    """Return the condition that a term is of a record that the member sees; nothing where he sees all."""
    if reach == "all":
        return []
    model: Any = record_type.model
    mine = select(model.id).where(
        model.tenant_id == db.tenant_id(), scoping.condition(record_type, model, actor, reach)
    )
    return [SearchTerm.record_id.in_(mine)]


def _tags(kind: str, typed: str) -> list[dict[str, Any]]:
    """Return tags in use, in the form in which they are compared."""
    record_type = registered().get(kind)
    if record_type is None:
        raise NotFound(_("There is nothing to look up here."))
    actor = context.actor()
    reach = actor.require(f"{kind}:read")
    start = f"#{fold(typed)}"
    statement = (
        select(SearchTerm.term)
        .where(
            SearchTerm.tenant_id == db.tenant_id(),
            SearchTerm.kind == kind,
            SearchTerm.term >= start,
            SearchTerm.term < search.end_of(start),
            *_of_seen(record_type, actor, reach),
        )
        .distinct()
        .order_by(SearchTerm.term)
        .limit(MOST)
    )
    return [
        {"value": term[1:], "text": term[1:], "note": ""}
        for term in db.session().execute(statement).scalars()
    ]
