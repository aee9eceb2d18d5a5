"""Mails to the address of a queue: a reply joins its ticket, any other mail becomes one."""

from __future__ import annotations

import html
import io
import logging
import re
import uuid
from dataclasses import dataclass
from email.message import Message
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import mailbox, text
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
LONGEST_PAGE = 10 * LONGEST
"""Of a page so many characters are read; the mail itself is kept where its text is longer than a message."""
_TAG = re.compile(r"/?[A-Za-z][A-Za-z0-9]{0,20}")
_HIDDEN = ("script", "style", "head")
_ENDS = frozenset({"br", "/p", "/div", "/tr", "/li", *(f"/h{number}" for number in range(1, 7))})


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
    mail = mailbox.parse_mail(raw)
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


def read(mail: Message) -> Letter:
    """Read a mail; what can't be read counts as empty."""
    name, address = mailbox.sender(mail)
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


def _body(mail: Message) -> str:
    """Return the text of a mail, else that of its page."""
    found = {"text/plain": "", "text/html": ""}
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in found and not found[kind] and not _is_file(part):
            found[kind] = mailbox.text_of(part)
    return text.clean(found["text/plain"] or _plain(found["text/html"]), lines=True)


def _is_file(part: Message) -> bool:
    named = mailbox.file_name(part) or part.get_content_disposition() == "attachment"
    return not part.is_multipart() and bool(named)


def _plain(page: str) -> str:
    """Return the text of a page, in a time that grows with its length alone."""
    first, *rest = re.sub(r"\s+", " ", page[:LONGEST_PAGE]).split("<")
    pieces, hidden = [first], ""
    for one in rest:
        inside, closed, words = one.partition(">")
        found = _TAG.match(inside) if closed else None
        name = found[0].lower() if found is not None else ""
        if hidden:
            hidden = "" if name in (f"/{hidden}", "body") else hidden
        elif name in _HIDDEN:
            hidden = name
        elif name in _ENDS:
            pieces.append("\n")
        if not hidden:
            pieces.append(words if closed else f"<{one}")
    return html.unescape("".join(pieces))


def _fitting(body: str, left_out: list[str]) -> str:
    note = ""
    if left_out:
        note = "\n\n" + _("Files that were not kept: %(names)s", names=", ".join(left_out))[:1000]
    body = body or _("(no text)")
    most = LONGEST - len(note)
    return (body if len(body) <= most else f"{body[: most - 1]}…") + note


def _attach(ticket: Ticket, mail: Message, whole: bytes) -> list[str]:
    """Put the files of a mail at its ticket, and return the names of those that could not be kept.

    :param whole: the mail itself, where its text is too long for a message.
    """
    files = [("mail.eml", whole)] if whole else []
    for part in mail.walk():
        payload = part.get_payload(decode=True) if _is_file(part) else None
        if isinstance(payload, bytes):
            files.append((mailbox.file_name(part) or "file", payload))
    left_out, service = [], file_service()
    for number, (name, content) in enumerate(files):
        try:
            if number >= MOST_FILES:
                raise NotFound(name)
            service.attach("tickets", ticket.id, name, io.BytesIO(content))
        except KehuError:
            left_out.append(text.clean(name)[:100])
    return left_out
