"""Send messages: in the recipient's language, through the gate, once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.consent.facts import Facts
from kehu.consent.gate import Outgoing, check_send, recipients
from kehu.core import clock, context, jobs
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kehu.core.i18n import LOCALES, _, day_text
from kehu.core.ids import new_id, parse_id
from kehu.core.records.service import service_for
from kehu.core.text import clean, fold
from kehu.messages import texts
from kehu.messages.models import Message
from plugins.sending import MessageTemplate, MessageText, Refusal

DELIVER = "messages.deliver"
LONGEST_VALUE = 2000


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message that is to be sent.

    :param template: key of a registered message.
    :param data: values of its places; further ones are kept for the function that fills the secret places.
    :param purpose: another one than the template's.
    :param once: a second message with the same word is not sent.
    :param text: words instead of the template's (a message that a member wrote).
    :param run_id: the bulk run that it belongs to.
    """

    template: str
    customer_id: uuid.UUID | None = None
    contact_id: uuid.UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = ""
    once: str = ""
    text: MessageText | None = None
    run_id: uuid.UUID | None = None


class MessageService:
    """Send messages to customers and contacts.

    :param session: the unit of work.
    :param actor: who acts; the context's actor by default.
    """

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()

    def send(self, letter: Letter) -> Message:
        """Queue a message, or keep why it is refused; the job that sends it asks the gate once more.

        :raises NotFound: for a template or a person that does not exist or may not be seen.
        """
        self.actor.require("messages:send")
        template = texts.template(letter.template)
        self._seen(letter)
        if letter.once and (known := self._known(letter.once)):
            return known
        outgoing = outgoing_of(letter, template)
        person = recipients(self.session, [outgoing]).get(outgoing.person_id or uuid.UUID(int=0))
        message = self.draft(letter, template, person)
        refused = check_send(self.session, outgoing)
        try:
            with self.session.begin_nested():
                self.queue(message, refused)
                self.session.flush()  # The unique index says whether somebody sent it at the same moment.
        except IntegrityError:
            known = self._known(letter.once) if letter.once else None
            if known is None:
                raise
            return known
        return message

    def draft(self, letter: Letter, template: MessageTemplate, person: Facts | None) -> Message:
        """Return a new message in the recipient's language, not added yet."""
        tenant = context.tenant()
        locale = person.language if person and person.language in LOCALES else tenant.locale
        words = letter.text or texts.text_of(self.session, template, locale)
        secret = {place.name for place in template.places if place.secret}
        values = {
            "name": person.name if person else "",
            "firm": tenant.name,
            "sender": self.actor.name,
            **{
                key: clean(_written(value, locale), lines=True)[:LONGEST_VALUE]
                for key, value in letter.data.items()
            },
        }
        values = {key: value for key, value in values.items() if key not in secret}
        return Message(
            id=new_id(),
            customer_id=person.customer_id if person else letter.customer_id,
            contact_id=letter.contact_id,
            person_id=letter.contact_id or letter.customer_id,
            template=template.key,
            channel="mail",
            purpose=letter.purpose or template.purpose,
            address=(person.mail if person else None) or "",
            locale=locale,
            subject=" ".join(texts.fill(words.subject, values).split())[:300],
            body=texts.fill(words.body, values),
            data={key: _plain(value) for key, value in letter.data.items()},
            at=clock.now(),
            once=fold(letter.once)[:200] or None,
            run_id=letter.run_id,
            member_id=self.actor.member_id,
            sender=self.actor.name,
        )

    def queue(self, message: Message, refused: Refusal | None) -> None:
        """Add a message and let a job send it, unless the gate refused it for good."""
        message.state = "queued"
        if refused is not None:
            note_refusal(message, refused)
        self.session.add(message)
        if message.state == "queued":
            self.enqueue(message)

    def enqueue(self, message: Message) -> None:
        """Let the job send a queued message now, or when it may go out."""
        wait = max(message.wait_until - clock.now(), dt.timedelta(0)) if message.wait_until else None
        jobs.enqueue(self.session, DELIVER, wait=wait, message_id=str(message.id))

    def get(self, message_id: object, *, lock: bool = False) -> Message:
        """Return a message to somebody whom the actor may see.

        :raises NotFound: when there is none.
        """
        statement = select(Message).where(Message.id == parse_id(message_id))
        message = self.session.execute(
            statement.with_for_update() if lock else statement
        ).scalar_one_or_none()
        if message is None or not self._visible(message):
            raise NotFound(_("This message does not exist."))
        return message

    def retry(self, message_id: object) -> Message:
        """Send again what was refused or could not be delivered; the gate is asked anew.

        :raises Conflict: when it was sent or waits already.
        """
        self.actor.require("messages:send")
        message = self.get(message_id, lock=True)
        if message.state not in ("refused", "failed"):
            raise Conflict(_("This message was sent already, or is on its way."))
        message.state, message.reason_code, message.reason = "queued", None, None
        message.wait_until, message.attempts = None, 0
        self.enqueue(message)
        return message

    def _known(self, once: str) -> Message | None:
        """Return the message that was sent under a word.

        :raises Conflict: when it went to somebody whom the actor may not see.
        """
        statement = select(Message).where(Message.once == fold(once)[:200])
        found = self.session.execute(statement).scalar_one_or_none()
        if found is not None and not self._visible(found):
            raise Conflict(_("A message was sent under this word already. Choose another one."))
        return found

    def _seen(self, letter: Letter) -> None:
        name, record_id = (
            ("contacts", letter.contact_id) if letter.contact_id else ("customers", letter.customer_id)
        )
        if record_id is None:
            message = _("Say to which customer or contact the message goes.")
            raise InvalidInput(message, fields={"customer_id": [message]})
        service_for(name, self.session, self.actor).get(record_id)

    def _visible(self, message: Message) -> bool:
        name = "contacts" if message.contact_id else "customers"
        try:
            service_for(name, self.session, self.actor).get(message.person_id)
        except (NotFound, Forbidden):
            return False
        return True


def _written(value: Any, locale: str) -> str:
    """Return a value as it stands in a message: days in the recipient's language."""
    if isinstance(value, dt.date):
        with force_locale(locale):
            return day_text(value)
    return str(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON can keep it."""
    return value.isoformat() if isinstance(value, dt.date) else value


def outgoing_of(letter: Letter, template: MessageTemplate) -> Outgoing:
    """Return a letter as the gate sees it."""
    return Outgoing(
        purpose=letter.purpose or template.purpose,
        template=template.key,
        customer_id=letter.customer_id,
        contact_id=letter.contact_id,
    )


def note_refusal(message: Message, refused: Refusal) -> None:
    """Keep on a message why it does not go out now."""
    message.reason_code, message.reason = refused.code, str(refused.reason)
    message.wait_until = refused.until
    message.state = "queued" if refused.until is not None else "refused"
