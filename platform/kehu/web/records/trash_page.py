"""The trash: what lies in it over all types, who put it there and when, and the way back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import Text, and_, cast, literal, or_, select, union_all

from kehu.core import context, db
from kehu.core.errors import KehuError, NotFound
from kehu.core.i18n import _, _n
from kehu.core.ids import parse_id
from kehu.core.records import scope as scoping
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType, registered
from kehu.files.services import HOLDERS
from kehu.web.records.answers import done, done_toast
from kehu.web.records.pages import pages_of
from kehu.web.records.titles import titles
from kehu.web.render import render_page
from kehu.web.toasts import toast

PAGE = 50
BESIDE = frozenset({"files"})
"""Types without lists of their own whose records people put into the trash."""


@dataclass(frozen=True, kw_only=True)
class Trashed:
    """One record in the trash."""

    id: uuid.UUID
    type: RecordType
    title: str
    at: dt.datetime
    by: str


def show() -> ResponseReturnValue:
    """Show the trash, the latest first."""
    actor = context.actor()
    kinds = {
        name: one
        for name, one in registered().items()
        if actor.may(f"{name}:delete") and (pages_of(name) is not None or name in BESIDE)
    }
    only = request.args.get("type", "")
    filled = _filled(kinds.values())
    shown = {only: kinds[only]} if only in kinds else kinds
    rows = _rows(list(shown.values()), request.args.get("after", ""))
    more = rows[PAGE - 1] if len(rows) > PAGE else None
    rows = rows[:PAGE]
    names = titles(db.session(), {"members": [row.by for row in rows if row.by]}) if rows else {}
    found = [
        Trashed(id=row.id, type=kinds[row.kind], title=row.title or "–", at=row.at, by=names.get(row.by, ""))
        for row in rows
    ]
    return render_page(
        "records/trash.html",
        {},
        rows=found,
        kinds=[{"label": _("All"), "url": "/trash", "current": not only}]
        + [
            {"label": str(one.plural), "url": f"/trash?type={name}", "current": only == name}
            for name, one in kinds.items()
            if name == only or name in filled
        ],
        next_url=f"/trash?after={more.at.isoformat().replace('+', '%2B')}~{more.id}"
        + (f"&type={only}" if only else "")
        if more
        else "",
    )


def _filled(kinds: Iterable[RecordType]) -> set[str]:
    """Return the kinds of which something lies in the trash that the member may see."""
    actor = context.actor()
    parts = []
    for one in kinds:
        model: Any = one.model
        there = select(model.id).where(
            model.tenant_id == db.tenant_id(),
            model.deleted_at.is_not(None),
            scoping.condition(one, model, actor, _reach(one, actor)),
        )
        parts.append(select(literal(one.name).label("kind")).where(there.exists()))
    return set(db.session().execute(union_all(*parts)).scalars()) if parts else set()


def _rows(kinds: list[RecordType], after: str) -> list[Any]:
    if not kinds:
        return []
    mark = _mark(after)
    parts = []
    for one in kinds:
        model: Any = one.model
        actor = context.actor()
        part = select(
            literal(one.name).label("kind"),
            model.id.label("id"),
            cast(getattr(model, one.title), Text).label("title"),
            model.deleted_at.label("at"),
            model.deleted_by.label("by"),
        ).where(
            model.tenant_id == db.tenant_id(),
            model.deleted_at.is_not(None),
            scoping.condition(one, model, actor, _reach(one, actor)),
        )
        if mark is not None:
            at, row_id = mark
            part = part.where(or_(model.deleted_at < at, and_(model.deleted_at == at, model.id < row_id)))
        parts.append(part.order_by(model.deleted_at.desc(), model.id.desc()).limit(PAGE + 1).subquery())
    union = union_all(*[select(part) for part in parts]).subquery()
    statement = select(union).order_by(union.c.at.desc(), union.c.id.desc()).limit(PAGE + 1)
    return list(db.session().execute(statement))


def _reach(one: RecordType, actor: context.Actor) -> context.Scope | None:
    """Return how far the trash of a type is seen; files of others only by who sees every record that has files."""
    read, delete = (actor.scope(f"{one.name}:{action}") for action in ("read", "delete"))
    reach = context.narrower(read, delete) if read and delete else None
    if one.name in BESIDE and any(actor.scope(f"{name}:read") != "all" for name in HOLDERS):
        return "own" if reach else None
    return reach


def _mark(after: str) -> tuple[dt.datetime, uuid.UUID] | None:
    at, _sign, row_id = after.partition("~")
    found = parse_id(row_id)
    try:
        moment = dt.datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, found) if found is not None and moment.tzinfo is not None else None


def restore_many() -> ResponseReturnValue:
    """Take all records of a page out of the trash; what can't come back is named and stays."""
    session = db.session()
    wanted = [mark.partition(":") for mark in request.form.getlist("record")[:PAGE]]
    restored, kept = 0, []
    for kind, _sign, record_id in wanted:
        if kind not in registered():
            continue
        service = service_for(kind, session)
        try:
            with session.begin_nested():
                service.restore(record_id)
            restored += 1
        except NotFound:
            continue  # It came back with another one, or by somebody else in the meantime.
        except KehuError as error:
            kept.append(str(error.message))
    if not restored and not kept:
        raise NotFound(_("There is nothing to restore here."))
    if restored:
        done_toast(session, _n("Restored %(num)s record", "Restored %(num)s records", restored))
    for reason in kept[:3]:
        toast(reason, "warn")
    return done("kehu:refresh")


def restore(kind: str, record_id: uuid.UUID) -> ResponseReturnValue:
    """Take a record out of the trash."""
    if kind not in registered():
        raise NotFound(_("There is nothing to restore here."))
    session = db.session()
    service = service_for(kind, session)
    try:
        record = service.restore(record_id)
    except NotFound:
        # A second click, or somebody else's: it is what was wanted. What is out of reach stays unknown.
        record = service.get(record_id)
        toast(_("“%(name)s” is back already.", name=service.title_of(record)), "info")
        return done("kehu:refresh")
    done_toast(session, _("Restored “%(name)s”", name=service.title_of(record)))
    return done("kehu:refresh")
