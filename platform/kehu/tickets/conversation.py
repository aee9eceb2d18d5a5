"""The conversation of a ticket: replies that leave the house, notes that stay, and what comes in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kehu.consent.gate import Outgoing, check_send
from kehu.core import audit, clock, context, jobs, text
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.tickets.models import Ticket, TicketMessage
from kehu.tickets.records import DONE
from kehu.tickets.services import TicketService

LONGEST = 20_000
SHOWN = 200
SEND_TASK = "tickets.send_reply"


class ConversationService:
    """Write and read the messages of tickets; a ticket's status follows.

    :param session: the unit of work.
    :param actor: who acts; the context's actor by default.
    """

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.tickets = TicketService(session, self.actor)

    def messages(
        self, ticket: Ticket, *, limit: int = SHOWN, after: uuid.UUID | None = None
    ) -> Sequence[TicketMessage]:
        """Return messages of a ticket that the actor may see, oldest first.

        :param after: start behind this message; without it the latest ones are returned.
        """
        statement = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
        if after is not None:
            statement = statement.where(TicketMessage.id > after).order_by(TicketMessage.id)
            return list(self.session.execute(statement.limit(limit)).scalars())
        latest = self.session.execute(statement.order_by(TicketMessage.id.desc()).limit(limit)).scalars()
        return list(latest)[::-1]

    def page(self, ticket: Ticket, after: uuid.UUID | None, limit: int) -> Sequence[TicketMessage]:
        """Return a page of the conversation from its beginning."""
        return self.messages(ticket, limit=limit, after=after or uuid.UUID(int=0))

    def message(self, ticket: Ticket, message_id: uuid.UUID) -> TicketMessage | None:
        """Return one message of a ticket."""
        statement = select(TicketMessage).where(
            TicketMessage.id == message_id, TicketMessage.ticket_id == ticket.id
        )
        return self.session.execute(statement).scalar_one_or_none()

    def reply(self, ticket_id: object, body: object, *, status: str = "") -> TicketMessage:
        """Answer the requester by mail, and let the ticket go on.

        :param status: what the ticket becomes with it; otherwise a new ticket is open from now on.
        :raises InvalidInput: for an empty or overlong text, or when nobody would receive it.
        :raises Conflict: when the gate of all messages holds it back.
        :raises Forbidden: for whoever looks into the firm for support.
        """
        if context.actor().kind == "support":
            raise Forbidden(_("Support writes to nobody in the firm's name. Write a note instead."))
        ticket = self.tickets.get(ticket_id, action="write", lock=True)
        written = read_body(body)
        if not ticket.requester_email:
            message = _(
                "There is no address to send this reply to. Fill in “Requester's e-mail” first, or write a note."
            )
            raise InvalidInput(message, fields={"requester_email": [message]})
        if refused := check_send(self.session, outgoing_of(ticket)):
            raise Conflict(
                _("This reply was not sent and your text is kept. %(why)s", why=str(refused.reason))
            )
        reply = self._add(ticket, "reply", written, "replied", delivery="queued")
        reply.message_id = f"{reply.id.hex}.{ticket.tenant_id.hex[-12:]}@kehu"
        self._touch(ticket, first_reply=True)
        self._move(ticket, status or ("open" if ticket.status == "new" else ""))
        jobs.enqueue(self.session, SEND_TASK, message_id=str(reply.id))
        return reply

    def note(self, ticket_id: object, body: object) -> TicketMessage:
        """Write something that only members see."""
        ticket = self.tickets.get(ticket_id, action="write")
        note = self._add(ticket, "note", read_body(body), "noted")
        self._touch(ticket)
        return note

    def incoming(
        self, ticket_id: object, body: object, *, name: str = "", email: str = "", wakes: bool = True
    ) -> TicketMessage:
        """Take what the customer wrote; a ticket that waited or was done is open again.

        :param wakes: False for what a machine wrote: the ticket stays as it is.
        """
        ticket = self.tickets.get(ticket_id, action="write", lock=True)
        written = read_body(body)
        sender = _sender(email) if email else (ticket.requester_email or "")
        message = self._add(ticket, "incoming", written, "received")
        message.author_id, message.author_email = None, sender
        message.author_name = text.clean(name)[:200] or sender
        self._touch(ticket)
        self._move(ticket, "open" if wakes and ticket.status in {*DONE, "waiting"} else "")
        return message

    def retry(self, ticket_id: object, message_id: object) -> TicketMessage:
        """Send a reply again that could not be sent.

        :raises Conflict: when it was sent or waits already.
        """
        ticket = self.tickets.get(ticket_id, action="write")
        statement = select(TicketMessage).where(
            TicketMessage.id == parse_id(message_id), TicketMessage.ticket_id == ticket.id
        )
        message = self.session.execute(statement.with_for_update()).scalar_one_or_none()
        if message is None:
            raise NotFound(_("This message does not exist."))
        if message.delivery != "failed":
            raise Conflict(_("This reply was sent already, or is on its way."))
        message.delivery, message.delivery_error = "queued", None
        jobs.enqueue(self.session, SEND_TASK, message_id=str(message.id))
        return message

    def _add(
        self, ticket: Ticket, kind: str, body: str, action: str, *, delivery: str = "none"
    ) -> TicketMessage:
        message = TicketMessage(
            id=new_id(),
            ticket_id=ticket.id,
            kind=kind,
            body=body,
            author_id=self.actor.member_id,
            author_name=self.actor.name,
            author_email=self.actor.email,
            at=clock.now(),
            delivery=delivery,
        )
        self.session.add(message)
        audit.write(
            self.session,
            object="tickets",
            record_id=ticket.id,
            action=action,
            title=ticket.subject,
            version=ticket.version,
            customer_id=ticket.customer_id,
        )
        return message

    def _touch(self, ticket: Ticket, *, first_reply: bool = False) -> None:
        # Not through the version: a colleague's note must not refuse what somebody types into a field meanwhile.
        values: dict[str, Any] = {"updated_at": clock.now()}
        if first_reply and ticket.first_reply_at is None:
            values["first_reply_at"] = clock.now()
        self.session.execute(
            update(Ticket)
            .where(Ticket.tenant_id == ticket.tenant_id, Ticket.id == ticket.id)
            .values(**values)
            .execution_options(synchronize_session="evaluate")
        )

    def _move(self, ticket: Ticket, status: str) -> None:
        if status and status != ticket.status:
            self.tickets.update(ticket.id, {"status": status})


def outgoing_of(ticket: Ticket) -> Outgoing:
    """Return a reply as the gate sees it: an answer to somebody who asked."""
    return Outgoing(
        purpose="transactional",
        customer_id=ticket.customer_id,
        contact_id=ticket.contact_id,
        address=ticket.requester_email or "",
    )


def _sender(written: str) -> str:
    try:
        return text.check_email(written)
    except InvalidInput as error:
        raise InvalidInput(error.message, fields={"author_email": [error.message]}) from error


def read_body(raw: object) -> str:
    """Return the text of a message.

    :raises InvalidInput: when it is empty, overlong or no text.
    """
    if not isinstance(raw, str):
        raise _wrong(_("Write a text here."))
    if len(raw) > LONGEST:
        raise _wrong(
            _(
                "This has %(have)s characters; %(may)s are possible. Shorten it.",
                have=f"{len(raw):,}",
                may=f"{LONGEST:,}",
            )
        )
    body = text.clean(raw, lines=True)
    if not body:
        raise _wrong(_("Write something first."))
    return body


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, fields={"body": [message]})
