"""Who lives with whom now, for many customers at once; groups do not count."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kehu.core.bulk import among
from kehu.core.db import tenant_id
from kehu.core.tables import metadata


@dataclass(frozen=True, kw_only=True, slots=True)
class Mate:
    """One who lives in a household; `role` is that of the membership."""

    customer_id: uuid.UUID
    role: str = "adult"


def household_mates(session: Session, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Mate]]:
    """Return who lives with each of these customers now, themselves first; one who lives alone stands alone."""
    found = {one: [Mate(customer_id=one)] for one in customer_ids}
    if not found:
        return found
    mine, mate, statement = _joined()
    statement = (
        statement.add_columns(mine.c.customer_id, mine.c.role.label("own_role"), mate.c.role)
        .where(among(mine.c.customer_id, found))
        .order_by(mine.c.customer_id, mate.c.customer_id)
    )
    for row in session.execute(statement):
        if row.mate_id == row.customer_id:
            found[row.customer_id][0] = Mate(customer_id=row.customer_id, role=row.own_role)
        else:
            found[row.customer_id].append(Mate(customer_id=row.mate_id, role=row.role))
    return found


def lives_with(customer_id: Any) -> Select[Any]:
    """Return the select of all who live in the household of a customer, for a condition of a larger query.

    :param customer_id: the column that holds the customer; its table is the larger query's.
    """
    mine, _mate, statement = _joined()
    return statement.where(mine.c.customer_id == customer_id).correlate(customer_id.table)


def all_with(customer_ids: Any) -> Select[Any]:
    """Return the select of all who live with any of the customers of a subquery, themselves too if in a household."""
    mine, mate, statement = _joined()
    return statement.with_only_columns(mine.c.customer_id).where(mate.c.customer_id.in_(customer_ids))


def household_ids(session: Session, customer_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the households in which a customer lives now; one as a rule."""
    mine, mate, statement = _joined()
    statement = statement.with_only_columns(mine.c.household_id).where(
        mine.c.customer_id == customer_id, mate.c.customer_id == customer_id
    )
    return list(session.execute(statement).scalars())


def _joined() -> tuple[Any, Any, Select[Any]]:
    mine, mate = (metadata.tables["household_members"].alias(name) for name in ("mine", "mate"))
    house = metadata.tables["households"].alias("house")
    statement = (
        select(mate.c.customer_id.label("mate_id"))
        .select_from(mine)
        .join(house, (house.c.tenant_id == tenant_id()) & (house.c.id == mine.c.household_id))
        .join(mate, (mate.c.tenant_id == tenant_id()) & (mate.c.household_id == house.c.id))
        .where(
            mine.c.tenant_id == tenant_id(),
            mine.c.to_on.is_(None),
            mine.c.deleted_at.is_(None),
            house.c.kind == "household",
            house.c.deleted_at.is_(None),
            mate.c.to_on.is_(None),
            mate.c.deleted_at.is_(None),
        )
    )
    return mine, mate, statement
