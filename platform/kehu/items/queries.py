"""What the pages of owned items ask the database."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, select
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.records import scope
from kehu.items.models import OwnedItem, OwnedItemTerm
from kehu.items.records import ITEMS, TERM_KINDS, TERM_STATES, TERMS

MOST_TERMS = 50
SOON_DAYS = 90
"""So many days before the end a term is marked."""

_KINDS = {one.value: one for one in TERM_KINDS}
_STATES = {one.value: one for one in TERM_STATES}


@dataclass(frozen=True, kw_only=True)
class TermLine:
    """A term as the register of an item shows it."""

    term: OwnedItemTerm
    today: dt.date

    @property
    def kind(self) -> Any:
        """The kind as an option: label and tone."""
        return _KINDS[self.term.kind]

    @property
    def state(self) -> Any:
        """The state as an option."""
        return _STATES[self.term.state]

    @property
    def end(self) -> dt.date | None:
        """When it ends, by the calendar or by use."""
        return self.term.effective_end

    @property
    def by_use(self) -> bool:
        """Whether it is expected to end by use before the calendar's day."""
        term = self.term
        return (
            term.expected_ends_on is not None and term.expected_ends_on == term.effective_end != term.ends_on
        )

    @property
    def tone(self) -> str:
        """Red once it is over, amber when it ends soon."""
        return end_tone(self.end, self.today) if self.term.state == "active" else ""

    @property
    def covers(self) -> bool:
        """Whether it covers today, as far as the calendar says: a forecast denies nothing."""
        term = self.term
        return (
            term.state in ("active", "renewed")
            and term.starts_on <= self.today
            and (term.ends_on is None or self.today < term.ends_on)
        )


def end_tone(end: dt.date | None, today: dt.date) -> str:
    """Return the colour of an end: bad, warn or nothing."""
    if end is None:
        return ""
    if end <= today:
        return "bad"
    return "warn" if (end - today).days <= SOON_DAYS else ""


def terms_of(session: Session, item_id: uuid.UUID) -> Sequence[TermLine]:
    """Return the terms of an item that the actor may see: the running ones first, by their end."""
    actor = context.actor()
    if not actor.may("owned_item_terms:read"):
        return ()
    term = OwnedItemTerm
    statement = (
        select(term)
        .where(
            term.item_id == item_id,
            term.deleted_at.is_(None),
            scope.condition(TERMS, term, actor, actor.scope("owned_item_terms:read")),
        )
        .order_by(case((term.state == "active", 0), else_=1), term.effective_end, term.id)
        .limit(MOST_TERMS)
    )
    today = clock.today(context.tenant().tz)
    return [TermLine(term=found, today=today) for found in session.execute(statement).scalars()]


@dataclass(frozen=True, kw_only=True)
class TicketItem:
    """The owned item that a ticket is about, with what covers it."""

    item: OwnedItem
    terms: Sequence[TermLine]


def item_of_ticket(session: Session, item_id: uuid.UUID | None) -> TicketItem | None:
    """Return the item that a ticket is about with its terms, if the actor may see it."""
    actor = context.actor()
    if item_id is None or not actor.may("owned_items:read"):
        return None
    condition = scope.condition(ITEMS, OwnedItem, actor, actor.scope("owned_items:read"))
    statement = select(OwnedItem).where(
        and_(OwnedItem.id == item_id, OwnedItem.deleted_at.is_(None), condition)
    )
    item = session.execute(statement).scalar_one_or_none()
    return TicketItem(item=item, terms=terms_of(session, item.id)) if item is not None else None
