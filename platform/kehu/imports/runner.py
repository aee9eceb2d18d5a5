"""Checks and runs an import, a batch of rows for each unit of work.

How far it has come is written in the transaction of the batch, so a worker that was killed goes on behind the last
batch that was committed, and a second worker on the same import finds that it is not needed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, db, events
from kehu.core.audit import AuditEntry
from kehu.core.errors import Forbidden
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records.types import get
from kehu.imports import reports
from kehu.imports.files import ReadOptions, Row
from kehu.imports.linked import LinkedWriter
from kehu.imports.mapping import Plan
from kehu.imports.models import Import, RefusedRow
from kehu.imports.reader import RowReader
from kehu.imports.rows import Planned, Result
from kehu.imports.targets import may_import

BATCH: Final = 500


class Superseded(Exception):
    """Raised when another worker has taken over, or the import was stopped."""


class ImportRun:
    """One run over the file of an import.

    :param dry: try everything and roll back; report what would happen.
    """

    def __init__(self, import_id: uuid.UUID, root: Path, *, dry: bool) -> None:
        self.import_id, self.root, self.dry = import_id, root, dry
        self.state = "checking" if dry else "running"
        self.actor = replace(context.actor(), kind="import")

    def run(self) -> None:
        """Work until the end of the file.

        :raises Superseded: when the import is no longer this run's.
        """
        with context.use(actor=self.actor, source="import"):
            stage, position = self._open()
            for number in range(stage, 3 if self.writer.parent_mapped else 2):
                if number > stage:
                    position = 0
                self._pass(number, position)
            self._finish()

    # Beginning and end -----------------------------------------------------------------

    def _open(self) -> tuple[int, int]:
        with db.unit_of_work() as session:
            job = self._locked(session)
            record_type = get(job.object)
            for name in (job.object, *job.options.get("parts", ())):
                if not may_import(get(name), self.actor):
                    raise Forbidden(
                        _("Your role no longer allows to import %(things)s.", things=get(name).plural)
                    )
            if job.state == "queued":
                job.state = "running"
            if job.state != self.state:
                raise Superseded
            job.started_at = job.started_at or clock.now()
            self.plan = Plan.from_json(job.mapping, job.options)
            self.options = ReadOptions.from_json(job.format["read"])
            self.path = self.root / job.path
            if self.dry:
                # A dry run that was cut short starts anew: what it remembers of earlier rows is gone.
                reports.reset(job)
                session.execute(
                    delete(RefusedRow).where(
                        RefusedRow.tenant_id == job.tenant_id, RefusedRow.import_id == job.id
                    )
                )
            self.writer = LinkedWriter(record_type, self.plan, self.actor, dry=self.dry)
            return int(job.report.get("pass", 1)), job.done_rows

    def _locked(self, session: Session) -> Import:
        statement = (
            select(Import).where(Import.id == self.import_id, Import.deleted_at.is_(None)).with_for_update()
        )
        job = session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
        if job is None:
            raise Superseded
        return job

    def _finish(self) -> None:
        with db.unit_of_work() as session:
            job = self._locked(session)
            if job.state != self.state:
                raise Superseded
            job.state = "checked" if self.dry else "done"
            job.finished_at = clock.now()
            job.total_rows = job.report.get("rows", job.done_rows)
            job.message = None
            if not self.dry:
                audit.write(session, object="imports", record_id=job.id, action="imported", title=job.name)
                audit.use_batch(session, self.import_id)
                for part in self.writer.parts:
                    events.announce(session, f"{part.type.singular}.created")

    # Passes ----------------------------------------------------------------------------

    def _pass(self, number: int, position: int) -> None:
        reader = RowReader(self.path, self.options)
        rows = islice(reader, position, None)
        for batch in batches(rows):
            self._step(number, position, batch, reader.fraction)
            position += len(batch)
        with db.unit_of_work() as session:
            job = self._mine(session, number, position)
            if number == 1:
                job.report = {**job.report, "rows": position}
                job.total_rows = position
                if self.writer.parent_mapped:
                    job.report = {**job.report, "pass": 2}
                    job.done_rows = 0

    def _mine(self, session: Session, number: int, position: int) -> Import:
        job = self._locked(session)
        if job.state != self.state or job.done_rows != position or int(job.report.get("pass", 1)) != number:
            raise Superseded
        return job

    def _step(self, number: int, position: int, batch: list[Row], fraction: float) -> None:
        try:
            self._write(number, position, batch, fraction, batch)
        except (DataError, IntegrityError):
            # Something that only the database knows: find the row, let the others in.
            self.writer.dropped()
            self._one_by_one(number, position, batch, fraction)

    def _one_by_one(self, number: int, position: int, batch: list[Row], fraction: float) -> None:
        for offset, row in enumerate(batch):
            try:
                self._write(number, position + offset, [row], fraction, [row])
            except (DataError, IntegrityError):
                self.writer.dropped()
                problem = _(
                    "The database does not take this row. Look for values that are far too large or stand twice."
                )
                self._write(number, position + offset, [row._replace(problem=problem)], fraction, [row])

    def _write(
        self, number: int, position: int, rows: list[Row], fraction: float, counted: list[Row]
    ) -> None:
        with db.unit_of_work() as session:
            audit.use_batch(session, self.import_id)
            events.hold(session)
            if not self.dry:
                self._mine(session, number, position)
            result, linked = self._work(session, number, rows)
            if self.dry:
                session.rollback()
                session.expunge_all()
                self.writer.dropped()
            job = self._mine(session, number, position)
            if linked:
                _recount(session, job, linked)
            reports.add(job, result)
            job.report = {**job.report, "fraction": round(fraction, 3)}
            job.done_rows = position + len(counted)
            _keep_refused(session, job, result.refused)
        if not self.dry:
            self.writer.kept()

    def _work(self, session: Session, number: int, rows: list[Row]) -> tuple[Result, list[uuid.UUID]]:
        if number == 1:
            return self.writer.write(session, rows), []
        statement = select(RefusedRow.row).where(
            RefusedRow.import_id == self.import_id, RefusedRow.row.in_([row.number for row in rows])
        )
        return self.writer.link_parents(session, rows, set(session.execute(statement).scalars()))


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Part rows into batches."""
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        yield batch


def _keep_refused(session: Session, job: Import, refused: list[Planned]) -> None:
    rows = [
        {
            "tenant_id": job.tenant_id,
            "id": new_id(),
            "import_id": job.id,
            "row": planned.row.number,
            "cells": [cell[:2000] for cell in planned.row.cells],
            "errors": planned.errors,
        }
        for planned in refused
    ]
    if rows:
        session.execute(insert(RefusedRow.__table__), rows)  # type: ignore[arg-type]


def _recount(session: Session, job: Import, linked: list[uuid.UUID]) -> None:
    """Count records as changed that the first pass left as they were."""
    session.flush()  # The entries of this batch are counted too: one entry means that only the parent changed.
    statement = select(AuditEntry.record_id).where(
        AuditEntry.batch_id == job.id, AuditEntry.record_id.in_(linked)
    )
    seen: dict[Any, int] = {}
    for record_id in session.execute(statement).scalars():
        seen[record_id] = seen.get(record_id, 0) + 1
    only_linked = sum(1 for record_id in linked if seen.get(record_id) == 1)
    job.updated_count += only_linked
    job.unchanged_count -= only_linked
