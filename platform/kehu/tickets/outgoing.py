"""A reply as a mail, and the way it takes to the mail server."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from kehu.core.errors import Unavailable
from kehu.core.i18n import _
from kehu.core.mail import transmit
from kehu.tickets.models import Queue, Ticket, TicketMessage

LONGEST_SUBJECT = 200


class NotSent(Exception):
    """Raised when a mail was not taken.

    :param lasting: the server refused it for good; trying again is of no use.
    """

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


def compose(
    ticket: Ticket,
    message: TicketMessage,
    queue: Queue | None,
    sender: str,
    firm: str,
    *,
    before: Sequence[str] = (),
) -> EmailMessage:
    """Return a reply as a mail.

    :param sender: the installation's own sender, used when the queue has no address.
    :param firm: the tenant's name, shown as the sender's.
    :param before: message ids of the replies before it, by which mail programs keep a conversation together.
    :raises NotSent: for an address that no mail can have.
    """
    try:
        mail = EmailMessage(policy=SMTP)
        address = queue.email if queue is not None and queue.email else parseaddr(sender)[1]
        name = (
            _("%(member)s at %(firm)s", member=message.author_name, firm=firm)
            if message.author_name
            else firm
        )
        mail["From"] = Address(display_name=name, addr_spec=address)
        mail["To"] = ticket.requester_email or ""
        mail["Subject"] = f"{ticket.subject[:LONGEST_SUBJECT]} [#{ticket.number}]"
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.message_id}>"
        if before:
            mail["In-Reply-To"] = f"<{before[-1]}>"
            mail["References"] = " ".join(f"<{one}>" for one in before)
        mail["X-Kehu-Ticket"] = str(ticket.number)
        mail.set_content(message.body)
        return mail
    except (MessageError, UnicodeError, ValueError) as error:
        raise NotSent(_("This address can't be written to."), lasting=True) from error


def send(mail: EmailMessage) -> None:
    """Hand a mail to the installation's server.

    :raises NotSent: with a reason for people.
    """
    try:
        transmit(mail)
    except Unavailable as error:
        raise NotSent(_("No mail server is set up for this installation."), lasting=True) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise NotSent(_answer(code, answer), lasting=code >= 500) from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(_answer(error.smtp_code, error.smtp_error), lasting=error.smtp_code >= 550) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(_("The mail server does not answer."), lasting=False) from error
    except (UnicodeError, ValueError) as error:
        raise NotSent(_("This address can't be written to."), lasting=True) from error


def _answer(code: int, answer: bytes | str) -> str:
    said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return _("The mail server refused it: %(code)s %(answer)s", code=code, answer=said[:200])
