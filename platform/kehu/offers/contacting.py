"""Contact the customers of offers that are due: the gate, the week, open tickets, then a mail or a task."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from babel.dates import format_date
from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.activities.services import ActivityService
from kehu.consent.facts import Facts
from kehu.consent.gate import Outgoing, check_many, recipients
from kehu.core import audit, bulk, context
from kehu.core.i18n import LOCALES, _
from kehu.core.tables import metadata
from kehu.messages.services import Letter, MessageService
from kehu.offers import ladder
from kehu.offers.messages import OFFER
from kehu.offers.models import Offer, OfferRule
from kehu.offers.services import OfferService, words_of
from plugins.sending import Refusal

WEEK = dt.timedelta(days=7)
STOPPED = {"do_not_contact": "opted_out", "withdrawn": "opted_out", "gone": "gone"}
"""Refusals of the gate that end an offer, and its reason."""

HELD = {
    "no_consent": "no_consent",
    "no_address": "no_address",
    "channel": "channel",
    "too_often": "week",
    "household": "week",
}
"""Refusals that hold it back, and what the list says."""

FREE_FOR_TASKS = frozenset({"no_consent", "no_address", "channel"})
"""What stands against a mail, but not against asking a member to look at the customer."""


class _Tasks(ActivityService):
    """Makes tasks for offers: what they point at stands in the offers, whose keys hold it."""

    def _check_refs(self, loaded: dict[str, Any], errors: dict[str, list[str]], record: Any) -> None:
        return


class Contacting:
    """Contacts the customers of one rule's offers.

    :param service: writes what became of each.
    """

    def __init__(self, session: Session, rule: OfferRule, today: dt.date, service: OfferService) -> None:
        self.session, self.rule, self.today, self.service = session, rule, today, service
        self.tenant = context.tenant()
        self.steps = ladder.parse(rule.ladder)
        self.by_mail = rule.channel == "mail"

    def do(self, offers: Sequence[Offer]) -> None:
        """Contact who may be contacted; each offer gets its next day."""
        waits = [self._wait(one, None, self._next(one)) for one in offers if one.held_out]
        due: list[tuple[Offer, Facts | None]] = []
        active = [one for one in offers if not one.held_out]
        outgoing = [self._outgoing(one) for one in active]
        people = recipients(self.session, outgoing)
        homes = self._homes({one.customer_id for one in active})
        lately = self._lately(homes)
        busy = self._busy({one.customer_id for one in active})
        for one, message, refused in zip(active, outgoing, check_many(self.session, outgoing), strict=True):
            person = people.get(message.person_id or one.customer_id)
            hears = homes[one.customer_id]
            reason = self._stopped(person) or self._hindered(one, refused, bool(hears & lately), busy)
            if reason in ("opted_out", "gone"):
                self.service.end(one, reason)
            elif reason:
                waits.append(self._wait(one, reason, self._tomorrow))
            elif ladder.reached(self.steps, one.due_on, self.today) in (None, one.rung):
                waits.append(self._wait(one, None, self._next(one)))
            else:
                due.append((one, person))
                lately |= hears
        with audit.gathered(self.session):
            waits += self._mails(due) if self.by_mail else self._tasks(due)
            self.session.flush()
        # What the product reckons by itself leaves no line in the trail.
        bulk.update_rows(self.session, Offer.__table__, waits)  # type: ignore[arg-type]

    def _stopped(self, person: Facts | None) -> str:
        """Return why a person must not be contacted at all; the gate asks first whether there is an address."""
        if person is None:
            return "gone"
        withdrawn = person.consents.get((self._channel, self.rule.purpose)) == "withdrawn"
        return "opted_out" if withdrawn or person.stop else ""

    @property
    def _channel(self) -> str:
        return "mail" if self.by_mail else "phone"

    def _hindered(self, one: Offer, refused: Refusal | None, lately: bool, busy: set[uuid.UUID]) -> str:
        """Return why a customer must not be contacted now, or an empty text."""
        code = refused.code if refused is not None and refused.until is None else ""
        if code in STOPPED:
            return STOPPED[code]
        if one.customer_id in busy:
            return "ticket"
        if lately:
            return "week"
        if code and not (code in FREE_FOR_TASKS and not self.by_mail):
            return HELD.get(code, "refused")
        return ""

    def _outgoing(self, one: Offer) -> Outgoing:
        return Outgoing(
            purpose=self.rule.purpose,
            channel=self._channel,
            template=OFFER.key,
            customer_id=one.customer_id,
            contact_id=one.contact_id,
        )

    @property
    def _tomorrow(self) -> dt.date:
        return self.today + dt.timedelta(days=1)

    def _wait(self, one: Offer, reason: str | None, until: dt.date) -> dict[str, Any]:
        return {"id": one.id, "reason": reason, "next_on": max(until, self._tomorrow)}

    def _next(self, one: Offer) -> dt.date:
        rung = ladder.reached(self.steps, one.due_on, self.today)
        return ladder.next_day(self.steps, one.due_on, rung if rung is not None else one.rung)

    def _mails(self, due: Sequence[tuple[Offer, Facts | None]]) -> list[dict[str, Any]]:
        """Send the mails, and return what has to wait since its mail was not let through."""
        messages, waits = MessageService(self.session, context.SYSTEM), []
        names = self._names({one.owner_id for one, _person in due})
        for one, person in due:
            sender = names.get(one.owner_id) if one.owner_id else None
            message = messages.send(self._letter(one, person, sender or self.tenant.name))
            if message.state == "refused":
                reason = HELD.get(message.reason_code or "", "refused")
                waits.append(self._wait(one, reason, self._tomorrow))
                continue
            one.message_id = message.id
            self.service.note_contact(one, self.today, flush=False)
        return waits

    def _tasks(self, due: Sequence[tuple[Offer, Facts | None]]) -> list[dict[str, Any]]:
        """Give the tasks to who looks after the customers."""
        made = _Tasks(self.session, context.SYSTEM).create_many([self._task(one) for one, _ in due])
        waits = []
        for (one, _person), outcome in zip(due, made, strict=True):
            if outcome.record is None:  # Its owner has left meanwhile, or the like.
                waits.append(self._wait(one, "refused", self._tomorrow))
                continue
            one.activity_id = outcome.record.id
            self.service.note_contact(one, self.today, flush=False)
        return waits

    def _letter(self, one: Offer, person: Facts | None, sender: str) -> Letter:
        locale = person.language if person and person.language in LOCALES else self.tenant.locale
        day = format_date(one.due_on, format="long", locale=locale)
        return Letter(
            template=OFFER.key,
            customer_id=one.customer_id,
            contact_id=one.contact_id,
            purpose=self.rule.purpose,
            data={"thing": one.name, "day": day, "sender": sender},
            text=words_of(self.session, self.rule.id, locale),
            once=f"offer {one.id} {ladder.reached(self.steps, one.due_on, self.today)}",
        )

    def _task(self, one: Offer) -> dict[str, Any]:
        with force_locale(self.tenant.locale):
            subject = _("Make an offer: %(thing)s", thing=one.name)[:200]
            day = format_date(one.due_on, format="long", locale=self.tenant.locale)
            body = _("%(rule)s: the day is %(day)s.", rule=self.rule.name, day=day)
        return {
            "kind": "task",
            "subject": subject,
            "body": f"{body}\n{one.basis or ''}".strip(),
            "due_at": dt.datetime.combine(self.today, dt.time(17), self.tenant.tz).isoformat(),
            "customer_id": str(one.customer_id),
            **({"contact_id": str(one.contact_id)} if one.contact_id else {}),
            **({"owned_item_id": str(one.item_id)} if one.item_id else {}),
            **({"owner_id": str(one.owner_id)} if one.owner_id else {}),
        }

    # What is known of the customers ------------------------------------------------------

    def _homes(self, ids: set[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
        """Return of each customer what hears of an offer to him: himself and his households."""
        member, home = metadata.tables["household_members"], metadata.tables["households"]
        statement = (
            select(member.c.customer_id, member.c.household_id)
            .join(home, (home.c.tenant_id == member.c.tenant_id) & (home.c.id == member.c.household_id))
            .where(
                member.c.tenant_id == self.tenant.id,
                member.c.customer_id.in_(ids),
                member.c.to_on.is_(None),
                member.c.deleted_at.is_(None),
                home.c.deleted_at.is_(None),
                home.c.kind == "household",
            )
        )
        found = {one: {one} for one in ids}
        for row in self.session.execute(statement):
            found[row.customer_id].add(row.household_id)
        return found

    def _lately(self, homes: Mapping[uuid.UUID, set[uuid.UUID]]) -> set[uuid.UUID]:
        """Return which customers and households heard of any offer in the last seven days."""
        member = metadata.tables["household_members"]
        recent = Offer.contacted_on > self.today - WEEK
        himself = select(Offer.customer_id).where(Offer.customer_id.in_(homes), recent)
        together = (
            select(member.c.household_id)
            .join(
                Offer, (Offer.tenant_id == member.c.tenant_id) & (Offer.customer_id == member.c.customer_id)
            )
            .where(
                member.c.tenant_id == self.tenant.id,
                Offer.tenant_id == self.tenant.id,
                member.c.household_id.in_(set().union(*homes.values()) - homes.keys()),
                member.c.to_on.is_(None),
                member.c.deleted_at.is_(None),
                recent,
            )
        )
        return {
            *self.session.execute(himself.distinct()).scalars(),
            *self.session.execute(together.distinct()).scalars(),
        }

    def _busy(self, ids: set[uuid.UUID]) -> set[uuid.UUID]:
        """Return who waits for help: customers with an open ticket, as far as the rule minds."""
        if self.rule.hold_tickets == "none":
            return set()
        ticket = metadata.tables["tickets"]
        statement = select(ticket.c.customer_id).where(
            ticket.c.tenant_id == self.tenant.id,
            ticket.c.customer_id.in_(ids),
            ticket.c.deleted_at.is_(None),
            ticket.c.status.not_in(("resolved", "closed")),
        )
        if self.rule.hold_tickets == "high":
            statement = statement.where(ticket.c.priority.in_(("high", "urgent")))
        return set(self.session.execute(statement.group_by(ticket.c.customer_id)).scalars())

    def _names(self, ids: set[Any]) -> dict[uuid.UUID, str]:
        member = metadata.tables["members"]
        wanted = [one for one in ids if one is not None]
        if not wanted:
            return {}
        statement = select(member.c.id, func.coalesce(member.c.name, "").label("name")).where(
            member.c.tenant_id == self.tenant.id, member.c.id.in_(wanted)
        )
        return {row.id: row.name for row in self.session.execute(statement)}
