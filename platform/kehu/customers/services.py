"""What can be done with customers and contacts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import inspect, select

from kehu.consent import recording
from kehu.core import counters
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records.following import FollowingService
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
        """Keep the history of consents."""
        recording.follow(self.session, records)

    def search_texts(self, record: Customer) -> Iterable[tuple[str, str]]:
        """Find a customer by name, number, mail, phone, town and tag."""
        yield "name", record.name
        yield from (("code", str(number)) for number in (record.number, *(record.former_numbers or ())))
        yield from _reach_texts(record)
        yield from (("text", item["city"]) for item in record.addresses if item.get("city"))


class ContactService(FollowingService[Contact]):
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
            record.owner_id = self.owner_by_leader(record.customer_id) or record.owner_id

    def saved(self, records: Sequence[Contact], action: str) -> None:
        """Keep the history of consents."""
        recording.follow(self.session, records)

    def search_texts(self, record: Contact) -> Iterable[tuple[str, str]]:
        """Find a contact by name, mail, phone and tag."""
        yield "name", record.name
        yield from _reach_texts(record)
