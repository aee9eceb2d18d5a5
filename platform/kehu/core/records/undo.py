"""Undo: take back what a unit of work did, unless people changed it since."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core.audit import AuditEntry, batch_id
from kehu.core.errors import Conflict, KehuError, NotFound
from kehu.core.i18n import _
from kehu.core.records import rights
from kehu.core.records.fields import Field
from kehu.core.records.kinds import dump_value
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import registered

_actions: dict[str, Callable[[Session, AuditEntry], None]] = {}


def register_action(action: str, take_back: Callable[[Session, AuditEntry], None]) -> None:
    """Say how an action of the trail is taken back that is no change of the record's fields."""
    _actions[action] = take_back


def is_action(action: str) -> bool:
    """Tell whether an action has a way back of its own, such as a merge."""
    return action in _actions


def can_undo(action: str, changes: Any) -> bool:
    """Tell whether there is a way back from an entry of the trail, as far as the entry itself says."""
    return action in _actions or action in ("created", "restored", "trashed") or bool(changes)


@dataclass
class UndoReport:
    """What an undo did: records taken back, and those left alone with the reason."""

    undone: int = 0
    kept: list[tuple[str, str]] = field(default_factory=list)


class ChangedSince(Conflict):
    """Raised when a field holds something else by now than the change left there.

    :param left: what the change set, as the trail keeps it; `now` is what the field holds.
    """

    def __init__(self, message: str, *, left: Any, now: Any) -> None:
        super().__init__(message)
        self.left, self.now = left, now


def can_undo_field(spec: Field, entry: AuditEntry) -> bool:
    """Tell whether one field of an entry can be taken back by itself, as far as the entry says."""
    return not spec.readonly and entry.action not in _actions and entry.action != "created"


def undo_field(session: Session, entry: AuditEntry, key: str) -> None:
    """Take back what one change did to one field.

    :raises ChangedSince: when the field was changed again.
    :raises Conflict: when it can't be taken back by itself.
    """
    service = service_for(entry.object, session)
    record = service.get(entry.record_id, action="write", lock=True)
    spec = service.type.by_key.get(key)
    shut = key in rights.closed(service.type)
    if spec is None or shut or key not in entry.changes or not can_undo_field(spec, entry):
        raise Conflict(_("This can't be undone."))
    old, new = entry.changes[key]
    now = dump_value(spec, getattr(record, key))
    if now != new:
        message = _(
            "“%(title)s” was changed since by somebody else; nothing was overwritten.", title=entry.title
        )
        raise ChangedSince(message, left=new, now=now)
    session.info["undoing"] = True
    try:
        record = service.update(entry.record_id, {key: written(spec, old)})
        service.undone(record, {key: [old, new]})
    finally:
        session.info["undoing"] = False


def undo_batch(session: Session, batch_id: uuid.UUID, *, limit: int = 1000) -> UndoReport:
    """Take back all changes of a batch, the latest first.

    :raises NotFound: when there is no such batch.
    :raises Conflict: when nothing of it can be taken back.
    """
    statement = (
        select(AuditEntry).where(AuditEntry.batch_id == batch_id).order_by(AuditEntry.id.desc()).limit(limit)
    )
    entries = [entry for entry in session.execute(statement).scalars() if entry.object in registered()]
    if not entries:
        raise NotFound(_("There is nothing to undo here."))
    report = UndoReport()
    born = {(entry.object, entry.record_id) for entry in entries if entry.action == "created"}
    for entry in entries:
        if entry.action != "created" and (entry.object, entry.record_id) in born:
            continue  # What was made in the same unit goes as a whole.
        try:
            with session.begin_nested():
                undo_entry(session, entry)
            report.undone += 1
        except KehuError as error:
            report.kept.append((entry.title, str(error.message)))
    if not report.undone:
        raise Conflict(report.kept[0][1] if report.kept else _("There is nothing to undo here."))
    return report


def undo_entry(session: Session, entry: AuditEntry) -> None:
    """Take back one change through the record's own service.

    :raises Conflict: when the record was changed since.
    """
    session.info["undoing"] = True
    try:
        _take_back(session, entry)
    finally:
        session.info["undoing"] = False


def _take_back(session: Session, entry: AuditEntry) -> None:
    service = service_for(entry.object, session)
    if entry.action in _actions:
        _actions[entry.action](session, entry)
    elif entry.action in ("created", "restored"):
        service.get(entry.record_id, action="delete", lock=True)
        if _touched_since(session, entry):
            raise Conflict(
                _(
                    "“%(title)s” was changed since; put it into the trash yourself if you want.",
                    title=entry.title,
                )
            )
        service.trash(entry.record_id)
    elif entry.action == "trashed":
        service.restore(entry.record_id)
    elif entry.changes:
        record = service.update(entry.record_id, _before(service, entry))
        service.undone(record, entry.changes)
    else:
        raise Conflict(_("This can't be undone."))


def _touched_since(session: Session, entry: AuditEntry) -> bool:
    """Tell whether anything outside of the entry's own unit of work changed the record after it."""
    statement = select(AuditEntry.id).where(
        AuditEntry.object == entry.object,
        AuditEntry.record_id == entry.record_id,
        AuditEntry.id > entry.id,
        AuditEntry.batch_id.not_in([entry.batch_id, batch_id(session)]),
    )
    return session.execute(statement.limit(1)).first() is not None


def _before(service: RecordService[Any], entry: AuditEntry) -> dict[str, Any]:
    record = service.get(entry.record_id, action="write", lock=True)
    values: dict[str, Any] = {}
    if rights.closed(service.type) & entry.changes.keys():
        raise Conflict(_("Your role does not allow this."))
    for key, (old, new) in entry.changes.items():
        spec = service.type.by_key.get(key)
        if spec is None or spec.readonly:
            continue
        if dump_value(spec, getattr(record, key)) != new:
            raise Conflict(
                _(
                    "“%(title)s” was changed since by somebody else; nothing was overwritten.",
                    title=entry.title,
                )
            )
        values[key] = written(spec, old)
    return values


def written(spec: Field, dumped: Any) -> Any:
    """Return a value of the trail as a service reads it."""
    return {"minor": dumped} if spec.kind == "money" and dumped is not None else dumped
