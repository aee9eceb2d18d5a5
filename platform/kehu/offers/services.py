"""What can be done with offers, their rules and words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.activities.services import ActivityService
from kehu.core import clock, context, jobs
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.records.following import FollowingService
from kehu.core.records.kinds import dump_value, load_value
from kehu.core.records.service import RecordService
from kehu.core.text import fold
from kehu.deals.models import Deal
from kehu.deals.services import DealService
from kehu.offers import ladder
from kehu.offers.messages import OFFER
from kehu.offers.models import Offer, OfferRule, OfferText
from kehu.offers.records import WAITING
from plugins.sending import MessageText

SWEEP_RULE = "offers.sweep_rule"


class RuleService(RecordService[OfferRule]):
    """Write rules."""

    type_name = "offer_rules"

    def prepare(self, record: OfferRule, changed: set[str]) -> None:
        """Normalise the name and the ladder."""
        record.name_norm = fold(record.name)
        try:
            record.ladder = ladder.write(ladder.parse(record.ladder))
        except ValueError as error:
            message = _("Write up to six numbers of days from 0 to 730, for example 90, 60, 30.")
            raise InvalidInput(message, fields={"ladder": [message]}) from error

    def check(self, record: OfferRule, changed: set[str]) -> None:
        """Refuse a rule for things in use so long that does not say how long."""
        if record.source == "item.age" and record.months_after is None:
            message = _("Say after how many months it is due.")
            raise InvalidInput(message, fields={"months_after": [message]})

    def saved(self, records: Sequence[OfferRule], action: str) -> None:
        """Look at once for what a rule finds."""
        for record in records:
            if record.active and action != "trashed":
                ask_for_sweep(self.session, self.tenant.id, record.id)


def ask_for_sweep(session: Any, tenant_id: uuid.UUID, rule_id: uuid.UUID) -> None:
    """Let a job sweep a rule; those of one firm run one after the other."""
    jobs.enqueue(
        session,
        SWEEP_RULE,
        lock=f"offers {tenant_id}",
        queueing_lock=f"offers {tenant_id} {rule_id}",
        member_id=None,
        rule_id=str(rule_id),
    )


class TextService(FollowingService[OfferText]):
    """Write the words of a rule's mail."""

    type_name = "offer_texts"

    def check(self, record: OfferText, changed: set[str]) -> None:
        """Refuse places that nothing would fill, and a second text in one language."""
        unknown = OFFER.unknown_places(MessageText(subject=record.subject, body=record.body))
        if unknown:
            message = _(
                "Nothing can be filled in for {%(name)s}. Use these: %(known)s.",
                name=unknown[0],
                known=", ".join(f"{{{one}}}" for one in OFFER.place_names),
            )
            where = "subject" if f"{{{unknown[0]}}}" in record.subject else "body"
            raise InvalidInput(message, fields={where: [message]})
        with self.session.no_autoflush:
            other = select(OfferText.id).where(
                OfferText.rule_id == record.rule_id,
                OfferText.locale == record.locale,
                OfferText.id != record.id,
                OfferText.deleted_at.is_(None),
            )
            if self.session.execute(other.limit(1)).first() is not None:
                message = _("There is a text in this language already; change that one.")
                raise InvalidInput(message, fields={"locale": [message]})

    def create_many(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Create texts; the index refuses one that somebody else added at the same moment."""
        try:
            with self.session.begin_nested():
                return super().create_many(rows)
        except IntegrityError as error:
            raise Conflict(_("There is a text in this language already; change that one.")) from error

    def title_of(self, record: OfferText) -> str:
        """Return the subject."""
        return record.subject


def words_of(session: Any, rule_id: uuid.UUID, locale: str) -> MessageText | None:
    """Return a rule's own words in a language, or None for those that the message came with."""
    cache: dict[Any, MessageText | None] = session.info.setdefault("offer_texts", {})
    if (rule_id, locale) not in cache:
        statement = select(OfferText.subject, OfferText.body).where(
            OfferText.rule_id == rule_id, OfferText.locale == locale, OfferText.deleted_at.is_(None)
        )
        row = session.execute(statement).first()
        cache[rule_id, locale] = MessageText(subject=row.subject, body=row.body) if row else None
    return cache[rule_id, locale]


class OfferService(FollowingService[Offer]):
    """Say what became of an offer; the sweep makes them, and they go into the trash with their rule."""

    type_name = "offers"

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        super().__init__(session, actor)
        self._rules: dict[uuid.UUID, OfferRule] = {}

    def create_many(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Refuse what is not made by a rule.

        :raises Conflict: always.
        """
        raise Conflict(_("Offers are made by rules. Make a rule that says what is offered when."))

    def contacted(self, offer_id: object, note: str = "") -> Offer:
        """Note that somebody talked to the customer; the next rung of the ladder comes in its time.

        :raises Conflict: when it is closed, or the customer is in the hold-out group.
        """
        record = self._open(offer_id)
        if record.held_out:
            raise Conflict(
                _(
                    "This customer is in the hold-out group, whom nobody contacts, so that its effect can be seen."
                )
            )
        self.note_contact(record, self._today(), note)
        self._finish_task(record, _("Reached"))
        return record

    def note_contact(self, record: Offer, today: dt.date, note: str = "", *, flush: bool = True) -> None:
        """Keep that the rung of today is done."""
        steps = ladder.parse(self._rule(record.rule_id).ladder)
        rung = ladder.reached(steps, record.due_on, today)
        done = rung if rung is not None else record.rung
        values: dict[str, Any] = {
            "state": "contacted",
            "reason": None,
            "contacts": record.contacts + 1,
            "contacted_on": today,
            "rung": done,
            "next_on": max(ladder.next_day(steps, record.due_on, done), today + dt.timedelta(days=1)),
        }
        self._change(record, {**values, **({"note": note[:500]} if note else {})}, flush=flush)

    def take_back(self, record: Offer, reason: str, next_on: dt.date) -> None:
        """Keep that a contact did not come about: its mail was not let through in the end."""
        contacts = max(record.contacts - 1, 0)
        values = {"state": "contacted" if contacts else "open", "contacts": contacts, "contacted_on": None}
        self._change(record, {**values, "rung": None, "reason": reason, "next_on": next_on})

    def accept(self, offer_id: object) -> Deal:
        """Make a deal of an offer.

        :raises Conflict: when it is closed already.
        """
        record = self._open(offer_id)
        rule, deals = self._rule(record.rule_id), DealService(self.session, self.actor)
        values: dict[str, Any] = {
            "name": record.name[:200],
            "customer_id": str(record.customer_id),
            "source": rule.name,
            "expected_close": max(record.due_on, self._today()).isoformat(),
        }
        if record.contact_id is not None:
            values["contact_id"] = str(record.contact_id)
        if rule.pipeline_id is not None:
            values["stage_id"] = str(deals.first_stage("open", rule.pipeline_id).id)
        if record.owner_id is not None and self.actor.scope("deals:write") == "all":
            values["owner_id"] = str(record.owner_id)
        deal = deals.create(values)
        self._close(record, "accepted", deal_id=deal.id)
        self._finish_task(record, _("A deal was made"))
        return deal

    def decline(self, offer_id: object, note: str = "") -> Offer:
        """Close an offer that the customer does not want."""
        record = self._open(offer_id)
        self._close(record, "declined", **({"note": note[:500]} if note else {}))
        self._finish_task(record, _("Declined"))
        return record

    def stop(self, offer_id: object, reason: str = "member") -> Offer:
        """Close an offer for another reason than the customer's word."""
        record = self._open(offer_id)
        self.end(record, reason)
        return record

    def end(self, record: Offer, reason: str) -> None:
        """Close an offer that has to end, with the day on which the customer bought."""
        bought = {"renewed_on": self._today()} if reason == "bought" else {}
        self._close(record, "stopped", reason=reason, **bought)
        self._finish_task(record, str(self.type.by_key["reason"].option(reason).label))  # type: ignore[union-attr]

    def undone(self, record: Offer, changes: Mapping[str, list[Any]]) -> None:
        """Put back what became of an offer: fields that no form sets.

        :raises Conflict: when more became of it since.
        """
        told = {key: pair for key, pair in changes.items() if self.type.by_key[key].readonly}
        if not told:
            return
        for key, (_old, new) in told.items():
            if dump_value(self.type.by_key[key], getattr(record, key)) != new:
                raise Conflict(
                    _(
                        "“%(title)s” was changed since by somebody else; nothing was overwritten.",
                        title=record.name,
                    )
                )
        loading = self.load_context({}, record)
        self._change(
            record,
            {key: load_value(self.type.by_key[key], old, loading) for key, (old, _new) in told.items()},
        )

    def _open(self, offer_id: object) -> Offer:
        record = self.get(offer_id, action="write", lock=True)
        if record.state not in WAITING:
            state = self.type.by_key["state"].option(record.state)
            raise Conflict(
                _(
                    "“%(name)s” is closed already: %(state)s.",
                    name=record.name,
                    state=state.label if state else record.state,
                )
            )
        return record

    def _close(self, record: Offer, state: str, **values: Any) -> None:
        self._change(record, {"reason": None, **values, "state": state, "closed_on": self._today()})

    def _finish_task(self, record: Offer, outcome: str) -> None:
        """Finish the task that the sweep gave somebody, if the actor may."""
        if record.activity_id is None or not self.actor.may("activities:write"):
            return
        activities = ActivityService(self.session, self.actor)
        model: Any = activities.type.model
        statement = select(model.done_at).where(model.id == record.activity_id, model.deleted_at.is_(None))
        row = self.session.execute(statement).first()
        if row is not None and row.done_at is None:
            activities.done(record.activity_id, outcome=outcome)

    def _rule(self, rule_id: uuid.UUID) -> OfferRule:
        if rule_id not in self._rules:
            statement = select(OfferRule).where(OfferRule.id == rule_id)
            self._rules[rule_id] = self.session.execute(statement).scalar_one()
        return self._rules[rule_id]

    def _today(self) -> dt.date:
        return clock.today(self.tenant.tz)


__all__ = ["OfferService", "RuleService", "TextService", "ask_for_sweep", "words_of"]
