"""Messages leave by a job that may run twice: the row is locked, and what was sent is not sent again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.addons.calls import call
from kehu.consent import links
from kehu.consent.gate import Outgoing, check_send
from kehu.consent.rules import rules_of
from kehu.consent.words import PURPOSES
from kehu.core import clock, context, db, delivery, jobs
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.messages import outgoing, texts
from kehu.messages.models import Message
from kehu.messages.services import DELIVER, MessageService, note_refusal
from kehu.relations.mates import household_ids
from plugins.sending import Refusal


@jobs.tenant_task(DELIVER, queue="mail")
def deliver(_tenant_id: uuid.UUID, message_id: str) -> None:
    """Send one message, unless it was sent already or the gate holds it back."""
    session = db.session()
    statement = select(Message).where(Message.id == uuid.UUID(message_id)).with_for_update()
    message = session.execute(statement).scalar_one_or_none()
    if message is None or message.state != "queued":
        return
    _one_at_a_time(session, message)
    with context.use(actor=context.SYSTEM), force_locale(message.locale):
        refused = check_send(session, _as_outgoing(message))
        if refused is None:
            refused = _send(session, message)
    if refused is not None:
        note_refusal(message, refused)
        if message.state == "queued":
            MessageService(session, context.SYSTEM).enqueue(message)


def _one_at_a_time(session: Session, message: Message) -> None:
    # Two messages to one person, or to two who live together, at the same moment: the second has to see that the first
    # was sent. All take their locks in the same order, so that none waits for another in a circle.
    held = {message.person_id or message.id}
    if message.customer_id is not None:
        held.update(household_ids(session, message.customer_id))
    for key in sorted(int.from_bytes(one.bytes[-8:], "big", signed=True) for one in held):
        session.execute(select(func.pg_advisory_xact_lock(key)))


def _as_outgoing(message: Message) -> Outgoing:
    return Outgoing(
        purpose=message.purpose,
        channel=message.channel,
        template=message.template,
        customer_id=message.customer_id,
        contact_id=message.contact_id,
    )


def _send(session: Session, message: Message) -> Refusal | None:
    """Hand a message to the mail server; what it says is kept with the message."""
    secrets = _secrets(message)
    if secrets is None:
        return Refusal(code="not_wanted", reason=_("What the message was about has changed."))
    try:
        mail = outgoing.compose(
            to=message.address,
            subject=message.subject,
            body=texts.fill(message.body, secrets),
            message_id=f"{message.id.hex}.{message.tenant_id.hex[-12:]}@kehu",
            firm=context.tenant().name,
            rules=rules_of(session),
            stop_url=""
            if PURPOSES[message.purpose].free
            else links.url(message, message.channel, message.purpose),
        )
        delivery.send(mail)
    except delivery.NotSent as error:
        message.reason_code, message.reason = "mail", error.reason
        if error.lasting or message.attempts >= len(delivery.WAITS):
            message.state = "failed"
            return None
        message.attempts += 1
        again = clock.now() + delivery.WAITS[message.attempts - 1]
        return Refusal(code="mail", reason=error.reason, until=again)
    message.state, message.sent_at = "sent", clock.now()
    message.reason_code = message.reason = message.wait_until = None
    return None


def _secrets(message: Message) -> Mapping[str, str] | None:
    try:
        template = texts.template(message.template)
    except NotFound:
        return None  # Its plugin was switched off meanwhile.
    if template.secrets is None:
        return {}
    return template.secrets(call(template.key.partition(".")[0]), message)
