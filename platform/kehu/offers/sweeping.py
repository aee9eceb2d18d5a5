"""The nightly sweep of a rule: find what has its day, close what needs no offer any more, contact who is due.

Each step is a transaction of its own and may run twice, or at the same time as another: the unique index lets one
offer be, a lock of the firm lets one sweep contact people, and a row is contacted once for each rung of its ladder.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import and_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.core import audit, bulk, clock, context, search
from kehu.core.ids import new_id
from kehu.core.tables import metadata
from kehu.deals.models import Deal
from kehu.messages.models import Message
from kehu.offers import ladder
from kehu.offers.contacting import STOPPED, Contacting
from kehu.offers.holdout import is_held_out
from kehu.offers.models import Offer, OfferRule
from kehu.offers.records import WAITING
from kehu.offers.services import OfferService
from kehu.offers.sources import Fate, Source, Thing, source_of

BATCH = 500
FOUND = 8 * BATCH
"""So many things are looked for at once: each look reads all that the rule is about."""

WATCHED_DAYS = 120
"""So long after its day it is looked whether the customer bought after all."""


class Sweep:
    """Sweeps one rule.

    :param session: the unit of work; the caller commits between the steps.
    """

    def __init__(self, session: Session, rule: OfferRule, source: Source) -> None:
        self.session, self.rule, self.source = session, rule, source
        self.tenant = context.tenant()
        self.today = clock.today(self.tenant.tz)
        self.steps = ladder.parse(rule.ladder)
        self.service = OfferService(session, context.SYSTEM)

    # Find ------------------------------------------------------------------------------

    def find(self, limit: int = FOUND) -> int:
        """Make offers for things whose ladder has begun, and return for how many things there was none."""
        until = self.today + dt.timedelta(days=self.steps[0])
        things = self.source.due(self.session, self.rule, self.today, until, limit)
        for start in range(0, len(things), BATCH):
            self._make(things[start : start + BATCH])
        return len(things)

    def _make(self, things: Sequence[Thing]) -> None:
        owners = self._owners({one.customer_id for one in things if one.owner_id is None})
        rows = [self._row(one, owners) for one in things]
        statement = insert(Offer).on_conflict_do_nothing().returning(Offer.id)
        made = set(self.session.execute(statement, rows).scalars())
        with audit.gathered(self.session):
            for row in rows:
                if row["id"] in made:
                    audit.note(
                        self.session,
                        object="offers",
                        record_id=row["id"],
                        action="created",
                        title=row["name"],
                        version=1,
                        customer_id=row["customer_id"],
                    )
        texts = {row["id"]: [("name", row["name"])] for row in rows if row["id"] in made}
        if texts:
            search.index(self.session, "offers", texts, new=True)

    def _row(self, one: Thing, owners: dict[uuid.UUID, uuid.UUID | None]) -> dict[str, Any]:
        owner = one.owner_id or owners.get(one.customer_id) or self.rule.owner_id
        first = ladder.next_day(self.steps, one.due_on, None)
        return {
            "tenant_id": self.tenant.id,
            "id": new_id(),
            "rule_id": self.rule.id,
            "thing": one.key,
            "customer_id": one.customer_id,
            "contact_id": one.contact_id,
            "item_id": one.item_id,
            "term_id": one.term_id,
            "name": one.name,
            "due_on": one.due_on,
            "basis": one.basis or None,
            "next_on": max(first, self.today),
            "held_out": is_held_out(self.rule.id, one.customer_id, self.rule.holdout),
            "owner_id": owner,
        }

    def _owners(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID | None]:
        customer = metadata.tables["customers"]
        wanted = list(ids)
        if not wanted:
            return {}
        statement = select(customer.c.id, customer.c.owner_id).where(
            customer.c.tenant_id == self.tenant.id, customer.c.id.in_(wanted)
        )
        return {row.id: row.owner_id for row in self.session.execute(statement)}

    # Close -----------------------------------------------------------------------------

    def close(self) -> int:
        """Close offers that need none any more, follow days that moved, and return with how many it had to do."""
        found = islice(self.source.fates(self.session, self.rule, WAITING, dt.date.min), BATCH)
        fates = {fate.offer_id: fate for fate in found}
        handled, moves = 0, []
        for record in self._locked(Offer.id.in_(list(fates))) if fates else ():
            fate = fates[record.id]
            handled += 1
            if fate.ended:
                self.service.end(record, fate.ended)
            elif fate.due_on is not None:
                moves.append(self._moved(record, fate, fate.due_on))
        # A forecast is no change by a person: it moves the day without a line in the trail.
        bulk.update_rows(self.session, Offer.__table__, moves)  # type: ignore[arg-type]
        for record in self._locked(Offer.due_on <= self.today - dt.timedelta(days=ladder.AFTER)):
            self.service.end(record, "passed")
            handled += 1
        handled += self._customers_gone()
        self._note_purchases()
        self.session.flush()
        return handled

    def _moved(self, record: Offer, fate: Fate, due_on: dt.date) -> dict[str, Any]:
        return {
            "id": record.id,
            "due_on": due_on,
            "basis": fate.basis or None,
            "next_on": max(ladder.next_day(self.steps, due_on, record.rung), self.today),
        }

    def _locked(self, condition: Any) -> Sequence[Offer]:
        statement = (
            select(Offer)
            .where(
                Offer.rule_id == self.rule.id,
                Offer.state.in_(WAITING),
                Offer.deleted_at.is_(None),
                condition,
            )
            .order_by(Offer.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        return self.session.execute(statement).scalars().all()

    def _customers_gone(self) -> int:
        customer = metadata.tables["customers"]
        gone = select(literal(1)).where(
            customer.c.tenant_id == self.tenant.id,
            customer.c.id == Offer.customer_id,
            customer.c.deleted_at.is_not(None),
        )
        found = self._locked(gone.exists())
        for record in found:
            self.service.end(record, "gone")
        return len(found)

    def _note_purchases(self) -> None:
        """Keep who bought although the offer was closed for another reason, or came to a deal that was won."""
        since = self.today - dt.timedelta(days=WATCHED_DAYS)
        closed = ("accepted", "declined", "stopped")
        bought = [
            fate.offer_id
            for fate in self.source.fates(self.session, self.rule, closed, since)
            if fate.ended == "bought"
        ]
        won = (
            select(literal(1))
            .where(Deal.tenant_id == self.tenant.id, Deal.id == Offer.deal_id, Deal.status == "won")
            .exists()
        )
        self.session.execute(
            update(Offer)
            .where(
                Offer.tenant_id == self.tenant.id,
                Offer.rule_id == self.rule.id,
                Offer.renewed_on.is_(None),
                Offer.due_on >= since,
                or_(won, Offer.id.in_(bought)) if bought else won,
            )
            .values(renewed_on=self.today)
            .execution_options(synchronize_session=False)
        )

    # Contact ---------------------------------------------------------------------------

    def contact(self, limit: int = BATCH) -> int:
        """Contact the customers that are due, and return how many offers were looked at."""
        # One sweep of a firm contacts people at a time: two must not write to one customer in one week.
        key = int.from_bytes(self.tenant.id.bytes[-8:], "big", signed=True)
        self.session.execute(select(func.pg_advisory_xact_lock(key)))
        self._take_back_refused()
        statement = (
            select(Offer)
            .where(
                Offer.rule_id == self.rule.id,
                Offer.state.in_(WAITING),
                Offer.deleted_at.is_(None),
                Offer.next_on <= self.today,
            )
            .order_by(Offer.next_on, Offer.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = self.session.execute(statement).scalars().all()
        if found:
            Contacting(self.session, self.rule, self.today, self.service).do(found)
            self.session.flush()
        return len(found)

    def _take_back_refused(self) -> None:
        """Contact again where a mail was refused or could not be delivered after it was queued."""
        statement = (
            select(Offer, Message.state, Message.reason_code)
            .join(Message, and_(Message.tenant_id == Offer.tenant_id, Message.id == Offer.message_id))
            .where(
                Offer.rule_id == self.rule.id,
                Offer.state == "contacted",
                Offer.deleted_at.is_(None),
                Message.state.in_(("refused", "failed")),
            )
            .order_by(Offer.id)
            .limit(BATCH)
            .with_for_update(of=Offer, skip_locked=True)
        )
        for record, state, code in self.session.execute(statement).all():
            record.message_id = None
            if state == "refused" and code in STOPPED:
                self.service.end(record, STOPPED[code])
                continue
            reason = "not_sent" if state == "failed" else "refused"
            self.service.take_back(record, reason, self.today + dt.timedelta(days=1))
        self.session.flush()


def sweep_of(session: Session, rule_id: uuid.UUID) -> Sweep | None:
    """Return the sweep of a rule, or None when the rule is not in use or its plugin is off."""
    statement = select(OfferRule).where(
        OfferRule.id == rule_id, OfferRule.active, OfferRule.deleted_at.is_(None)
    )
    rule = session.execute(statement).scalar_one_or_none()
    source = source_of(rule.source) if rule is not None else None
    return Sweep(session, rule, source) if rule is not None and source is not None else None


def rules_in_use(session: Session) -> Sequence[uuid.UUID]:
    """Return the rules that are swept each night."""
    statement = select(OfferRule.id).where(OfferRule.active, OfferRule.deleted_at.is_(None))
    return session.execute(statement.order_by(OfferRule.id)).scalars().all()


__all__ = ["BATCH", "Sweep", "rules_in_use", "sweep_of"]
