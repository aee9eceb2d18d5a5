"""What can be done with households, their members and relations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kehu.core import clock
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.records.following import FollowingService
from kehu.core.records.service import RecordService
from kehu.core.tables import RecordRow, metadata
from kehu.core.text import fold
from kehu.relations.models import Household, HouseholdMember, Relation
from kehu.relations.wording import KINDS, pair_of

M = TypeVar("M", bound=RecordRow)
ENDS = {"contact_id": "customer_id", "other_contact_id": "other_id"}
"""Pointer of a relation to a contact -> to the customer whose contact it must be."""


def _refuse(key: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={key: [message]})


class HouseholdService(RecordService[Household]):
    """Write households."""

    type_name = "households"

    def prepare(self, record: Household, changed: set[str]) -> None:
        """Normalise the name."""
        record.name_norm = fold(record.name)

    def search_texts(self, record: Household) -> Iterable[tuple[str, str]]:
        """Find a household by name, address and number elsewhere."""
        yield "name", record.name
        if record.address:
            yield "text", record.address
        if record.external_id:
            yield "code", record.external_id


class _LinkService(FollowingService[M]):
    """Write links that hold once at a time; the database holds it under two writers, too."""

    def _flush(self) -> None:
        try:
            super()._flush()
        except IntegrityError as error:
            raise Conflict(_("This is kept already. Load the page again to see it.")) from error

    def _lock(self, customer_id: uuid.UUID) -> Any:
        """Return a customer's name and hold its row, so that two writers come one after the other."""
        row = metadata.tables["customers"]
        statement = (
            select(row.c.name)
            .where(row.c.tenant_id == self.tenant.id, row.c.id == customer_id)
            .with_for_update(key_share=True)
        )
        with self.session.no_autoflush:
            return self.session.execute(statement).scalar_one()

    def _dates(self, record: Any) -> None:
        if record.from_on and record.to_on and record.to_on < record.from_on:
            raise _refuse("to_on", _("This must not be before the first day."))


class HouseholdMemberService(_LinkService[HouseholdMember]):
    """Write who belongs to a household."""

    type_name = "household_members"

    def prepare(self, record: HouseholdMember, changed: set[str]) -> None:
        """Take over the customer's name."""
        if not record.name or ("customer_id" in changed and "name" not in changed):
            record.name = self._lock(record.customer_id)
        record.name_norm = fold(record.name)

    def check(self, record: HouseholdMember, changed: set[str]) -> None:
        """Refuse a second current membership in the same household, or in two where people live."""
        self._dates(record)
        if record.to_on is not None:
            return
        self._lock(record.customer_id)
        kind = select(Household.kind).where(Household.id == record.household_id).scalar_subquery()
        statement = (
            select(Household.id, Household.name)
            .join(
                HouseholdMember,
                (HouseholdMember.tenant_id == Household.tenant_id)
                & (HouseholdMember.household_id == Household.id),
            )
            .where(
                HouseholdMember.customer_id == record.customer_id,
                HouseholdMember.id != record.id,
                HouseholdMember.to_on.is_(None),
                HouseholdMember.deleted_at.is_(None),
                Household.deleted_at.is_(None),
                (Household.id == record.household_id)
                | ((Household.kind == "household") & (kind == "household")),
            )
            .limit(1)
        )
        with self.session.no_autoflush:
            found = self.session.execute(statement).first()
        if found is not None:
            raise _refuse(
                "customer_id",
                _("Belongs to “%(name)s” already; let them leave there first.", name=found.name),
            )

    def leave(self, record_id: object) -> HouseholdMember:
        """Let a person leave today; the membership stays in the history.

        :raises Conflict: when the person left already.
        """
        record = self.get(record_id, action="write", lock=True)
        if record.to_on is not None:
            raise Conflict(_("%(name)s left already.", name=record.name))
        today = clock.today(self.tenant.tz)
        start = record.from_on
        self._change(record, {"to_on": max(today, start) if start else today})
        return record

    def search_texts(self, record: HouseholdMember) -> Iterable[tuple[str, str]]:
        """Find a member by the name."""
        yield "name", record.name


class RelationService(_LinkService[Relation]):
    """Write how customers and contacts are related."""

    type_name = "relations"

    def prepare(self, record: Relation, changed: set[str]) -> None:
        """Word the relation and know the pair again."""
        found = KINDS.get(record.kind)
        if found is not None and (not record.name or ("kind" in changed and "name" not in changed)):
            record.name = str(found.label)
        record.name_norm = fold(record.name or "")
        if found is not None:
            record.pair = pair_of(
                record.kind,
                record.contact_id or record.customer_id,
                record.other_contact_id or record.other_id,
            )

    def check(self, record: Relation, changed: set[str]) -> None:
        """Refuse a relation to oneself, a double, and contacts of other customers."""
        self._dates(record)
        if (record.customer_id, record.contact_id) == (record.other_id, record.other_contact_id):
            raise _refuse("other_id", _("Nobody is related to themselves; choose somebody else."))
        self._check_contacts(record, changed)
        if record.to_on is not None:
            return
        for customer_id in sorted({record.customer_id, record.other_id}):
            self._lock(customer_id)
        statement = select(Relation.id).where(
            Relation.pair == record.pair,
            Relation.id != record.id,
            Relation.to_on.is_(None),
            Relation.deleted_at.is_(None),
        )
        with self.session.no_autoflush:
            double = self.session.execute(statement).first()
        if double is not None:
            raise _refuse("other_id", _("These two are related in this way already."))

    def _check_contacts(self, record: Relation, changed: set[str]) -> None:
        row = metadata.tables["contacts"]
        for key, customer in ENDS.items():
            contact_id = getattr(record, key)
            if contact_id is None or not changed & {key, customer}:
                continue
            statement = select(row.c.customer_id).where(
                row.c.tenant_id == self.tenant.id, row.c.id == contact_id
            )
            with self.session.no_autoflush:
                at = self.session.execute(statement).scalar()
            if at != getattr(record, customer):
                raise _refuse(key, _("This contact belongs to another customer."))

    def end(self, record_id: object) -> Relation:
        """Let a relation end today.

        :raises Conflict: when it ended already.
        """
        record = self.get(record_id, action="write", lock=True)
        if record.to_on is not None:
            raise Conflict(_("“%(name)s” ended already.", name=record.name))
        today = clock.today(self.tenant.tz)
        self._change(record, {"to_on": max(today, record.from_on) if record.from_on else today})
        return record

    def search_texts(self, record: Relation) -> Iterable[tuple[str, str]]:
        """Find a relation by its wording."""
        yield "name", record.name
