"""Rows in as few calls as their keys allow: a row whose record is still being written waits for it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import bulk
from kehu.core.i18n import _
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType
from kehu.imports import doubles
from kehu.imports.keys import KeyIndex
from kehu.imports.rows import Planned, Result

if TYPE_CHECKING:
    from kehu.imports.batch import BatchWriter


class Waves:
    """Creates and changes the records of one batch."""

    def __init__(
        self,
        writer: BatchWriter,
        session: Session,
        service: RecordService[Any],
        index: KeyIndex,
        result: Result,
    ) -> None:
        self.writer, self.session, self.service, self.index, self.result = (
            writer,
            session,
            service,
            index,
            result,
        )
        self.new: list[Planned] = []
        self.known: dict[uuid.UUID, Planned] = {}
        self.pending: dict[Any, Planned] = {}
        self.echoes: list[tuple[Planned, Planned]] = []

    def run(self, rows: Sequence[Planned]) -> None:
        """Write rows."""
        for row in rows:
            marks = [mark for mark in row.keys.items() if mark[1]]
            waiting = [self.pending[mark] for mark in marks if mark in self.pending]
            if waiting and len(waiting) == len(marks) and all(_says_the_same(row, one) for one in waiting):
                self.echoes.append((row, waiting[0]))
                continue
            if waiting:
                self._write()
            found, by = self.index.find(row.keys)
            if len(found) == 1 and found[0] in self.known:
                self._write()
            if self._take(row, found, by):
                self.pending.update(dict.fromkeys(marks, row))
        self._write()

    def _take(self, row: Planned, found: list[uuid.UUID], by: str) -> bool:
        mode = self.writer.plan.mode
        key = next((key for key in self.writer.keys if key.name == by), None)
        if key is not None and found[0] in self.index.taken:
            self._refuse(row, {key.fields[0]: [taken(self.writer.type)]})
        elif key is not None and len(found) > 1:
            message = _(
                "%(num)s %(things)s have this value. Merge them, or recognise records by another column.",
                num=len(found),
                things=self.writer.type.plural,
            )
            self._refuse(row, {key.fields[0]: [message]})
        elif found and mode == "create":
            self.result.unchanged += 1
            self.result.records[row.row.number] = found[0]
        elif found:
            self.known[found[0]] = row
            return True
        elif mode == "update" and not self.writer.seen_before(row):
            message = _(
                "No %(thing)s is recognised by this row, and new ones are not to be made.",
                thing=self.writer.type.label,
            )
            self._refuse(row, {"": [message]})
        else:
            self.new.append(row)
            return True
        return False

    def _write(self) -> None:
        new, known, echoes = self.new, self.known, self.echoes
        self.new, self.known, self.pending, self.echoes = [], {}, {}, []
        if new:
            self._create(new)
        if known:
            self._update(known)
        for row, first in echoes:
            record_id = self.result.records.get(first.row.number)
            if record_id is None:
                row.errors = dict(first.errors)
                self.result.refused.append(row)
            else:
                self.result.records[row.row.number] = record_id
                self.result.unchanged += 1

    def _create(self, rows: list[Planned]) -> None:
        values = [self.writer.values_for_new(self.service, row) for row in rows]
        rows, values = self._without_doubles(rows, values)
        outcomes = self.service.create_many(values)
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome.record is None:
                self._refuse(row, outcome.errors)
                continue
            if self.writer.seen_before(row):
                self.result.updated += 1
            else:
                self.result.created += 1
                self.writer.remember(row)
            self.result.records[row.row.number] = outcome.record.id
            self.index.add_record(outcome.record)

    def _without_doubles(
        self, rows: list[Planned], values: list[dict[str, Any]]
    ) -> tuple[list[Planned], list[dict[str, Any]]]:
        """Deal with rows that no key recognises, but that are likely somebody who is there already."""
        find = doubles.finder(self.writer.type.name)
        if find is None:
            return rows, values
        wish, keep = self.writer.plan.doubles, []
        for place, hit in enumerate(find(self.session, values)):
            row = rows[place]
            if hit is not None:
                self.result.doubles[hit.said, hit.title] += 1
            if hit is None or wish == "make" or (wish == "take" and not hit.certain):
                keep.append(place)
            elif wish == "refuse":
                message = _("This is likely “%(title)s”, who is here already.", title=hit.title)
                self._refuse(row, {self.writer.type.title: [message]})
            else:
                # One at a time: two rows of a file may be the same person.
                self._update({hit.record_id: row})
        return [rows[place] for place in keep], [values[place] for place in keep]

    def _update(self, rows: dict[uuid.UUID, Planned]) -> None:
        model: Any = self.writer.type.model
        statement = select(model).where(bulk.among(model.id, list(rows)), model.deleted_at.is_(None))
        records = {
            record.id: record for record in self.session.execute(statement.with_for_update()).scalars()
        }
        changes = {
            record_id: self.writer.values_for_known(self.service, row, records[record_id])
            for record_id, row in rows.items()
            if record_id in records
        }
        for record_id in rows.keys() - changes.keys():
            self._refuse(rows[record_id], {"": [_("Somebody put it into the trash just now.")]})
        for record_id, outcome in self.service.update_many(changes).items():
            row = rows[record_id]
            if outcome.errors:
                self._refuse(row, outcome.errors)
                continue
            self.result.records[row.row.number] = record_id
            if outcome.changed:
                self.result.updated += 1
                self.index.add_record(outcome.record)
            else:
                self.result.unchanged += 1

    def _refuse(self, row: Planned, errors: Mapping[str, Sequence[str]]) -> None:
        row.errors = self.writer.parser.place(errors)
        self.result.refused.append(row)


def taken(record_type: RecordType) -> str:
    """Return why a row is refused that means a record out of the actor's sight."""
    return _(
        "This %(thing)s is taken: somebody keeps it outside of what you may see. Ask an administrator for it.",
        thing=record_type.label,
    )


def _says_the_same(one: Planned, other: Planned) -> bool:
    return one.values == other.values and one.blank == other.blank
