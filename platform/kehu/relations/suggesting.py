"""Suggest households: people at one address who share a surname, a phone or a mail."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from kehu.core import audit, clock, context
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import scope
from kehu.core.records.kinds import show_address
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.core.records.undo import register_action
from kehu.customers.models import Customer
from kehu.relations.models import Household, HouseholdMember, NoHousehold
from kehu.relations.rule import Pair, Person, judge, pairs_at, surname
from kehu.relations.services import HouseholdMemberService, HouseholdService

PLACES = 200
"""So many addresses are looked at for one page."""
SHOWN = 50


class SuggestionService:
    """Find who may be a household, and keep what people say of it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.actor = context.actor()

    def pairs(self) -> list[Pair]:
        """Return pairs of people who may be a household and are neither in one nor said to be none."""
        self.actor.require("households:read")
        people = self._people()
        by_place: dict[str, list[Person]] = {}
        for one in people:
            if one.address:
                by_place.setdefault(one.address, []).append(one)
        found = [pair for there in by_place.values() if len(there) > 1 for pair in pairs_at(there)]
        taught = self._taught([one.first.id for one in found] + [one.second.id for one in found])
        together = self._together([one.first.id for one in found] + [one.second.id for one in found])
        kept = [
            pair
            for pair in found
            if _key(pair.first.id, pair.second.id) not in taught
            and not (together.get(pair.first.id, set()) & together.get(pair.second.id, set()))
        ]
        return kept[:SHOWN]

    def _people(self) -> list[Person]:
        """Read the people who share digits and postcode of their first address; none where a firm has its own.

        The database only narrows down; whether two addresses are the same is said by the rule.
        """
        street = Customer.addresses[0]["street"].astext
        town = func.coalesce(Customer.addresses[0]["postcode"].astext, Customer.addresses[0]["city"].astext)
        rough = func.concat(func.regexp_replace(street, r"\D", "", "g"), "|", func.lower(town))
        places = (
            select(rough)
            .where(Customer.deleted_at.is_(None), street.op("~")(r"\d"), Customer.kind == "person")
            .group_by(rough)
            .having(func.count() > 1)
            .order_by(func.max(Customer.updated_at).desc())
            .limit(PLACES)
        )
        statement = (
            select(
                Customer.id,
                Customer.kind,
                Customer.name,
                Customer.addresses,
                Customer.phones,
                Customer.emails,
            )
            .where(
                Customer.deleted_at.is_(None),
                rough.in_(places),
                scope.condition(
                    get_type("customers"), Customer, self.actor, self.actor.scope("customers:read")
                ),
            )
            .order_by(Customer.name_norm, Customer.id)
            .limit(PLACES * 10)
        )
        rows = self.session.execute(statement).all()
        offices = {_person(row).address for row in rows if row.kind == "company"}
        return [one for row in rows if row.kind == "person" and (one := _person(row)).address not in offices]

    def _taught(self, ids: Sequence[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
        if not ids:
            return set()
        statement = select(NoHousehold.low_id, NoHousehold.high_id).where(NoHousehold.low_id.in_(ids))
        return {(row.low_id, row.high_id) for row in self.session.execute(statement)}

    def _together(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
        """Return the households of customers, also those that they left: a divorce is no news to suggest."""
        if not ids:
            return {}
        statement = select(HouseholdMember.customer_id, HouseholdMember.household_id).where(
            HouseholdMember.customer_id.in_(ids), HouseholdMember.deleted_at.is_(None)
        )
        found: dict[uuid.UUID, set[uuid.UUID]] = {}
        for row in self.session.execute(statement):
            found.setdefault(row.customer_id, set()).add(row.household_id)
        return found

    def accept(self, first_id: uuid.UUID, second_id: uuid.UUID) -> Household:
        """Make two people a household, or let one join the other's.

        :raises Conflict: when both belong to one already, or the rule does not hold any more.
        """
        people = self._two(first_id, second_id)
        pair = judge(*people)
        if pair is None:
            raise Conflict(_("Their data changed; the two do not look like a household any more."))
        present = self._present([first_id, second_id])
        if len(present) == 2:
            raise Conflict(_("Both belong to a household already."))
        members = HouseholdMemberService(self.session)
        if present:
            [(customer_id, household)] = present.items()
            join_id = second_id if customer_id == first_id else first_id
            members.create({"household_id": str(household.id), "customer_id": str(join_id)})
            return household
        household = HouseholdService(self.session).create(
            {
                "name": _("Household %(name)s", name=surname(pair.first.name).title()),
                "address": show_address(dict(pair.first.addresses[0])),
            }
        )
        for one in people:
            members.create({"household_id": str(household.id), "customer_id": str(one.id)})
        return household

    def reject(self, first_id: uuid.UUID, second_id: uuid.UUID) -> None:
        """Remember that two people are no household; saying so twice does no harm."""
        self.actor.require("households:write")
        people = self._two(first_id, second_id)
        low, high = _key(first_id, second_id)
        statement = (
            insert(NoHousehold)
            .values(
                tenant_id=context.tenant().id,
                id=new_id(),
                low_id=low,
                high_id=high,
                said_at=clock.now(),
                said_by=self.actor.member_id,
            )
            .on_conflict_do_nothing()
        )
        if self.session.execute(statement).rowcount:  # type: ignore[attr-defined]
            audit.write(
                self.session,
                object="customers",
                record_id=first_id,
                action="no_household",
                title=people[0].name,
                changes={"no_household": [None, str(second_id)]},
                customer_id=first_id,
            )

    def _two(self, first_id: uuid.UUID, second_id: uuid.UUID) -> tuple[Person, Person]:
        service = service_for("customers", self.session)
        if first_id == second_id:
            raise NotFound(_("This record does not exist, or you may not see it."))
        return _person(service.get(first_id)), _person(service.get(second_id))

    def _present(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Household]:
        member = aliased(HouseholdMember)
        statement = (
            select(member.customer_id, Household)
            .join(member, (member.tenant_id == Household.tenant_id) & (member.household_id == Household.id))
            .where(
                member.customer_id.in_(ids),
                member.to_on.is_(None),
                member.deleted_at.is_(None),
                Household.kind == "household",
                Household.deleted_at.is_(None),
            )
        )
        return {row[0]: row[1] for row in self.session.execute(statement)}


def _person(row: Any) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        addresses=row.addresses or (),
        phones=[one["number"] for one in row.phones or ()],
        emails=[one["address"] for one in row.emails or ()],
    )


def _key(first: uuid.UUID, second: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    return (first, second) if first < second else (second, first)


def _unsay(session: Session, entry: audit.AuditEntry) -> None:
    """Let two people be suggested again."""
    context.actor().require("households:write")
    low, high = _key(entry.record_id, uuid.UUID(entry.changes["no_household"][1]))
    session.execute(delete(NoHousehold).where(NoHousehold.low_id == low, NoHousehold.high_id == high))


register_action("no_household", _unsay)
