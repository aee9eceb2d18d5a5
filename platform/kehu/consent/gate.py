"""The gate: every message that leaves the house passes here, and is let through, held back for a while or refused."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kehu.addons.calls import call
from kehu.consent import facts as reading
from kehu.consent.facts import Facts
from kehu.consent.hours import next_moment
from kehu.consent.rules import Rules, rules_of
from kehu.consent.words import BY, CHANNELS, PURPOSES, Purpose
from kehu.core import clock, context, hooks
from kehu.core.i18n import _, _l, _n
from plugins.relay import GuardFailedError
from plugins.sending import Refusal

AGAIN = dt.timedelta(minutes=15)
"""After so long a guard that failed is asked once more."""

WORDS = {
    "gone": _l("The recipient is in the trash or was erased."),
    "no_address": _l("There is no address for this channel."),
    "do_not_contact": _l("Marked “Do not contact”."),
    "withdrawn": _l("No consent: it was withdrawn."),
    "no_consent": _l("No consent was given."),
    "complaint": _l("Is not content: a ticket after a survey is open."),
    "channel": _l("Prefers another channel."),
    "too_often": _l("Got a message lately."),
    "household": _l("The household got a message lately."),
    "quiet": _l("It waits for the hours in which messages may go out."),
    "guard_failed": _l("A plugin that checks messages did not answer."),
}
"""Code of a refusal of the platform's own -> what it means, for lists and counts."""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A message to be checked.

    :param purpose: `transactional`, `service`, `marketing` or `survey`.
    :param channel: `mail`, `phone`, `sms` or `post`.
    :param contact_id: the recipient, where it is a contact; else the customer is.
    :param address: where to, when it is another one than the recipient's own.
    """

    purpose: str
    channel: str = "mail"
    template: str = ""
    customer_id: uuid.UUID | None = None
    contact_id: uuid.UUID | None = None
    address: str = ""

    def __post_init__(self) -> None:
        """Check the two words.

        :raises ValueError: names those that there are.
        """
        for what, word, known in (("channel", self.channel, CHANNELS), ("purpose", self.purpose, PURPOSES)):
            if word not in known:
                raise ValueError(f"There is no {what} {word!r}. There are: {', '.join(known)}.")

    @property
    def person_id(self) -> uuid.UUID | None:
        """The recipient."""
        return self.contact_id or self.customer_id


def check_send(session: Session, message: Outgoing, *, at: dt.datetime | None = None) -> Refusal | None:
    """Return why a message must not go out, or None when it may.

    A refusal with `until` holds it back only till then. Every message that leaves the house is checked by this.
    """
    return check_many(session, [message], at=at)[0]


def check_many(
    session: Session, messages: Sequence[Outgoing], *, at: dt.datetime | None = None
) -> list[Refusal | None]:
    """Check many messages in a fixed number of statements, beside what plugins ask for each."""
    moment = at or clock.now()
    known = recipients(session, messages, moment)
    rules = rules_of(session)
    return [
        refusal(one, known.get(one.person_id) if one.person_id else None, rules, moment) or _guards(one)
        for one in messages
    ]


def recipients(
    session: Session, messages: Iterable[Outgoing], at: dt.datetime | None = None
) -> dict[uuid.UUID, Facts]:
    """Return what is known of the recipients, by id."""
    wanted = list(messages)
    return reading.read(
        session,
        {one.contact_id for one in wanted if one.contact_id},
        {one.customer_id for one in wanted if one.customer_id and not one.contact_id},
        rules_of(session),
        context.tenant().tz,
        at or clock.now(),
    )


def refusal(message: Outgoing, person: Facts | None, rules: Rules, at: dt.datetime) -> Refusal | None:
    """Return what the platform's own rules say of a message."""
    purpose = PURPOSES[message.purpose]
    if person is None:
        # Nobody's record: only an answer to somebody who wrote.
        return None if purpose.free and message.address else _refuse("gone")
    if not (message.address or _address(person, message.channel)):
        return _refuse("no_address")
    return _stop(person, purpose) or (
        None
        if purpose.free
        else _consent(message, person, purpose, rules)
        or _complaint(person, purpose)
        or _channel(message, person, purpose)
        or _frequency(person, rules, at)
        or _hours(person, purpose, rules, at)
    )


def _refuse(code: str, reason: str = "", until: dt.datetime | None = None) -> Refusal:
    return Refusal(code=code, reason=reason or str(WORDS[code]), until=until)


def _address(person: Facts, channel: str) -> str | None:
    return {"mail": person.mail, "post": person.post}.get(channel, person.phone)


def _stop(person: Facts, purpose: Purpose) -> Refusal | None:
    if person.stop == "all" or (person.stop and not purpose.free):
        return _refuse("do_not_contact", _("%(name)s is marked “Do not contact”.", name=person.name))
    return None


def _consent(message: Outgoing, person: Facts, purpose: Purpose, rules: Rules) -> Refusal | None:
    said = person.consents.get((message.channel, purpose.key))
    names = {"name": person.name, "purpose": str(purpose.label), "by": str(BY[message.channel])}
    if said == "withdrawn":
        return _refuse("withdrawn", _("%(name)s said no to this: %(purpose)s %(by)s.", **names))
    if said != "given" and rules.needs_consent(purpose, message.channel):
        return _refuse("no_consent", _("%(name)s has not agreed to this: %(purpose)s %(by)s.", **names))
    return None


def _complaint(person: Facts, purpose: Purpose) -> Refusal | None:
    """Hold advertising back while somebody who is not content waits for an answer."""
    if not (purpose.asked and person.complains):
        return None
    reason = _("%(name)s is not content: a ticket after a survey is open.", name=person.name)
    return _refuse("complaint", reason)


def _channel(message: Outgoing, person: Facts, purpose: Purpose) -> Refusal | None:
    if purpose.courted and person.preferred and person.preferred != message.channel:
        wanted = str(CHANNELS[person.preferred])
        return _refuse(
            "channel", _("%(name)s prefers another way: %(channel)s.", name=person.name, channel=wanted)
        )
    return None


def _frequency(person: Facts, rules: Rules, at: dt.datetime) -> Refusal | None:
    last, days = person.sent.last, max(rules.cap_days, person.gap_days)
    too_soon = last is not None and person.gap_days and last > at - dt.timedelta(days=person.gap_days)
    if too_soon or person.sent.in_cap_days >= rules.cap:
        reason = _n(
            "%(name)s got a message in the last %(num)s day.",
            "%(name)s got a message in the last %(num)s days.",
            days,
            name=person.name,
        )
        return _refuse("too_often", reason)
    if person.household_sent >= rules.household_cap:
        reason = _n(
            "The household of %(name)s got a message in the last %(num)s day.",
            "The household of %(name)s got a message in the last %(num)s days.",
            rules.household_days,
            name=person.name,
        )
        return _refuse("household", reason)
    return None


def _hours(person: Facts, purpose: Purpose, rules: Rules, at: dt.datetime) -> Refusal | None:
    hours = [rules.hours, person.best_hours if purpose.courted else None]
    moment = next_moment(at, hours, person.zones)
    return _refuse("quiet", until=moment) if moment > at else None


def _guards(message: Outgoing) -> Refusal | None:
    """Ask the plugins; one that fails holds the message back."""
    enabled, relay = hooks.enabled(), hooks.host().relay
    for slug in relay.implementers("kehu_check_send", enabled) if enabled else ():
        try:
            said: Refusal | None = relay.first(
                "kehu_check_send",
                enabled=frozenset((slug,)),
                tenant=context.tenant().id,
                ctx=call(slug),
                message=message,
            )
        except GuardFailedError:
            return _refuse("guard_failed", until=clock.now() + AGAIN)
        if said is not None:
            return said
    return None
