"""What can be done with imports: take a file in, say how it is read, check, run, try again, take back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.core import audit, context, jobs
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records import rights
from kehu.core.records.types import RecordType, registered
from kehu.core.text import clean
from kehu.imports import reports, undoing
from kehu.imports.columns import MOST_VALUES, Column
from kehu.imports.mapping import Plan, header_hash, propose
from kehu.imports.models import Import, ImportMapping, RefusedRow
from kehu.imports.reader import FileInfo, RowReader, inspect_file
from kehu.imports.targets import importable_types, may_import

CHUNK: Final = 256 * 1024
AT_ONCE: Final = 2 * 1024 * 1024
"""Larger files are looked into by a job, so that no page waits for them."""

SETTLED: Final = ("uploaded", "checked", "failed")
"""States in which a person may change how the file is read."""


class ImportService:
    """Bring records in from files.

    :param root: the installation's folder for uploads; the file of an import lies in `<root>/<tenant>/<id>`.
    """

    def __init__(self, session: Session, root: Path, actor: context.Actor | None = None) -> None:
        self.session, self.root = session, root
        self.actor = actor or context.actor()
        self.tenant = context.tenant()

    # Reading ---------------------------------------------------------------------------

    def listed(self, limit: int = 100) -> Sequence[Import]:
        """Return the latest imports of the types that the actor may import."""
        names = [found.name for found in importable_types(self.actor)]
        statement = select(Import).where(Import.object.in_(names), Import.deleted_at.is_(None))
        return (
            self.session.execute(statement.order_by(Import.created_at.desc(), Import.id.desc()).limit(limit))
            .scalars()
            .all()
        )

    def get(self, import_id: object, *, lock: bool = False) -> Import:
        """Return an import.

        :raises NotFound: when there is none, or the actor may not import such records.
        """
        statement = select(Import).where(Import.id == parse_id(import_id), Import.deleted_at.is_(None))
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        found = self.session.execute(statement).scalar_one_or_none()
        if found is None or not may_import(self.type_of(found), self.actor) or self._hidden(found):
            raise NotFound(_("This import does not exist."))
        return found

    @staticmethod
    def _hidden(job: Import) -> bool:
        """Tell whether a file fills fields that the actor's role does not see: its pages show what stands in it."""
        targets = (one.rpartition(":") for one in Plan.from_json(job.mapping, job.options).targets())
        return any(key in rights.hidden(name or job.object) for name, _colon, key in targets)

    @staticmethod
    def type_of(job: Import) -> RecordType:
        """Return what an import makes.

        :raises NotFound: when the plugin that brought the record type is gone.
        """
        record_type = registered().get(job.object)
        if record_type is None:
            raise NotFound(_("This import does not exist."))
        return record_type

    def path(self, job: Import) -> Path:
        """Return where the file of an import lies."""
        return self.root / job.path

    def refused(self, job: Import, limit: int = 100) -> Sequence[RefusedRow]:
        """Return the first rows that were refused."""
        statement = select(RefusedRow).where(RefusedRow.import_id == job.id).order_by(RefusedRow.row)
        return self.session.execute(statement.limit(limit)).scalars().all()

    def all_refused(self, job: Import) -> Iterator[RefusedRow]:
        """Yield every row that was refused, in constant memory."""
        after = -1
        while True:
            statement = select(RefusedRow).where(RefusedRow.import_id == job.id, RefusedRow.row > after)
            rows = self.session.execute(statement.order_by(RefusedRow.row).limit(500)).scalars().all()
            if not rows:
                return
            yield from rows
            after = rows[-1].row
            self.session.expunge_all()

    # Taking in -------------------------------------------------------------------------

    def take(self, type_name: str, name: str, stream: IO[bytes], most: int) -> Import:
        """Take an upload in, and propose how it is read when it is small.

        :param most: the largest file in bytes.
        :raises InvalidInput: when nothing can be made of the file.
        """
        record_type = registered().get(type_name)
        if record_type is None or not record_type.importable:
            message = _("Choose what the file holds.")
            raise InvalidInput(message, fields={"object": [message]})
        if not may_import(record_type, self.actor):
            raise Forbidden(_("Your role does not allow to import %(things)s.", things=record_type.plural))
        job = Import(
            id=new_id(),
            version=1,
            object=type_name,
            name=clean(Path(name.replace("\\", "/")).name)[:200] or _("File"),
            state="uploaded",
            format={},
            mapping={},
            options={},
            report={},
            owner_id=self.actor.member_id,
            created_by=self.actor.member_id,
        )
        job.path = f"{self.tenant.id}/{job.id}"
        job.size = _copy(stream, self.path(job), most)
        try:
            if job.size <= AT_ONCE:
                self.look(job)
            self.session.add(job)
            self.session.flush()  # The job below is about this row.
        except BaseException:
            self.path(job).unlink(missing_ok=True)
            raise
        if not job.format:
            jobs.enqueue(self.session, "imports.look", import_id=str(job.id))
        return job

    def look(self, job: Import, wishes: Mapping[str, Any] | None = None) -> None:
        """Find out how the file is read and propose what its columns become.

        :param wishes: what a person chose instead: encoding, delimiter, quote, header, sheet.
        """
        info = inspect_file(self.path(job), wishes)
        columns, job.total_rows = survey(self.path(job), info)
        job.format = _format_of(info, columns)
        job.message = None
        plan = self._remembered(job) or propose(self.type_of(job), columns, self.actor)
        job.mapping, job.options = plan.as_json()

    def _remembered(self, job: Import) -> Plan | None:
        """Return the plan that was used last for a file with this header."""
        statement = select(ImportMapping).where(
            ImportMapping.object == job.object,
            ImportMapping.header_hash == header_hash(job.format["columns"]),
        )
        found = self.session.execute(statement).scalar_one_or_none()
        if found is None or not job.format["read"]["header"]:
            return None
        plan = Plan.from_json(found.mapping, found.options)
        for index, use in plan.columns.items():
            # Dates and numbers may be written in another way in this file.
            column = job.format["columns"][index]
            use.order, use.mark = column["date_order"] or use.order, column["decimal_mark"] or use.mark
        return plan

    # Changing --------------------------------------------------------------------------

    def read_again(self, job: Import, wishes: Mapping[str, Any]) -> None:
        """Read the file in another way; what was mapped is proposed anew."""
        self._settled(job)
        if job.size > AT_ONCE and job.format["read"]["kind"] == "xlsx":
            job.format = {}
            job.state = "uploaded"
            jobs.enqueue(self.session, "imports.look", import_id=str(job.id), wishes=dict(wishes))
            return
        self.look(job, wishes)
        job.state = "uploaded"
        reports.reset(job)

    def plan(self, job: Import, plan: Plan) -> None:
        """Keep what a person decided."""
        self._settled(job)
        job.mapping, job.options = plan.as_json()
        job.state = "uploaded"

    def check(self, job: Import) -> None:
        """Try the whole file by a job, without writing anything."""
        self._settled(job)
        self._fresh(job)
        job.state = "checking"
        reports.reset(job)
        self._remember(job)
        self._enqueue("imports.check", job)

    def start(self, job: Import) -> None:
        """Bring the records in, by a job.

        :raises Conflict: when the file was not checked since the last change.
        """
        if job.state != "checked":
            raise Conflict(_("Check the file first; then it can be imported."))
        job.state = "queued"
        reports.reset(job)
        self.session.execute(
            delete(RefusedRow).where(RefusedRow.tenant_id == self.tenant.id, RefusedRow.import_id == job.id)
        )
        self._enqueue("imports.run", job)
        audit.write(self.session, object="imports", record_id=job.id, action="started", title=job.name)

    def again(self, job: Import) -> None:
        """Go on with an import that failed, behind the last rows that were written.

        :raises Conflict: when it did not fail.
        """
        if job.state != "failed":
            raise Conflict(_("This import did not fail."))
        doing = job.report.get("doing", "")
        if doing == "undoing":
            job.state = "undoing"
            self._enqueue("imports.undo", job)
        elif doing == "running":
            job.state = "queued"
            self._enqueue("imports.run", job)
        elif job.format:
            self.check(job)
        else:
            job.state = "uploaded"
            self._enqueue("imports.look", job)
        job.message = None

    def stop(self, job: Import) -> None:
        """Stop a check or a run after the rows that are being written; it can go on later.

        :raises Conflict: when nothing is running.
        """
        if job.state not in ("checking", "queued", "running"):
            raise Conflict(_("Nothing is running here."))
        doing = "checking" if job.state == "checking" else "running"
        job.report = {**job.report, "doing": doing}
        job.state = "uploaded" if doing == "checking" else "failed"
        job.message = (
            _("You stopped it. What was written before stays; go on, or take it back.")
            if doing == "running"
            else None
        )

    def undo(self, job: Import) -> None:
        """Take the whole import back, by a job; of one that was taken back, what stayed as it was.

        :raises Conflict: when nothing was written, or nothing stayed.
        """
        checked = job.state == "failed" and job.report.get("doing") == "checking"
        left = job.state == "undone" and job.report.get("kept")
        if checked or not (job.state in ("done", "failed") or left):
            raise Conflict(_("There is nothing to take back."))
        self.actor.require(f"{job.object}:delete")
        job.state = "undoing"
        if left:
            job.report = undoing.once_more(job.report)
        job.report = {**job.report, "undo_total": undoing.total_entries(self.session, job)}
        self._enqueue("imports.undo", job)

    def remove(self, job: Import) -> None:
        """Put away an import that wrote nothing, with its file.

        :raises Conflict: when it did.
        """
        if job.state not in ("uploaded", "checked", "undone") and job.report.get("doing") in (
            "running",
            "undoing",
        ):
            raise Conflict(_("Take the import back first."))
        if job.state in ("checking", "queued", "running", "undoing", "done"):
            raise Conflict(_("Take the import back first."))
        self.session.execute(
            delete(RefusedRow).where(RefusedRow.tenant_id == self.tenant.id, RefusedRow.import_id == job.id)
        )
        self.path(job).unlink(missing_ok=True)
        self.session.delete(job)

    # Parts -----------------------------------------------------------------------------

    def _settled(self, job: Import) -> None:
        if job.state not in SETTLED or job.report.get("doing") in ("running", "undoing"):
            raise Conflict(_("This import has begun; upload the file again to read it in another way."))

    def _fresh(self, job: Import) -> None:
        plan = Plan.from_json(job.mapping, job.options)
        if not plan.columns:
            raise InvalidInput(_("No column is used. Say what at least one column becomes."))

    def _enqueue(self, task: str, job: Import) -> None:
        # One after the other within a firm: two imports at once would make the records of each other twice.
        jobs.enqueue(self.session, task, lock=f"import-{self.tenant.id}", import_id=str(job.id))

    def _remember(self, job: Import) -> None:
        """Keep the plan for the next file with this header."""
        table = ImportMapping.__table__
        statement = insert(ImportMapping).values(
            tenant_id=self.tenant.id,
            id=new_id(),
            object=job.object,
            header_hash=header_hash(job.format["columns"]),
            mapping=job.mapping,
            options=job.options,
        )
        self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[table.c.tenant_id, table.c.object, table.c.header_hash],
                set_={"mapping": statement.excluded.mapping, "options": statement.excluded.options},
                where=table.c.tenant_id == self.tenant.id,
            )
        )


def columns_of(job: Import) -> list[Column]:
    """Return the columns that were found in a file."""
    return [
        Column(
            **{
                **entry,
                "examples": tuple(entry["examples"]),
                "values": tuple(entry.get("values", ())),
                "counts": tuple(entry.get("counts", ())),
            }
        )
        for entry in job.format["columns"]
    ]


def survey(path: Path, info: FileInfo) -> tuple[list[Column], int]:
    """Read the whole file once: count its rows and find every value of the columns with few."""
    few = {column.index: dict.fromkeys(column.values, 0) for column in info.columns if column.values}
    count = 0
    for row in RowReader(path, info.options):
        count += 1
        for index in list(few):
            cell = row.cells[index] if index < len(row.cells) else ""
            if cell:
                few[index][cell[:80]] = few[index].get(cell[:80], 0) + 1
                if len(few[index]) > MOST_VALUES:
                    del few[index]
    none: dict[str, int] = {}
    found = [(column, few.get(column.index, none)) for column in info.columns]
    return [replace(one, values=tuple(seen), counts=tuple(seen.values())) for one, seen in found], count


def _format_of(info: FileInfo, columns: Sequence[Column]) -> dict[str, Any]:
    return {
        "read": info.options.as_json(),
        "columns": [column.as_json() for column in columns],
        "preview": [[row.number, [cell[:80] for cell in row.cells], row.problem] for row in info.preview[:8]],
        "sheets": list(info.sheets),
        "encoding_sure": info.encoding_sure,
        "encoding_others": list(info.encoding_others),
    }


def _copy(stream: IO[bytes], target: Path, most: int) -> int:
    """Copy an upload to its place, in pieces, and return its size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".incoming-")
    size = 0
    try:
        with os.fdopen(handle, "wb") as file:
            while piece := stream.read(CHUNK):
                size += len(piece)
                if size > most:
                    message = _(
                        "The file is larger than %(may)s MB. Nothing was kept; part it into several files.",
                        may=most // 1024**2,
                    )
                    raise TooLarge(message, fields={"file": [message]})
                file.write(piece)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return size
