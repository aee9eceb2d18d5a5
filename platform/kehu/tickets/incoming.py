"""Mails to the address of a queue: a reply joins its ticket, any other mail becomes one."""

from __future__ import annotations

import html
import io
import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parseaddr
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import text
from kehu.core.errors import InvalidInput, KehuError, NotFound
from kehu.core.i18n import _
from kehu.core.mailbox import header
from kehu.customers.models import Contact, Customer
from kehu.files.pages import file_service
from kehu.tickets.conversation import LONGEST, ConversationService
from kehu.tickets.models import Queue, Ticket, TicketMessage
from kehu.tickets.services import TicketService

log = logging.getLogger(__name__)

MOST_FILES = 20
_OURS = re.compile(r"\b([0-9a-f]{32})\.[0-9a-f]{12}@kehu\b")
"""The Message-ID of a reply that left the house, as `ConversationService.reply` makes it."""
_NUMBER = re.compile(r"\[#(\d{1,15})\]")
_MACHINES = frozenset({"mailer-daemon", "postmaster"})


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a mail says.

    :param answers: replies of ours that it names, as mail programs do.
    :param number: of the ticket, where the subject still has it.
    :param automatic: a machine answers or returns a mail: it wakes nobody and makes no ticket.
    """

    name: str
    email: str
    subject: str
    body: str
    message_id: str
    answers: tuple[uuid.UUID, ...]
    number: int | None
    automatic: bool


def take(session: Session, recipient: str, raw: bytes) -> bool:
    """Take in a mail to the address of a queue, once, and say whether there is such a queue."""
    queue = _queue(session, recipient)
    if queue is None:
        return False
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    letter = read(mail)
    if _is_known(session, letter):
        return True
    ticket = _ticket(session, letter)
    if ticket is None and letter.automatic:
        log.info("An automatic mail to %s belongs to no ticket and is left out.", recipient)
        return True
    if ticket is None:
        ticket = _new(session, queue, letter)
    left_out = _attach(ticket, mail, raw if len(letter.body) > LONGEST else b"")
    message = ConversationService(session).incoming(
        ticket.id,
        _fitting(letter.body, left_out),
        name=letter.name,
        email=letter.email,
        wakes=not letter.automatic,
    )
    message.message_id = letter.message_id or None
    return True


def read(mail: EmailMessage) -> Letter:
    """Read a mail; what can't be read counts as empty."""
    name, address = parseaddr(header(mail, "From"))
    subject = header(mail, "Subject")
    number = _NUMBER.search(subject)
    named = _OURS.findall(f"{header(mail, 'References')} {header(mail, 'In-Reply-To')}")
    return Letter(
        name=text.clean(name)[:200],
        email=_address(address),
        subject=subject[:200] or _("(no subject)"),
        body=_body(mail),
        message_id=header(mail, "Message-ID"),
        answers=tuple(uuid.UUID(one) for one in named[-20:]),
        number=int(number[1]) if number else None,
        automatic=header(mail, "Auto-Submitted").lower().startswith("auto-replied")
        or mail.get_content_type() == "multipart/report"
        or address.rpartition("@")[0].lower() in _MACHINES,
    )


def _queue(session: Session, recipient: str) -> Queue | None:
    """Return the queue of an address; a firm's own domain may forward to its address here, with the same box."""
    wanted = recipient.strip().lower()
    box = wanted.rpartition("@")[0]
    queues = select(Queue).where(Queue.deleted_at.is_(None), Queue.email != "").order_by(Queue.position)
    found = session.execute(queues.limit(200)).scalars().all()
    by_rank = [one for one in found if one.email.lower() == wanted] or [
        one for one in found if one.email.lower().rpartition("@")[0] == box
    ]
    if not by_rank:
        return None
    # One after the other: the same mail may be handed over twice at the same moment.
    lock = select(Queue).where(Queue.id == by_rank[0].id).with_for_update()
    return session.execute(lock).scalar_one()


def _is_known(session: Session, letter: Letter) -> bool:
    if not letter.message_id:
        return False
    statement = select(TicketMessage.id).where(
        TicketMessage.kind == "incoming",
        TicketMessage.message_id == letter.message_id,
        TicketMessage.author_email == letter.email,
    )
    return session.execute(statement.limit(1)).first() is not None


def _ticket(session: Session, letter: Letter) -> Ticket | None:
    """Return the ticket that a mail belongs to: by the reply that it answers, else by number and sender."""
    live = select(Ticket).where(Ticket.deleted_at.is_(None))
    if letter.answers:
        named = select(TicketMessage.ticket_id).where(
            TicketMessage.id.in_(letter.answers), TicketMessage.kind == "reply"
        )
        found = session.execute(live.where(Ticket.id.in_(named)).order_by(Ticket.id.desc()).limit(1)).scalar()
        if found is not None:
            return found
    if letter.number is None or not letter.email:
        return None
    ticket = session.execute(live.where(Ticket.number == letter.number)).scalar_one_or_none()
    if ticket is None or text.normal_email(ticket.requester_email or "") != text.normal_email(letter.email):
        return None
    return ticket


def _new(session: Session, queue: Queue, letter: Letter) -> Ticket:
    service = TicketService(session)
    service.channel = "email"
    values: dict[str, Any] = {
        "subject": letter.subject,
        "queue_id": queue.id,
        **_person(session, letter.email),
    }
    if letter.email:
        values["requester_email"] = letter.email
    return service.create(values)


def _person(session: Session, email: str) -> dict[str, uuid.UUID]:
    """Return the contact or customer with an address, if it is one alone."""
    kinds: tuple[tuple[str, Any], ...] = (("contact_id", Contact), ("customer_id", Customer))
    for key, model in kinds if email else ():
        statement = select(model.id).where(
            model.email_norm == text.normal_email(email), model.deleted_at.is_(None)
        )
        found = session.execute(statement.limit(2)).scalars().all()
        if found:
            return {key: found[0]} if len(found) == 1 else {}
    return {}


def _address(written: str) -> str:
    try:
        return text.check_email(written)
    except InvalidInput:
        return ""


# The parts of a mail --------------------------------------------------------------------------------------


def _body(mail: EmailMessage) -> str:
    """Return the text of a mail, else that of its page."""
    found = {"text/plain": "", "text/html": ""}
    for part in _parts(mail):
        kind = part.get_content_type()
        if kind in found and not found[kind] and not part.get_filename():
            found[kind] = _decoded(part)
    return text.clean(found["text/plain"] or _plain(found["text/html"]), lines=True)


def _parts(mail: EmailMessage) -> Iterator[Message]:
    for part in mail.walk():
        if not part.is_multipart() and part.get_content_disposition() != "attachment":
            yield part


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return payload.decode("utf-8", errors="replace")


def _plain(page: str) -> str:
    bare = re.sub(r"(?is)<(script|style|head)\b.*?</\1\s*>", "", page)
    bare = re.sub(r"(?i)<br\s*/?>|</(p|div|tr|li|h\d)\s*>", "\n", re.sub(r"\s+", " ", bare))
    return html.unescape(re.sub(r"<[^>]*>", "", bare))


def _fitting(body: str, left_out: list[str]) -> str:
    note = ""
    if left_out:
        note = "\n\n" + _("Files that were not kept: %(names)s", names=", ".join(left_out))[:1000]
    body = body or _("(no text)")
    most = LONGEST - len(note)
    return (body if len(body) <= most else f"{body[: most - 1]}…") + note


def _attach(ticket: Ticket, mail: EmailMessage, whole: bytes) -> list[str]:
    """Put the files of a mail at its ticket, and return the names of those that could not be kept.

    :param whole: the mail itself, where its text is too long for a message.
    """
    files = [("mail.eml", whole)] if whole else []
    for part in mail.walk():
        name = str(part.get_filename() or "")
        payload = part.get_payload(decode=True) if not part.is_multipart() else None
        if isinstance(payload, bytes) and (name or part.get_content_disposition() == "attachment"):
            files.append((name or "file", payload))
    left_out, service = [], file_service()
    for number, (name, content) in enumerate(files):
        try:
            if number >= MOST_FILES:
                raise NotFound(name)
            service.attach("tickets", ticket.id, name, io.BytesIO(content))
        except KehuError:
            left_out.append(text.clean(name)[:100])
    return left_out
