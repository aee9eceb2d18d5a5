"""Takes many changes back at once, through the records' own services; what can't go back is kept and named."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from kehu.core import audit, bulk, context, db
from kehu.core.audit import AuditEntry
from kehu.core.errors import KehuError
from kehu.core.i18n import _
from kehu.core.records import undo
from kehu.core.records.rewind import Case, Selection
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType, registered

MOST_NAMED: Final = 200
"""Kept records that are named; more are counted."""


@dataclass
class Tally:
    """What a rewinding came to: records taken back, and those kept with the reasons (kind, id, title, reason)."""

    taken: int = 0
    kept: int = 0
    named: list[list[str]] = field(default_factory=list)

    def keep(self, case: Case, reason: str) -> None:
        """Note a record that stays as it is."""
        self.kept += 1
        self.name(case, reason)

    def name(self, case: Case, reason: str) -> None:
        """Say of a record what was not taken back."""
        if len(self.named) < MOST_NAMED:
            self.named.append([case.type.name, str(case.record_id), case.title, str(reason)])


class Rewinder:
    """Carries out cases of a selection within one unit of work."""

    def __init__(self, session: Session, selection: Selection, tally: Tally) -> None:
        self.session, self.selection, self.tally = session, selection, tally

    def take_back(self, cases: Sequence[Case]) -> None:
        """Take back what the cases say; each kind of record goes in few statements."""
        by_type: dict[str, list[Case]] = {}
        for case in cases:
            if case.kept:
                self.tally.keep(case, case.kept)
            elif case.does and not self._may(case):
                self.tally.keep(case, _("Your role does not allow this."))
            elif case.does:
                by_type.setdefault(case.type.name, []).append(case)
        self.session.info["undoing"] = True
        try:
            for name in _leaders_first(list(by_type)):
                self._restore([case for case in by_type[name] if case.step == "restore"])
            for name in reversed(_leaders_first(list(by_type))):
                group = by_type[name]
                self._singly([case for case in group if case.singly])
                self._change([case for case in group if case.changes])
                self._trash([case for case in group if case.step == "trash"])
        finally:
            self.session.info["undoing"] = False

    @staticmethod
    def _may(case: Case) -> bool:
        """Tell whether the role allows a step at all; how far it reaches, the services say record by record."""
        actor, name = context.actor(), case.type.name
        needed = [action for action, asked in (("delete", case.step), ("write", case.changes)) if asked]
        return all(actor.may(f"{name}:{action}") for action in needed)

    def _singly(self, group: Sequence[Case]) -> None:
        for case in group:
            reason, taken = "", False
            born = any(entry.action == "created" for entry in case.entries)
            for entry in case.entries:
                if (born and entry.action != "created") or not undo.can_undo(entry.action, entry.changes):
                    continue  # What was made goes as a whole.
                try:
                    with self.session.begin_nested():
                        undo.undo_entry(self.session, entry)
                    taken = True
                except KehuError as error:
                    reason = str(error.message)
                    break
                finally:
                    self.session.info["undoing"] = True
            if taken:
                self.tally.taken += 1
                if reason:
                    self.tally.name(case, reason)
            else:
                self.tally.keep(case, reason or _("This can't be undone."))

    def _restore(self, group: Sequence[Case]) -> None:
        if not group:
            return
        service = service_for(group[0].type.name, self.session)
        along = self._come_along(group)
        for case in group:
            if case.record.deleted_at is None or case.record_id in along:
                self._count(case)  # It came back with what it belongs to, or will.
                continue
            try:
                with self.session.begin_nested():
                    service.restore(case.record_id)
                self._count(case)
            except KehuError as error:
                case.changes.clear()
                self.tally.keep(case, error.message)

    def _come_along(self, group: Sequence[Case]) -> set[uuid.UUID]:
        """Return the records whose leader lies in the trash by a selected change: it brings them back."""
        kind = group[0].type
        if not kind.follows:
            return set()
        leader = kind.by_key[kind.follows].ref
        pointing = {getattr(case.record, kind.follows): case.record_id for case in group}
        statement = select(AuditEntry.record_id).where(
            *self.selection.conditions(),
            AuditEntry.object == leader,
            AuditEntry.action == "trashed",
            bulk.among(AuditEntry.record_id, [one for one in pointing if one is not None]),
        )
        coming = set(self.session.execute(statement).scalars())
        model: Any = registered()[leader].model
        lying = select(model.id).where(bulk.among(model.id, coming), model.deleted_at.is_not(None))
        coming = set(self.session.execute(lying).scalars())
        return {case.record_id for case in group if getattr(case.record, kind.follows) in coming}

    def _count(self, case: Case) -> None:
        if not case.changes:
            self.tally.taken += 1

    def _trash(self, group: Sequence[Case]) -> None:
        if not group:
            return
        kind = group[0].type
        used = self._used(kind, [case.record_id for case in group])
        for case in group:
            if case.record_id in used:
                self.tally.keep(case, _("Other records belong to it."))
        going = [case for case in group if case.record_id not in used]
        service = service_for(kind.name, self.session)
        gone = set(service.trash_all([case.record_id for case in going]))
        for case in going:
            if case.record_id in gone or case.record.deleted_at is not None:
                self.tally.taken += 1
            else:
                self.tally.keep(case, _("Your role does not allow to put it into the trash."))

    def _used(self, kind: RecordType, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Return the records that live ones refer to, apart from those that go with the same selection."""
        found: set[uuid.UUID] = set()
        for other in registered().values():
            for spec in other.fields:
                if spec.kind != "ref" or spec.ref != kind.name or not hasattr(other.model, spec.key):
                    continue
                model: Any = other.model
                column = getattr(model, spec.key)
                statement = select(column).where(
                    bulk.among(column, ids), model.deleted_at.is_(None), ~self._goes(other, model)
                )
                found.update(self.session.execute(statement.distinct()).scalars())
        return found

    def _goes(self, kind: RecordType, model: Any) -> Any:
        """Return the condition that a record was made by a selected change and not touched by others since."""
        made: Any = aliased(AuditEntry)
        later: Any = aliased(AuditEntry)
        chosen = func.coalesce(and_(*self.selection.conditions(later)), False)
        again = select(later.id).where(
            later.tenant_id == db.tenant_id(),
            later.object == kind.name,
            later.record_id == model.id,
            later.id > made.id,
            later.batch_id != audit.batch_id(self.session),
            chosen.is_(False),
        )
        return (
            select(made.id)
            .where(
                *self.selection.conditions(made),
                made.object == kind.name,
                made.record_id == model.id,
                made.action == "created",
                ~again.exists(),
            )
            .exists()
        )

    def _change(self, group: Sequence[Case]) -> None:
        if not group:
            return
        service = service_for(group[0].type.name, self.session)
        fields = group[0].type.by_key  # What the role may not change is none of them.
        values = {
            case.record_id: {
                key: undo.written(fields[key], pair[0]) for key, pair in case.changes.items() if key in fields
            }
            for case in group
            if case.changes
        }
        outcomes = service.update_many(values)
        for case in group:
            if case.record_id not in outcomes:
                continue
            outcome = outcomes[case.record_id]
            if outcome.errors or outcome.record is None:
                texts = [text for found in outcome.errors.values() for text in found]
                self.tally.keep(case, " ".join(texts))
                continue
            service.undone(outcome.record, case.changes)
            self.tally.taken += 1
            if case.stands:
                self.tally.name(case, _("%(fields)s was changed since.", fields=", ".join(case.stands)))


def _leaders_first(names: Sequence[str]) -> list[str]:
    """Return kinds of records in such an order that one comes after those that its records refer to."""
    done: list[str] = []

    def visit(name: str, path: frozenset[str]) -> None:
        if name in done or name in path or name not in names:
            return
        for spec in registered()[name].fields:
            if spec.kind == "ref":
                visit(spec.ref, path | {name})
        done.append(name)

    for name in names:
        visit(name, frozenset())
    return done
