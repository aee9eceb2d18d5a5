"""What can be done with customers and contacts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import inspect, select

from kehu.consent import recording
from kehu.core import clock, counters, search
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records.service import RecordService
from kehu.core.text import fold, normal_email
from kehu.customers.models import Contact, Customer


def _reach(record: Customer | Contact) -> None:
    """Keep the normalised forms of the first mail and phone, by which records are matched."""
    record.email_norm = normal_email(record.emails[0]["address"]) if record.emails else None
    record.phone_norm = record.phones[0]["number"] if record.phones else None


def _reach_texts(record: Customer | Contact) -> Iterable[tuple[str, str]]:
    yield from (("email", item["address"]) for item in record.emails)
    yield from (("phone", item["number"]) for item in record.phones)
    yield from (("tag", tag) for tag in record.tags)


class CustomerService(RecordService[Customer]):
    """Write customers."""

    type_name = "customers"

    def defaults(self) -> dict[str, Any]:
        """A new customer is the actor's, in the tenant's currency."""
        return {
            **super().defaults(),
            "currency": self.tenant.currency,
            "emails": [],
            "phones": [],
            "addresses": [],
            "tags": [],
        }

    def prepare_new(self, records: Sequence[Customer]) -> None:
        """Give each its number."""
        first = counters.take(self.session, "customers", len(records))
        for offset, record in enumerate(records):
            record.number = first + offset

    def prepare(self, record: Customer, changed: set[str]) -> None:
        """Normalise name, mail and phone."""
        record.name_norm = fold(record.name)
        _reach(record)
        recording.notice(self.session, record, changed)

    def check(self, record: Customer, changed: set[str]) -> None:
        """Refuse a chain of parents that comes back to the customer."""
        if "parent_id" not in changed or record.parent_id is None:
            return
        seen: set[uuid.UUID] = {record.id}
        parent: uuid.UUID | None = record.parent_id
        while parent is not None:
            if parent in seen or len(seen) > 20:
                message = _("A customer can't belong to itself, directly or through others.")
                raise InvalidInput(message, fields={"parent_id": [message]})
            seen.add(parent)
            parent = self.session.execute(select(Customer.parent_id).where(Customer.id == parent)).scalar()

    def saved(self, records: Sequence[Customer], action: str) -> None:
        """Take the contacts along into the trash and back; keep the history of consents."""
        recording.follow(self.session, records)
        if action in ("trashed", "restored"):
            contacts = ContactService(self.session, self.actor)
            if action == "trashed":
                contacts.trash_with([record.id for record in records])
            else:
                for record in records:
                    contacts.restore_with(record.id)

    def search_texts(self, record: Customer) -> Iterable[tuple[str, str]]:
        """Find a customer by name, number, mail, phone, town and tag."""
        yield "name", record.name
        yield "code", str(record.number)
        yield from _reach_texts(record)
        yield from (("text", item["city"]) for item in record.addresses if item.get("city"))


class ContactService(RecordService[Contact]):
    """Write contacts."""

    type_name = "contacts"

    def defaults(self) -> dict[str, Any]:
        """A new contact is the actor's."""
        return {**super().defaults(), "emails": [], "phones": [], "tags": []}

    def prepare(self, record: Contact, changed: set[str]) -> None:
        """Normalise name, mail and phone; a new contact belongs to whom its customer belongs to."""
        record.name_norm = fold(record.name)
        _reach(record)
        recording.notice(self.session, record, changed)
        if record.customer_id is not None and "owner_id" not in changed and inspect(record).transient:
            record.owner_id = self._owner_by_customer(record.customer_id) or record.owner_id

    def saved(self, records: Sequence[Contact], action: str) -> None:
        """Keep the history of consents."""
        recording.follow(self.session, records)

    def restore(self, record_id: object) -> Contact:
        """Take a contact out of the trash; one that came back with its customer stays as it is.

        :raises Conflict: while its customer is in the trash.
        """
        found_id = parse_id(record_id)
        live = self._find(found_id, trashed=False, lock=False) if found_id else None
        if live is not None:
            return self.get(live.id, action="delete")
        record = self.get(record_id, action="delete", trashed=True)
        if record.customer_id is not None and not self._customer_lives(record.customer_id):
            raise Conflict(
                _("The customer of “%(name)s” is in the trash; restore the customer first.", name=record.name)
            )
        return super().restore(record_id)

    def trash_with(self, customer_ids: Sequence[uuid.UUID]) -> None:
        """Put the contacts of customers into the trash with them, whoever they belong to."""
        statement = (
            select(Contact)
            .where(Contact.customer_id.in_(customer_ids), Contact.deleted_at.is_(None))
            .with_for_update()
        )
        found = list(self.session.execute(statement).scalars())
        for record in found:
            record.deleted_at, record.deleted_by = clock.now(), self.actor.member_id
            self._stamp(record)
        if found:
            self._flush()
            for record in found:
                self._trail(record, "trashed", {})
            search.forget(self.session, self.type.name, [record.id for record in found])

    def restore_with(self, customer_id: uuid.UUID) -> None:
        """Take out of the trash the contacts that went there in the same go as their customer."""
        batch = (
            select(AuditEntry.batch_id)
            .where(
                AuditEntry.object == "customers",
                AuditEntry.record_id == customer_id,
                AuditEntry.action == "trashed",
            )
            .order_by(AuditEntry.id.desc())
            .limit(1)
        )
        last = self.session.execute(batch).scalar()
        gone = select(AuditEntry.record_id).where(
            AuditEntry.batch_id == last, AuditEntry.object == "contacts", AuditEntry.action == "trashed"
        )
        statement = select(Contact).where(
            Contact.customer_id == customer_id, Contact.deleted_at.is_not(None), Contact.id.in_(gone)
        )
        found = list(self.session.execute(statement).scalars()) if last else []
        for record in found:
            record.deleted_at, record.deleted_by = None, None
            self._stamp(record)
        if found:
            self._flush()
            for record in found:
                self._trail(record, "restored", {})
            search.index(
                self.session, self.type.name, {record.id: self.search_texts(record) for record in found}
            )

    def _owner_by_customer(self, customer_id: uuid.UUID) -> uuid.UUID | None:
        if self.actor.scope("contacts:write") != "all":
            return None  # Who may write only own records keeps what he adds.
        cache: dict[Any, uuid.UUID | None] = self.session.info.setdefault("customer_owners", {})
        if customer_id not in cache:
            statement = select(Customer.owner_id).where(Customer.id == customer_id)
            cache[customer_id] = self.session.execute(statement).scalar()
        return cache[customer_id]

    def _customer_lives(self, customer_id: uuid.UUID) -> bool:
        statement = select(Customer.id).where(Customer.id == customer_id, Customer.deleted_at.is_(None))
        return self.session.execute(statement).first() is not None

    def search_texts(self, record: Contact) -> Iterable[tuple[str, str]]:
        """Find a contact by name, mail, phone and tag."""
        yield "name", record.name
        yield from _reach_texts(record)
