"""Finding the rows about one person: those that point at him, and those that point at these."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kehu.core import db
from kehu.customers.models import Contact
from kehu.merging.models import Merge
from kehu.privacy.keys import Pointer, TableName, pointers, quoted

CUSTOMERS, CONTACTS = TableName("public", "customers"), TableName("public", "contacts")
BUSINESS = frozenset(TableName("public", name) for name in ("deals", "tickets"))
"""What the firm did: kept without the person when he is erased."""

MOST = 20_000
"""Rows of one table that are handed out of one person."""

Row = dict[str, Any]
Wanted = Callable[[Pointer, Row], bool]


@dataclass(kw_only=True)
class Subject:
    """One person with all records that are him: a customer with his contacts and doubles, or one contact."""

    object: str
    record_id: uuid.UUID
    customers: list[uuid.UUID] = field(default_factory=list)
    contacts: list[uuid.UUID] = field(default_factory=list)

    @property
    def ids(self) -> list[uuid.UUID]:
        """All records of his."""
        return [*self.customers, *self.contacts]


def subject_of(session: Session, object_name: str, record_id: uuid.UUID) -> Subject:
    """Return who is meant: what was merged into a record is the same person."""
    merged = select(Merge.drop_id).where(
        Merge.object == object_name, Merge.now_id == record_id, Merge.state == "done"
    )
    all_ids = [record_id, *session.execute(merged).scalars()]
    if object_name == "contacts":
        return Subject(object=object_name, record_id=record_id, contacts=all_ids)
    people = select(Contact.id).where(Contact.customer_id.in_(all_ids))
    contacts = list(session.execute(people).scalars())
    return Subject(object=object_name, record_id=record_id, customers=all_ids, contacts=contacts)


@dataclass(kw_only=True)
class Found:
    """Rows about a person by table, each once, and the way by which they were found.

    :param direct: keys of rows that point at the person himself.
    """

    rows: dict[TableName, dict[str, Row]] = field(default_factory=dict)
    direct: dict[TableName, set[str]] = field(default_factory=dict)

    def ids(self, table: TableName) -> list[str]:
        """Return the ids of the rows of a table."""
        return [row["id"] for row in self.rows.get(table, {}).values() if row.get("id")]


class Collector:
    """Walks from the person along the keys, breadth first."""

    def __init__(self, session: Session, subject: Subject) -> None:
        self.session, self.subject = session, subject
        self.pointers = pointers(session)
        self._persons = {str(one) for one in subject.customers}

    def everything(self, outlive: Collection[TableName] = ()) -> Found:
        """Return all rows about him; those of another customer that merely touch them are not his.

        :param outlive: tables whose rows stay without him, and with them what hangs on these.
        """
        found = self._start()
        wave = {table: found.ids(table) for table in (CUSTOMERS, CONTACTS)}
        while wave := self.step(found, wave, lambda pointer, row: self.his(row)):
            wave = {table: ids for table, ids in wave.items() if table not in outlive}
        return found

    def of_row(self, table: TableName, record_id: uuid.UUID) -> Found:
        """Return one row alone, from which to walk on."""
        found = Found()
        self._take(found, table, self._read(table, "id", [str(record_id)]))
        return found

    def _start(self) -> Found:
        found = Found()
        for table, ids in ((CUSTOMERS, self.subject.customers), (CONTACTS, self.subject.contacts)):
            if ids:
                self._take(found, table, self._read(table, "id", map(str, ids)))
                found.direct[table] = set(found.rows[table])
        return found

    def step(
        self, found: Found, wave: Mapping[TableName, list[str]], wanted: Wanted
    ) -> dict[TableName, list[str]]:
        """Take the rows that point at those of the wave, and return the ids of those that are new."""
        new: dict[TableName, list[str]] = {}
        for target, ids in wave.items():
            for pointer in self.pointers.get(target, ()) if ids else ():
                if pointer.table in (CUSTOMERS, CONTACTS):
                    continue  # Whom he belongs to, and who belongs to him, are others.
                rows = [row for row in self._read(pointer.table, pointer.column, ids) if wanted(pointer, row)]
                fresh = self._take(found, pointer.table, rows)
                if target in (CUSTOMERS, CONTACTS):
                    found.direct.setdefault(pointer.table, set()).update(key_of(row) for row in rows)
                new.setdefault(pointer.table, []).extend(row["id"] for row in fresh if row.get("id"))
        return {table: ids for table, ids in new.items() if ids}

    def _take(self, found: Found, table: TableName, rows: Iterable[Row]) -> list[Row]:
        known = found.rows.setdefault(table, {})
        fresh = [row for row in rows if key_of(row) not in known]
        known.update({key_of(row): row for row in fresh})
        if not known:
            del found.rows[table]
        return fresh

    def _read(self, table: TableName, column: str, ids: Iterable[str]) -> list[Row]:
        # Names come from the catalogue and are quoted; every value is bound.
        statement = text(
            f"SELECT to_jsonb(x) AS row FROM {table.sql} x "  # noqa: S608 - see above
            f"WHERE tenant_id = :tenant AND {quoted(column)} = ANY(CAST(:ids AS uuid[])) LIMIT :most"
        )
        values = {"tenant": db.tenant_id(), "ids": list(ids), "most": MOST}
        return [one.row for one in self.session.execute(statement, values)]

    def his(self, row: Row) -> bool:
        """Tell whether a row is no other customer's."""
        whose = row.get("customer_id")
        return not whose or whose in self._persons or self.subject.object == "contacts"


def key_of(row: Row) -> str:
    """Return what tells a row from others of its table."""
    return str(row["id"]) if row.get("id") else json.dumps(row, sort_keys=True)
