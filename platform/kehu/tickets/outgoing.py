"""A reply as a mail."""

from __future__ import annotations

from collections.abc import Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from kehu.core.delivery import bad_address
from kehu.core.i18n import _
from kehu.tickets.models import Queue, Ticket, TicketMessage

LONGEST_SUBJECT = 200


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
        raise bad_address() from error
