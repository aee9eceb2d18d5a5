"""What one field of a record held over time: old and new value, when, by whom, with the way back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from kehu.core import db
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import undo
from kehu.core.records.fields import Field
from kehu.core.records.service import service_for
from kehu.web.records.answers import done, done_toast
from kehu.web.records.history import ChangeWriter
from kehu.web.records.origins import Origin, Origins
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

PAGE = 30
TOLD = frozenset({"choice", "member", "ref", "money"})
"""Kinds of fields that people don't set directly, but by acts that the trail keeps (the stage of a deal)."""


Beside = Callable[[str, uuid.UUID, str], "dict[str, Any] | None"]

_beside: list[Beside] = []


def register_beside(told: Beside) -> None:
    """Let a feature say something of a field above its history: values of a template, named in `template`."""
    _beside.append(told)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change of the field."""

    id: uuid.UUID
    at: dt.datetime
    origin: Origin
    before: str
    after: str
    first: bool
    undo_url: str = ""


def has_history(spec: Field) -> bool:
    """Tell whether the trail may know of changes of a field."""
    return not spec.readonly or spec.kind in TOLD


def show(pages: RecordPages, record_id: uuid.UUID, key: str) -> ResponseReturnValue:
    """Show what a field held, the latest first."""
    session = db.session()
    service = service_for(pages.name, session)
    record = service.get(record_id)
    spec = _field(pages, key)
    statement = (
        select(AuditEntry)
        .where(
            AuditEntry.object == pages.name,
            AuditEntry.record_id == record_id,
            AuditEntry.changes.has_key(key),
        )
        .order_by(AuditEntry.id.desc())
        .limit(PAGE + 1)
    )
    before = parse_id(request.args.get("before"))
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    rows = list(session.execute(statement).scalars())
    shown = rows[:PAGE]
    writer = ChangeWriter(
        ((pages.name, {key: row.changes[key]}) for row in shown),
        currency=getattr(record, "currency", None) or "",
    )
    origins = Origins(session, shown)
    may_undo = service.actor.may(f"{pages.name}:write")
    steps = [
        Step(
            id=row.id,
            at=row.at,
            origin=origins.of(row),
            before=writer.text(spec, row.changes[key][0]),
            after=writer.text(spec, row.changes[key][1]),
            first=row.action == "created",
            undo_url=pages.url("field_undo", record_id=record_id, entry_id=row.id, key=key)
            if may_undo and undo.can_undo_field(spec, row)
            else "",
        )
        for row in shown
    ]
    more = len(rows) > PAGE
    return render_page(
        "records/field_history.html",
        {},
        steps=steps,
        label=str(spec.label),
        title=service.title_of(record),
        first=before is None,
        besides=[said for told in _beside if (said := told(pages.name, record_id, key)) is not None]
        if before is None
        else [],
        more_url=pages.url("field_history", record_id=record_id, key=key, before=str(shown[-1].id))
        if more
        else "",
    )


def undo_one(pages: RecordPages, record_id: uuid.UUID, entry_id: uuid.UUID, key: str) -> ResponseReturnValue:
    """Take back what one change did to one field; what it holds by another change since stays."""
    session = db.session()
    record = service_for(pages.name, session).get(record_id, action="write")
    spec = _field(pages, key)
    statement = select(AuditEntry).where(
        AuditEntry.id == entry_id, AuditEntry.object == pages.name, AuditEntry.record_id == record_id
    )
    entry = session.execute(statement).scalar_one_or_none()
    if entry is None or key not in entry.changes:
        raise NotFound(_("There is nothing to undo here."))
    currency = getattr(record, "currency", None) or ""
    try:
        undo.undo_field(session, entry, key)
    except undo.ChangedSince as error:
        pair = [error.left, error.now]
        writer = ChangeWriter([(pages.name, {key: pair})], currency=currency)
        left, now = (writer.text(spec, value) or _("empty") for value in pair)
        raise Conflict(
            _(
                "%(label)s was changed since: this change set it to “%(left)s”, now it is “%(now)s”. "
                "Nothing was overwritten.",
                label=spec.label,
                left=left,
                now=now,
            )
        ) from error
    done_toast(session, _("Took back a change of “%(name)s”", name=entry.title))
    return done("kehu:close", "kehu:refresh")


def _field(pages: RecordPages, key: str) -> Field:
    spec = pages.type.by_key.get(key)
    if spec is None:
        raise NotFound(_("There is no such field."))
    return spec
