"""What stands on the card of a customer: households with their members, what they are worth together, relations."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.db import tenant_id
from kehu.core.records import scope
from kehu.core.records.types import get as get_type
from kehu.core.tables import metadata
from kehu.relations.records import ROLES
from kehu.relations.wording import wording

AT_MOST = 50
LINE = 30


@dataclass(frozen=True, kw_only=True)
class Household:
    """A household with its members; those who left stand last."""

    id: uuid.UUID
    name: str
    kind: str
    members: Sequence[Any]
    worth: Worth | None

    @property
    def current(self) -> int:
        """How many belong to it now."""
        return sum(1 for one in self.members if one.to_on is None)


@dataclass(frozen=True, kw_only=True)
class Worth:
    """Deals won by the members, in the firm's currency; `others` says that some are in another."""

    amount: int
    others: bool


@dataclass(frozen=True, kw_only=True)
class RelationLine:
    """A relation as it reads from one end."""

    id: uuid.UUID
    words: str
    customer_id: uuid.UUID
    name: str
    person: str | None
    from_on: Any
    to_on: Any


def role_label(value: str) -> str:
    """Return a role in words."""
    return next((str(one.label) for one in ROLES if one.value == value), value)


def households_of(session: Session, customer_id: uuid.UUID) -> list[Household]:
    """Return the households of a customer, as far as the reader may see them, in two statements."""
    mine = metadata.tables["household_members"].alias("mine")
    ids = select(mine.c.household_id).where(
        mine.c.tenant_id == tenant_id(), mine.c.customer_id == customer_id, mine.c.deleted_at.is_(None)
    )
    return _households(session, lambda house: house.c.id.in_(ids))


def household(session: Session, household_id: uuid.UUID) -> Household | None:
    """Return one household with its members."""
    found = _households(session, lambda house: house.c.id == household_id)
    return found[0] if found else None


def _households(session: Session, wanted: Any) -> list[Household]:
    actor = context.actor()
    if not (actor.may("households:read") and actor.may("household_members:read")):
        return []
    house, member = metadata.tables["households"], metadata.tables["household_members"]
    customer = metadata.tables["customers"]
    statement = (
        select(
            house.c.id.label("household_id"),
            house.c.name.label("household"),
            house.c.kind,
            member.c.id,
            member.c.customer_id,
            member.c.role,
            member.c.from_on,
            member.c.to_on,
            func.coalesce(customer.c.name, member.c.name).label("name"),
            customer.c.id.label("seen_id"),
        )
        .select_from(house)
        .outerjoin(
            member,
            and_(
                member.c.tenant_id == tenant_id(),
                member.c.household_id == house.c.id,
                member.c.deleted_at.is_(None),
                scope.seen("household_members", member.c, actor),
            ),
        )
        .outerjoin(
            customer,
            and_(
                customer.c.tenant_id == tenant_id(),
                customer.c.id == member.c.customer_id,
                customer.c.deleted_at.is_(None),
                scope.seen("customers", customer.c, actor),
            ),
        )
        .where(
            house.c.tenant_id == tenant_id(),
            house.c.deleted_at.is_(None),
            scope.condition(get_type("households"), house.c, actor, actor.scope("households:read")),
            wanted(house),
        )
        .order_by(house.c.kind.desc(), house.c.id, member.c.to_on.desc().nulls_first(), member.c.id)
        .limit(AT_MOST * 4)
    )
    grouped: dict[uuid.UUID, list[Any]] = {}
    for row in session.execute(statement):
        grouped.setdefault(row.household_id, []).append(row)
    worth = _worth(session, list(grouped)) if grouped and actor.may("deals:read") else {}
    return [
        Household(
            id=key,
            name=rows[0].household,
            kind=rows[0].kind,
            members=[row for row in rows if row.id is not None],
            worth=worth.get(key),
        )
        for key, rows in grouped.items()
    ]


def _worth(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Worth]:
    """Sum the won deals of those who belong to a household now; other currencies are said, not added."""
    actor, own = context.actor(), context.tenant().currency
    member, deal = metadata.tables["household_members"], metadata.tables["deals"]
    statement = (
        select(
            member.c.household_id,
            func.coalesce(func.sum(deal.c.amount).filter(deal.c.currency == own), 0).label("amount"),
            func.count().filter(deal.c.currency != own).label("others"),
        )
        .join(deal, and_(deal.c.tenant_id == tenant_id(), deal.c.customer_id == member.c.customer_id))
        .where(
            member.c.tenant_id == tenant_id(),
            member.c.household_id.in_(ids),
            member.c.to_on.is_(None),
            member.c.deleted_at.is_(None),
            deal.c.status == "won",
            deal.c.deleted_at.is_(None),
            scope.condition(get_type("deals"), deal.c, actor, actor.scope("deals:read")),
        )
        .group_by(member.c.household_id)
    )
    return {
        row.household_id: Worth(amount=int(row.amount), others=bool(row.others))
        for row in session.execute(statement)
    }


def relations_of(session: Session, customer_id: uuid.UUID) -> list[RelationLine]:
    """Return the relations of a customer from its end, the current ones first."""
    actor = context.actor()
    if not actor.may("relations:read"):
        return []
    row = metadata.tables["relations"]
    other, person = metadata.tables["customers"].alias("o"), metadata.tables["contacts"].alias("p")
    first = row.c.customer_id == customer_id
    other_id = case((first, row.c.other_id), else_=row.c.customer_id)
    person_id = case((first, row.c.other_contact_id), else_=row.c.contact_id)
    statement = (
        select(
            row.c.id,
            row.c.kind,
            row.c.name,
            first.label("forward"),
            other.c.id.label("other_id"),
            other.c.name.label("other"),
            person.c.name.label("person"),
            row.c.from_on,
            row.c.to_on,
        )
        .join(
            other,
            and_(
                other.c.tenant_id == tenant_id(),
                other.c.id == other_id,
                other.c.deleted_at.is_(None),
                scope.seen("customers", other.c, actor),
            ),
        )
        .outerjoin(
            person,
            and_(
                person.c.tenant_id == tenant_id(),
                person.c.id == person_id,
                person.c.deleted_at.is_(None),
                scope.seen("contacts", person.c, actor),
            ),
        )
        .where(
            row.c.tenant_id == tenant_id(),
            or_(first, row.c.other_id == customer_id),
            row.c.deleted_at.is_(None),
            scope.condition(get_type("relations"), row.c, actor, actor.scope("relations:read")),
        )
        .order_by(row.c.to_on.desc().nulls_first(), row.c.id)
        .limit(AT_MOST)
    )
    return [
        RelationLine(
            id=found.id,
            words=wording(found.kind, found.name, forward=found.forward),
            customer_id=found.other_id,
            name=found.other,
            person=found.person,
            from_on=found.from_on,
            to_on=found.to_on,
        )
        for found in session.execute(statement)
    ]


def combined_line(session: Session, household_id: uuid.UUID) -> Sequence[Any]:
    """Return the latest activities, deals and tickets of those who belong to a household now."""
    actor = context.actor()
    member, customer = metadata.tables["household_members"], metadata.tables["customers"]
    parts = []
    for name, title, at in (
        ("activities", "subject", "updated_at"),
        ("deals", "name", "updated_at"),
        ("tickets", "subject", "updated_at"),
    ):
        if not actor.may(f"{name}:read"):
            continue
        row = metadata.tables[name]
        parts.append(
            select(
                literal(name).label("object"),
                row.c.id,
                row.c[title].label("title"),
                row.c[at].label("at"),
                customer.c.name.label("who"),
            )
            .join(member, and_(member.c.tenant_id == tenant_id(), member.c.customer_id == row.c.customer_id))
            .join(
                customer,
                and_(
                    customer.c.tenant_id == tenant_id(),
                    customer.c.id == row.c.customer_id,
                    scope.seen("customers", customer.c, actor),
                ),
            )
            .where(
                row.c.tenant_id == tenant_id(),
                row.c.deleted_at.is_(None),
                member.c.household_id == household_id,
                member.c.to_on.is_(None),
                member.c.deleted_at.is_(None),
                scope.condition(get_type(name), row.c, actor, actor.scope(f"{name}:read")),
            )
        )
    if not parts:
        return []
    line = union_all(*parts).subquery()
    return session.execute(select(line).order_by(line.c.at.desc(), line.c.id).limit(LINE)).all()
