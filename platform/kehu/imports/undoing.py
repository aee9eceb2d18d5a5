"""Takes back what an import did, many records at a time; what people changed since is kept and listed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, db, events
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, KehuError
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import undo
from kehu.core.records.kinds import dump_value
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import RecordType, get, registered
from kehu.imports.models import Import
from kehu.imports.runner import Superseded
from kehu.members import placeholders

CHUNK: Final = 500
MOST_KEPT: Final = 500
"""Kept records that are named; more are counted."""

_ORDER: Final = ("act", "changed", "created")

Entries = Sequence[AuditEntry]
Keep = Callable[[AuditEntry, str], None]


def undo_import(import_id: uuid.UUID) -> None:
    """Take an import back, chunk by chunk; safe to run again after a crash."""
    actor = replace(context.actor(), kind="import")
    with context.use(actor=actor, source="import"):
        while _chunk(import_id):
            continue


def total_entries(session: Session, job: Import) -> int:
    """Return how many changes of an import are to be taken back."""
    return int(
        session.execute(select(func.count()).where(*_mine(job.id, job.report.get("again")))).scalar_one()
    )


def once_more(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of an undo that begins anew with what was left as it is, up to what was named."""
    ids = [entry[1] for entry in report["kept"]]
    return {**report, "again": ids, "kept": [], "kept_count": 0, "undo_done": 0, "undo_after": None}


def _mine(import_id: uuid.UUID, again: Sequence[str] | None) -> list[Any]:
    """Return what picks the entries of an import: all, or those of the records that an undo comes back to."""
    found = [AuditEntry.batch_id == import_id, AuditEntry.object.in_(list(registered()))]
    if again is not None:
        found.append(AuditEntry.record_id.in_([uuid.UUID(one) for one in again]))
    return found


def _chunk(import_id: uuid.UUID) -> bool:
    with db.unit_of_work() as session:
        statement = select(Import).where(Import.id == import_id).with_for_update()
        job = session.execute(statement).scalar_one_or_none()
        if job is None or job.state != "undoing":
            raise Superseded
        report = dict(job.report)
        batch = report.setdefault("undo_batch", str(new_id()))
        audit.use_batch(session, uuid.UUID(batch))
        entries = _next(session, _mine(import_id, report.get("again")), report.get("undo_after"))
        if entries:
            events.hold(session)
            _Chunk(session, import_id, uuid.UUID(batch), report).take_back(entries)
            report["undo_after"] = str(entries[-1].id)
            report["undo_done"] = report.get("undo_done", 0) + len(entries)
        else:
            job.state, job.finished_at = "undone", clock.now()
            audit.write(session, object="imports", record_id=job.id, action="undone", title=job.name)
            events.announce(session, f"{get(job.object).singular}.trashed")
        job.report = report
        return bool(entries)


def _next(session: Session, mine: Sequence[Any], after: str | None) -> Entries:
    statement = select(AuditEntry).where(*mine)
    if after:
        statement = statement.where(AuditEntry.id < uuid.UUID(after))
    return session.execute(statement.order_by(AuditEntry.id.desc()).limit(CHUNK)).scalars().all()


class _Chunk:
    """Takes back some hundred changes, the latest first."""

    def __init__(
        self, session: Session, import_id: uuid.UUID, batch: uuid.UUID, report: dict[str, Any]
    ) -> None:
        self.session, self.import_id, self.batch, self.report = session, import_id, batch, report

    def take_back(self, entries: Entries) -> None:
        """Take changes back; neighbours of one record type and kind go together."""
        born = self._ids(entries, AuditEntry.batch_id == self.import_id, AuditEntry.action == "created")
        touched = self._ids(
            entries, AuditEntry.batch_id.not_in([self.import_id, self.batch]), AuditEntry.id > entries[-1].id
        )
        for (name, kind), group in _runs(entries):
            created = kind == "created"
            if kind == "act":
                self._one_by_one(group)
            elif name == "members":
                self._members(group)
            elif not get(name).importable:
                self._one_by_one([entry for entry in group if created or (name, entry.record_id) not in born])
            elif created:
                self._created(get(name), group, touched)
            else:
                self._changed(get(name), [entry for entry in group if (name, entry.record_id) not in born])

    def _ids(self, entries: Entries, *conditions: Any) -> set[tuple[str, uuid.UUID]]:
        statement = select(AuditEntry.object, AuditEntry.record_id).where(
            AuditEntry.record_id.in_({entry.record_id for entry in entries}), *conditions
        )
        return {(row.object, row.record_id) for row in self.session.execute(statement)}

    def _keep(self, entry: AuditEntry, reason: str) -> None:
        kept = self.report.setdefault("kept", [])
        self.report["kept_count"] = self.report.get("kept_count", 0) + 1
        if len(kept) < MOST_KEPT:
            kept.append([entry.object, str(entry.record_id), entry.title, str(reason)])

    def _count(self, number: int) -> None:
        self.report["undone_count"] = self.report.get("undone_count", 0) + number

    def _members(self, group: Entries) -> None:
        for entry in group:
            try:
                placeholders.take_back(self.session, entry.record_id)
            except Conflict as error:
                self._keep(entry, error.message)

    def _one_by_one(self, group: Entries) -> None:
        for entry in group:
            try:
                with self.session.begin_nested():
                    undo.undo_entry(self.session, entry)
            except KehuError as error:
                self._keep(entry, error.message)

    # Created records -------------------------------------------------------------------

    def _created(self, record_type: RecordType, group: Entries, touched: set[tuple[str, uuid.UUID]]) -> None:
        used = self._used(record_type, [entry.record_id for entry in group])
        model: Any = record_type.model
        ids = {entry.record_id for entry in group}
        statement = select(model.id).where(model.id.in_(ids), model.deleted_at.is_(None))
        live = set(self.session.execute(statement).scalars())
        going = []
        for entry in group:
            if entry.record_id not in live:
                continue
            if (record_type.name, entry.record_id) in touched:
                self._keep(entry, _("It was changed since."))
            elif entry.record_id in used:
                self._keep(entry, _("Other records belong to it."))
            else:
                going.append(entry)
        gone = set(
            service_for(record_type.name, self.session).trash_all([entry.record_id for entry in going])
        )
        for entry in going:
            if entry.record_id not in gone:
                self._keep(entry, _("Your role does not allow to put it into the trash."))
        self._count(len(gone))

    def _used(self, record_type: RecordType, ids: list[uuid.UUID]) -> set[uuid.UUID]:
        """Return the records that live ones refer to, apart from those that this import made beside them."""
        found: set[uuid.UUID] = set()
        for other in registered().values():
            for spec in other.fields:
                if spec.kind != "ref" or spec.ref != record_type.name or not hasattr(other.model, spec.key):
                    continue
                model: Any = other.model
                column = getattr(model, spec.key)
                statement = select(column).where(column.in_(ids), model.deleted_at.is_(None))
                if other.name == record_type.name:
                    made = select(AuditEntry.record_id).where(
                        AuditEntry.tenant_id == context.tenant().id,
                        AuditEntry.batch_id == self.import_id,
                        AuditEntry.action == "created",
                    )
                    statement = statement.where(model.id.not_in(made))
                found.update(self.session.execute(statement.distinct()).scalars())
        return found

    # Changed records -------------------------------------------------------------------

    def _changed(self, record_type: RecordType, group: Entries) -> None:
        service = service_for(record_type.name, self.session)
        model: Any = record_type.model
        statement = select(model).where(
            model.id.in_({entry.record_id for entry in group}), model.deleted_at.is_(None)
        )
        records = {
            record.id: record for record in self.session.execute(statement.with_for_update()).scalars()
        }
        by_record: dict[uuid.UUID, list[AuditEntry]] = {}
        for entry in group:
            by_record.setdefault(entry.record_id, []).append(entry)
        changes: dict[uuid.UUID, dict[str, Any]] = {}
        for record_id, entries in by_record.items():
            record = records.get(record_id)
            if record is None:
                self._keep(entries[0], _("It is in the trash."))
            elif not _as_left(service, record, entries):
                self._keep(entries[0], _("It was changed since."))
            else:
                changes[record_id] = _values_before(service, entries)
        for record_id, outcome in service.update_many(changes).items():
            entries = by_record[record_id]
            if outcome.errors:
                self._keep(entries[0], " ".join(text for texts in outcome.errors.values() for text in texts))
                continue
            for entry in entries:
                service.undone(outcome.record, entry.changes)
            self._count(1)


def _runs(entries: Entries) -> Iterable[tuple[tuple[str, str], Entries]]:
    """Part entries by record type and by what they did, in the order in which these come first.

    Merges and their like go first, then changes of one type before its creations: that is the order in which they may
    depend on each other.
    """
    groups: dict[tuple[str, str], list[AuditEntry]] = {}
    for entry in entries:
        kind = (
            "created" if entry.action == "created" else "act" if undo.is_action(entry.action) else "changed"
        )
        groups.setdefault((entry.object, kind), []).append(entry)
    # An option of a field goes when no record has it any more.
    return sorted(
        groups.items(), key=lambda group: (group[0][0] == "custom_fields", _ORDER.index(group[0][1]))
    )


def _as_left(service: RecordService[Any], record: Any, entries: Entries) -> bool:
    """Tell whether a record still holds what the import wrote."""
    fields = service.type.by_key
    seen: set[str] = set()
    for entry in entries:  # The latest first: it says what the import left behind.
        for key, (_old, new) in entry.changes.items():
            if key in seen or key not in fields or fields[key].readonly:
                continue
            seen.add(key)
            if dump_value(fields[key], getattr(record, key)) != new:
                return False
    return True


def _values_before(service: RecordService[Any], entries: Entries) -> dict[str, Any]:
    fields = service.type.by_key
    values: dict[str, Any] = {}
    for entry in entries:
        for key, (old, _new) in entry.changes.items():
            if key in fields and not fields[key].readonly:
                values[key] = undo.written(fields[key], old)
    return values
