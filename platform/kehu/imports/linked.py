"""One file, several kinds of records: each row makes or finds its customer, its contact, its deal, and links them.

A row comes in whole or not at all: when one of its records is refused, the batch is written again without it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.records.types import RecordType, get
from kehu.imports.batch import BatchWriter
from kehu.imports.files import Row
from kehu.imports.mapping import Plan
from kehu.imports.rows import Planned, Result
from kehu.imports.targets import importable_types


def parts_for(record_type: RecordType, actor: context.Actor) -> list[RecordType]:
    """Return the further types whose records may stand in a file: those that point at the main one, or it at them."""
    return [
        other
        for other in importable_types(actor)
        if pointers(other, record_type.name) or pointers(record_type, other.name)
    ]


def in_order(names: Sequence[str]) -> list[str]:
    """Return record types so that each stands behind those that its records point at."""
    wanted = list(dict.fromkeys(names))
    found: list[str] = []
    while wanted:
        ready = [
            name
            for name in wanted
            if not any(
                spec.ref in wanted and spec.ref != name for spec in get(name).fields if spec.kind == "ref"
            )
        ]
        found += ready or wanted[:1]
        wanted = [name for name in wanted if name not in found]
    return found


def pointers(record_type: RecordType, to: str) -> list[str]:
    """Return the fields by which records of a type point at those of another one."""
    if to == record_type.name:
        return []
    return [key for key, spec in record_type.editable.items() if spec.kind == "ref" and spec.ref == to]


class LinkedWriter:
    """Writes rows that hold records of several types; to the runner it is one writer."""

    def __init__(self, record_type: RecordType, plan: Plan, actor: context.Actor, *, dry: bool) -> None:
        self.type, self.plan, self.dry = record_type, plan, dry
        self.parts = [
            BatchWriter(get(name), plan.part(name, record_type.name), actor, dry=dry)
            for name in in_order([record_type.name, *plan.parts])
        ]

    @property
    def parent_mapped(self) -> bool:
        """Whether rows say to which record of the same file and type a record belongs."""
        return any(part.parser.parent_mapped for part in self.parts)

    def kept(self) -> None:
        """Say that the batch was committed."""
        for part in self.parts:
            part.linker.kept()

    def dropped(self) -> None:
        """Say that the batch was rolled back."""
        for part in self.parts:
            part.linker.dropped()

    def write(self, session: Session, rows: Sequence[Row]) -> Result:
        """Write rows and say what became of them."""
        if len(self.parts) == 1:
            whole = Result()
            whole.add(self.type.name, self.parts[0].write(session, rows))
            return whole
        refused: dict[int, Planned] = {}
        while True:
            wanted = [row for row in rows if row.number not in refused]
            point = session.begin_nested()
            result = self._write(session, wanted)
            fresh = {one.row.number: one for one in result.refused}
            if not fresh:
                point.commit()
                result.refused = list(refused.values())
                return result
            refused.update(fresh)
            point.rollback()
            session.expunge_all()
            self.dropped()
            for part in self.parts:
                part.forget_batch()

    def _write(self, session: Session, rows: Sequence[Row]) -> Result:
        whole = Result()
        written: list[BatchWriter] = []
        for part in self.parts:
            links = {
                key: other
                for other in written
                for key in pointers(part.type, other.type.name)
                if key not in part.parser.first_column
            }
            found = part.write(session, rows, links=links, sparse=True)
            written.append(part)
            whole.add(part.type.name, found, self._prefix(part))
            if found.refused:
                break
        return whole

    def _prefix(self, part: BatchWriter) -> str:
        return "" if part.type.name == self.type.name else f"{part.type.name}:"

    def link_parents(
        self, session: Session, rows: Sequence[Row], skip: set[int]
    ) -> tuple[Result, list[uuid.UUID]]:
        """Second pass: point records at the records of the same file that they belong to."""
        whole = Result()
        changed: list[uuid.UUID] = []
        for part in self.parts:
            if part.parser.parent_mapped:
                found, linked = part.link_parents(session, rows, skip)
                whole.add(part.type.name, found, self._prefix(part))
                changed += linked
                skip = skip | {one.row.number for one in found.refused}
        return whole, changed
