"""Saying that two people who are kept as a household are none."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.relations.models import Household, HouseholdMember
from kehu.relations.services import HouseholdMemberService
from kehu.relations.suggesting import SuggestionService


def part_household(session: Session, stays_id: uuid.UUID, leaves_id: uuid.UUID) -> None:
    """Let one of two leave the household that they share, and suggest the two no more.

    :raises Conflict: when they share none now.
    """
    mine, other = aliased(HouseholdMember), aliased(HouseholdMember)
    statement = (
        select(other.id)
        .join(mine, (mine.tenant_id == other.tenant_id) & (mine.household_id == other.household_id))
        .join(Household, (Household.tenant_id == other.tenant_id) & (Household.id == other.household_id))
        .where(
            mine.customer_id == stays_id,
            other.customer_id == leaves_id,
            Household.kind == "household",
            Household.deleted_at.is_(None),
            *(one.to_on.is_(None) for one in (mine, other)),
            *(one.deleted_at.is_(None) for one in (mine, other)),
        )
    )
    member_id = session.execute(statement).scalars().first()
    if member_id is None:
        raise Conflict(_("These two are kept as no household now. Load the page again to see it."))
    HouseholdMemberService(session).leave(member_id)
    SuggestionService(session).reject(stays_id, leaves_id)
