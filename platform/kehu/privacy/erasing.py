"""Removing one person from the tables: what is about him goes, what the firm did stays without him.

The customer's own row keeps its number alone, since deals and tickets belong to it. Their texts go; amounts, stages
and times stay. Rows that point at what goes lose the pointer, or go along when they can't be without it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kehu.core import clock, context, db, search
from kehu.core.i18n import _
from kehu.core.records.service import service_for
from kehu.core.text import fold
from kehu.customers.models import Customer
from kehu.deals.models import Deal
from kehu.privacy.collecting import BUSINESS, CONTACTS, CUSTOMERS, Collector, Found, Subject
from kehu.privacy.keys import Pointer, TableName, quoted
from kehu.tickets.models import Ticket

TALK = frozenset(TableName("public", name) for name in ("activities", "ticket_messages"))
"""What was said: gone with the person, also where it stands at a deal or ticket."""

OF_THE_FIRM = BUSINESS | {TableName("public", "owned_items")}
"""What belongs to a customer and merely names a contact."""

_DELETABLE = text(
    "SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND has_schema_privilege(n.oid, 'USAGE') "
    "AND has_table_privilege(c.oid, 'DELETE')"
)


@dataclass(kw_only=True)
class ErasurePlan:
    """What an erasure does, by table.

    :param gone: rows that are removed.
    :param kept: rows of the firm's business that stay without the person.
    :param bare: columns of rows that stay and point at what goes.
    """

    subject: Subject
    gone: Found
    kept: dict[TableName, list[str]]
    bare: list[Pointer] = field(default_factory=list)
    records: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows of each table are removed."""
        return {table.label: len(rows) for table, rows in sorted(self.gone.rows.items())}

    @property
    def kept_counts(self) -> dict[str, int]:
        """Return how many rows of each table stay without the person."""
        return {table.label: len(ids) for table, ids in sorted(self.kept.items()) if ids}


def plan(session: Session, subject: Subject, outlive: frozenset[TableName] = frozenset()) -> ErasurePlan:
    """Find what an erasure takes; nothing is changed.

    :param outlive: tables of plugins whose rows stay without the person.
    """
    collector = Collector(session, subject)
    everything = collector.everything(outlive)
    stays = outlive | (OF_THE_FIRM if subject.object == "contacts" else BUSINESS)
    gone = Found(direct=everything.direct)
    for table, rows in everything.rows.items():
        if table in stays or table == CUSTOMERS:
            continue
        direct = everything.direct.get(table, set())
        if subject.object == "contacts" and table != CONTACTS:
            taken = {key: row for key, row in rows.items() if key in direct and _names_him(collector, table)}
        elif table.own and table not in TALK:
            taken = {key: row for key, row in rows.items() if key in direct}
        else:
            taken = dict(rows)
        if taken:
            gone.rows[table] = taken
    wave = {table: gone.ids(table) for table in gone.rows}
    while wave := collector.step(
        gone, wave, lambda pointer, row: pointer.table not in stays and (pointer.binds or collector.his(row))
    ):
        pass
    found = ErasurePlan(
        subject=subject,
        gone=gone,
        kept={table: everything.ids(table) for table in BUSINESS | outlive if subject.object == "customers"},
    )
    found.bare = _loose(collector, gone)
    found.records = [
        *map(str, subject.ids),
        *(one for table in gone.rows for one in gone.ids(table)),
        *(one for ids in found.kept.values() for one in ids),
    ]
    return found


def plan_row(session: Session, table: TableName, record_id: uuid.UUID) -> ErasurePlan:
    """Find what goes with one row that is about no person: all that can't be without it; nothing is changed."""
    collector = Collector(session, Subject(object="", record_id=record_id))
    gone = collector.of_row(table, record_id)
    wave = {table: gone.ids(table)}
    while wave := collector.step(gone, wave, lambda pointer, _row: pointer.binds):
        pass
    found = ErasurePlan(subject=collector.subject, gone=gone, kept={})
    found.bare = _loose(collector, gone)
    found.records = [one for name in gone.rows for one in gone.ids(name)]
    return found


def _loose(collector: Collector, gone: Found) -> list[Pointer]:
    return [
        pointer
        for table in gone.rows
        for pointer in collector.pointers.get(table, ())
        if not pointer.binds and gone.ids(table)
    ]


def _names_him(collector: Collector, table: TableName) -> bool:
    """Tell whether rows of a table are about a contact, and do not merely name one beside a customer."""
    mine = [one for one in collector.pointers.get(CONTACTS, ()) if one.table == table]
    return table in TALK or table.name == "messages" or any(one.binds for one in mine)


def erase(session: Session, found: ErasurePlan) -> None:
    """Do what the plan says."""
    _loosen(session, found)
    _delete(session, found)
    if found.subject.object == "customers":
        _bare_customers(session, found)
        _bare_deals(session, found.kept.get(TableName("public", "deals"), []))
        _bare_tickets(session, found.kept.get(TableName("public", "tickets"), []))
    _traces(session, found)
    session.expire_all()


def _loosen(session: Session, found: ErasurePlan) -> None:
    for pointer in found.bare:
        # Names come from the catalogue and are quoted; every value is bound.
        statement = text(
            f"UPDATE {pointer.table.sql} SET {quoted(pointer.column)} = NULL "  # noqa: S608 - see above
            f"WHERE tenant_id = :tenant AND {quoted(pointer.column)} = ANY(CAST(:ids AS uuid[]))"
        )
        session.execute(statement, {"tenant": db.tenant_id(), "ids": found.gone.ids(pointer.target)})


def _delete(session: Session, found: ErasurePlan) -> None:
    """Remove the rows by one statement: keys between them are looked at when all are gone."""
    able = {TableName(row.schema, row.name) for row in session.execute(_DELETABLE)}
    values: dict[str, Any] = {"tenant": db.tenant_id(), "persons": [str(one) for one in found.subject.ids]}
    parts = []
    for number, table in enumerate(one for one in found.gone.rows if one in able):
        ids = found.gone.ids(table)
        where = (
            f"id = ANY(CAST(:ids{number} AS uuid[]))" if ids else "person_id = ANY(CAST(:persons AS uuid[]))"
        )
        values |= {f"ids{number}": ids} if ids else {}
        parts.append(
            f"d{number} AS (DELETE FROM {table.sql} WHERE tenant_id = :tenant AND {where} RETURNING 1)"  # noqa: S608
        )
    if parts:
        session.execute(text(f"WITH {', '.join(parts)} SELECT 1"), values)


def _bare_customers(session: Session, found: ErasurePlan) -> None:
    """Leave the number of a customer, and nothing that says who it was."""
    rows = session.execute(
        select(Customer).where(Customer.id.in_(found.subject.customers)).with_for_update()
    ).scalars()
    for record in rows:
        record.name = _("Erased customer %(number)s", number=record.number)
        record.name_norm = fold(record.name)
        record.emails, record.phones, record.addresses, record.tags = [], [], [], []
        record.email_norm = record.phone_norm = record.website = record.description = None
        record.region = record.best_hours = record.preferred_channel = None
        record.external_id = record.born_on = record.founded = record.employees = record.revenue = None
        record.custom, record.do_not_contact, record.mail_consent = {}, "all", None
        record.deleted_at = record.deleted_at or clock.now()
        record.deleted_by = record.deleted_by or context.actor().member_id


def _bare_deals(session: Session, ids: Sequence[str]) -> None:
    for record in session.execute(select(Deal).where(Deal.id.in_(ids))).scalars() if ids else ():
        record.name = _("Deal %(number)s", number=record.number)
        record.name_norm = fold(record.name)
        record.description = record.external_id = record.contact_id = None
        record.tags, record.custom = [], {}
        _found_by(session, "deals", record)


def _bare_tickets(session: Session, ids: Sequence[str]) -> None:
    for record in session.execute(select(Ticket).where(Ticket.id.in_(ids))).scalars() if ids else ():
        record.subject = _("Ticket %(number)s", number=record.number)
        record.subject_norm = fold(record.subject)
        record.description = record.external_id = record.contact_id = record.requester_email = None
        record.tags, record.custom = [], {}
        _found_by(session, "tickets", record)


def _found_by(session: Session, name: str, record: Any) -> None:
    session.flush()  # The terms are those of what is written now.
    search.index(
        session, name, {record.id: list(service_for(name, session, context.SYSTEM).found_by(record))}
    )


TRACES: Mapping[str, str] = {
    "search_terms": "record_id = ANY(CAST(:gone AS uuid[]))",
    "custom_values": "record_id = ANY(CAST(:all AS uuid[]))",
    "files": "record_id = ANY(CAST(:all AS uuid[])) OR customer_id = ANY(CAST(:persons AS uuid[]))",
    "drafts": "right(key, 36) = ANY(:all)",
    "merges": "keep_id = ANY(CAST(:persons AS uuid[])) OR drop_id = ANY(CAST(:persons AS uuid[]))",
    "no_doubles": "low_id = ANY(CAST(:persons AS uuid[])) OR high_id = ANY(CAST(:persons AS uuid[]))",
    "no_households": "low_id = ANY(CAST(:persons AS uuid[])) OR high_id = ANY(CAST(:persons AS uuid[]))",
    "flow_runs": "record_id = ANY(CAST(:all AS uuid[]))",
    "webhook_deliveries": (
        "entry_id IN (SELECT id FROM audit_entries WHERE tenant_id = :tenant AND "
        "(record_id = ANY(CAST(:all AS uuid[])) OR customer_id = ANY(CAST(:persons AS uuid[]))))"
    ),
}
"""Tables that name records without a key -> which rows go."""


def _traces(session: Session, found: ErasurePlan) -> None:
    kept = {one for ids in found.kept.values() for one in ids}
    values = {
        "tenant": db.tenant_id(),
        "all": found.records,
        "gone": [one for one in found.records if one not in kept],
        "persons": [str(one) for one in found.subject.ids],
    }
    for table, where in TRACES.items():
        needed = {key: value for key, value in values.items() if f":{key}" in where or key == "tenant"}
        session.execute(
            text(f"DELETE FROM {table} WHERE tenant_id = :tenant AND ({where})"),  # noqa: S608 - constants
            needed,
        )


def scrub(session: Session, records: Iterable[str], persons: Iterable[str]) -> None:
    """Take what was written of the person out of the trail, and remove the history of consents.

    Runs as the role of cross-tenant work: the web may only add to these tables. That something was done, when and by
    whom stays.
    """
    values = {"tenant": db.tenant_id(), "all": list(records), "persons": list(persons)}
    session.execute(
        text(
            "UPDATE audit_entries SET title = '', changes = '{}' WHERE tenant_id = :tenant AND action <> 'erased' AND "
            "(record_id = ANY(CAST(:all AS uuid[])) OR customer_id = ANY(CAST(:persons AS uuid[])))"
        ),
        values,
    )
    session.execute(
        text(
            "DELETE FROM consents WHERE tenant_id = :tenant AND "
            "(customer_id = ANY(CAST(:persons AS uuid[])) OR contact_id = ANY(CAST(:persons AS uuid[])))"
        ),
        {key: value for key, value in values.items() if key != "all"},
    )
