"""Handing out and erasing all that is known of one person."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.addons.calls import call
from kehu.core import audit, clock, context, db, hooks, jobs
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, InvalidInput, StaleVersion
from kehu.core.i18n import _
from kehu.core.records import rights
from kehu.core.records.service import service_for
from kehu.deals.models import Deal
from kehu.files.media import safe_name
from kehu.files.models import File
from kehu.files.store import FileStore
from kehu.privacy import erasing, holds, packing
from kehu.privacy.collecting import MOST, Collector, Subject, subject_of
from kehu.privacy.keys import TableName
from kehu.privacy.models import LegalHold
from kehu.privacy.own_words import name_own
from kehu.privacy.recency import bonds
from kehu.tickets.models import Ticket
from plugins.relay import PluginError
from plugins.subjects import SubjectReport

YEAR = dt.timedelta(days=365)
SECRET = frozenset({"members", "roles", "users"})


@dataclass(kw_only=True)
class Preview:
    """What is known of a person, in numbers, before anything is done.

    :param gone: what an erasure removes, by table; `kept` what stays without the person.
    :param plugins: what plugins say that they keep beside, in their words.
    :param holds: legal holds, which refuse an erasure; `why` is what else speaks for keeping him.
    :param open: deals and tickets that are not closed yet.
    """

    record: Any
    gone: Mapping[str, int]
    kept: Mapping[str, int]
    files: int
    plugins: dict[str, int] = field(default_factory=dict)
    open: int = 0
    holds: Sequence[LegalHold] = ()
    why: Sequence[str] = ()


class PrivacyService:
    """Answer what the law lets a person ask for.

    :param store: where files lie.
    """

    def __init__(self, session: Session, store: FileStore, actor: context.Actor | None = None) -> None:
        self.session, self.store = session, store
        self.actor = actor or context.actor()

    def preview(self, object_name: str, record_id: object) -> Preview:
        """Count what is known of a person; nothing is changed."""
        self.actor.require("privacy:erase")
        record, subject = self._subject(object_name, record_id)
        beside, outlive = self._ask(subject, "count")
        plan = erasing.plan(self.session, subject, outlive)
        return Preview(
            record=record,
            gone=plan.counts,
            kept=plan.kept_counts,
            files=len(self._files(plan.records)),
            plugins=dict(beside.erased),
            open=_open(self.session, plan.kept),
            holds=holds.of(self.session, subject),
            why=bonds(self.session, object_name, [record.id], since=clock.now() - YEAR, years=10).get(
                record.id, ()
            ),
        )

    def export(self, object_name: str, record_id: object, into: IO[bytes]) -> str:
        """Write all that is known of a person into a ZIP file, note that it was done, and return the file's name.

        :raises Conflict: when a plugin can't say what it keeps.
        """
        self.actor.require("privacy:export")
        rights.require_all()
        record, subject = self._subject(object_name, record_id)
        found = Collector(self.session, subject).everything()
        tables = {
            table.label: [packing.shown(row) for row in rows.values()]
            for table, rows in sorted(found.rows.items())
            if table.name not in SECRET
        }
        ids = [*map(str, subject.ids), *(one for table in found.rows for one in found.ids(table))]
        files = self._files(ids)
        tables["files"] = [
            {"name": one.name, "size": one.size, "at": one.created_at.isoformat()} for one in files
        ]
        tables["history"] = self._history(subject, ids)
        for name, rows in self._ask(subject, "export")[0].rows.items():
            tables[name] = [dict(row) for row in rows]
        tenant = context.tenant()
        name_own(self.session, tables)
        about = {"name": record.name, "firm": tenant.name, "on": clock.today(tenant.tz).isoformat()}
        tables = {name: rows for name, rows in tables.items() if rows}
        packing.pack(tables, about, self._named(files), into)
        audit.write(
            self.session,
            object=object_name,
            record_id=record.id,
            action="handed_out",
            title=record.name,
            customer_id=record.id if object_name == "customers" else None,
        )
        return f"{safe_name(record.name)}-{about['on']}.zip"

    def erase(self, object_name: str, record_id: object, *, typed: str, version: int) -> dict[str, int]:
        """Remove all that is known of a person, and return how much of what it was. It can't be undone.

        :param typed: the person's name, written by the member so that it does not happen by mistake.
        :param version: of the record that the preview showed.
        :raises InvalidInput: when the name is another.
        :raises StaleVersion: when the record was changed since.
        :raises Conflict: when a plugin can't remove what it keeps; nothing is changed then.
        """
        self.actor.require("privacy:erase")
        record, subject = self._subject(object_name, record_id, lock=True)
        if typed.strip().casefold() != record.name.strip().casefold():
            message = _("Write “%(name)s” to have all of this erased.", name=record.name)
            raise InvalidInput(message, fields={"name": [message]})
        if version != record.version:
            raise StaleVersion(_("Somebody changed this record in the meantime. Look at it again."))
        return self._erase(subject, _("Erased on request"))

    def retire(
        self, object_name: str, record_id: uuid.UUID, why: str, *, trashed: bool = False
    ) -> dict[str, int]:
        """Erase a person because a rule of the firm says so, and return how much of what it was.

        :param why: what the trail says of it.
        :param trashed: he lies in the trash.
        :raises Conflict: when a plugin can't remove what it keeps; nothing is changed then.
        """
        self.actor.require("privacy:erase")
        return self._erase(self._subject(object_name, record_id, lock=True, trashed=trashed)[1], why)

    def purge(self, object_name: str, record_id: uuid.UUID, why: str) -> dict[str, int] | None:
        """Remove a record that lies in the trash and is no person; None when a record that lives needs it."""
        self.actor.require("privacy:erase")
        record = service_for(object_name, self.session, context.SYSTEM).get(
            record_id, trashed=True, lock=True
        )
        if holds.touching(self.session, type(record), [record.id]):
            raise Conflict(_("A legal hold says that this has to be kept. Release the hold first."))
        table = TableName("public", record.__tablename__)
        plan = erasing.plan_row(self.session, table, record.id)
        alive = [
            row
            for rows in plan.gone.rows.values()
            for row in rows.values()
            if "deleted_at" in row and row["deleted_at"] is None
        ]
        if alive:
            return None
        self._carry_out(plan, object_name, why, {})
        return plan.counts

    # --- parts --------------------------------------------------------------------------------------------

    def _erase(self, subject: Subject, why: str) -> dict[str, int]:
        holds.refuse(self.session, subject)
        outlive = self._ask(subject, "count")[1]
        # Once a plugin has taken the person out of them, nobody finds the rows that stay.
        stay = erasing.plan(self.session, subject, outlive).kept if outlive else {}
        beside = self._ask(subject, "erase")[0]
        self.session.flush()  # What the plugins changed is what is looked for now.
        plan = erasing.plan(self.session, subject, outlive)
        for table in outlive & stay.keys():
            plan.kept[table] = stay[table]
            plan.records += stay[table]
        plan.records += [one for one in map(str, beside.forgotten) if one not in plan.records]
        counts = {str(name): count for name, count in beside.erased.items()}
        self._carry_out(plan, subject.object, why, counts)
        return {**plan.counts, **counts}

    def _carry_out(
        self, plan: erasing.ErasurePlan, object_name: str, why: str, beside: dict[str, int]
    ) -> None:
        """Remove what a plan says, note it as proof, and leave the rest to the job."""
        sums = [one.sha256 for one in self._files(plan.records)]
        erasing.erase(self.session, plan)
        gone = {name: [count, 0] for name, count in {**plan.counts, **beside}.items()}
        kept = {f"{name} (kept)": [count, count] for name, count in plan.kept_counts.items()}
        entry = audit.write(
            self.session,
            object=object_name,
            record_id=plan.subject.record_id,
            action="erased",
            title=why,
            changes={**gone, **kept},
        )
        for other in plan.subject.ids:
            if (
                other != plan.subject.record_id
                and object_name == "customers"
                and other in plan.subject.customers
            ):
                audit.write(self.session, object=object_name, record_id=other, action="erased", title=why)
        jobs.enqueue(
            self.session,
            "privacy.scrub",
            entry_id=str(entry.id),
            records=plan.records,
            persons=[str(one) for one in plan.subject.ids],
            sums=sums,
        )

    def _subject(
        self, object_name: str, record_id: object, *, lock: bool = False, trashed: bool = False
    ) -> tuple[Any, Subject]:
        service = service_for(object_name, self.session, context.SYSTEM)
        record = service.get(record_id, lock=lock, trashed=trashed)
        return record, subject_of(self.session, object_name, record.id)

    def _ask(self, subject: Subject, mode: str) -> tuple[SubjectReport, frozenset[TableName]]:
        """Ask each plugin that is on what it keeps beside, and which of its tables outlive the person."""
        outlive: set[TableName] = set()
        rows: dict[str, Any] = {}
        counts: dict[str, int] = {}
        forgotten: list[uuid.UUID] = []
        relay = hooks.host().relay
        for slug in relay.implementers("kehu_subject_data", hooks.enabled()):
            try:
                report = relay.run_one(
                    "kehu_subject_data",
                    slug,
                    tenant=db.tenant_id(),
                    ctx=call(slug),
                    object=subject.object,
                    record_id=subject.record_id,
                    mode=mode,
                )
            except PluginError as error:
                installed = hooks.host().installed.get(slug)
                raise Conflict(
                    _(
                        "%(plugin)s could not say what it keeps of this person, so nothing was done. Try again later.",
                        plugin=installed.name if installed else slug,
                    )
                ) from error
            if report is not None:
                rows |= {f"{slug}.{name}": found for name, found in report.rows.items()}
                counts |= {str(name): count for name, count in report.erased.items() if count}
                forgotten += report.forgotten
                outlive |= {TableName(f"p_{slug}", table) for table in report.outlive}
        return SubjectReport(rows=rows, erased=counts, forgotten=forgotten), frozenset(outlive)

    def _files(self, ids: list[str]) -> list[File]:
        wanted = [uuid.UUID(one) for one in ids]
        statement = select(File).where(File.record_id.in_(wanted) | File.customer_id.in_(wanted)).limit(MOST)
        return list(self.session.execute(statement).scalars())

    def _named(self, files: list[File]) -> Iterator[tuple[str, Path]]:
        for number, one in enumerate(files, 1):
            yield f"{number:03}-{safe_name(one.name)}", self.store.path(context.tenant().id, one.sha256)

    def _history(self, subject: Subject, ids: list[str]) -> list[dict[str, Any]]:
        wanted = [uuid.UUID(one) for one in ids]
        statement = (
            select(AuditEntry.at, AuditEntry.object, AuditEntry.action, AuditEntry.title, AuditEntry.changes)
            .where(AuditEntry.record_id.in_(wanted) | AuditEntry.customer_id.in_(subject.customers))
            .order_by(AuditEntry.id)
            .limit(MOST)
        )
        return [
            packing.shown({**row._mapping, "at": row.at.isoformat()})
            for row in self.session.execute(statement)
        ]


def _open(session: Session, kept: Mapping[TableName, list[str]]) -> int:
    """Count deals and tickets that are not closed."""
    models: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (Deal, ("won", "lost")),
        (Ticket, ("resolved", "closed")),
    )
    found = 0
    for model, done in models:
        ids = kept.get(TableName("public", model.__tablename__), [])
        where = (model.id.in_(ids), model.status.not_in(done), model.deleted_at.is_(None))
        found += session.execute(select(func.count()).where(*where)).scalar_one() if ids else 0
    return found
