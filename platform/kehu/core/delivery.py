"""Handing a mail to the server, with a reason for people when it does not take it."""

from __future__ import annotations

import datetime as dt
import smtplib
from email.message import EmailMessage

from kehu.core.errors import Unavailable
from kehu.core.i18n import _
from kehu.core.mail import transmit

WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (10, 60, 300, 1200, 3600, 4 * 3600))
"""How long after each attempt the next one follows; then a mail counts as not delivered."""


class NotSent(Exception):
    """Raised when a mail was not taken.

    :param lasting: the server refused it for good; trying again is of no use.
    """

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


def bad_address() -> NotSent:
    """Return the refusal of an address that no mail can have."""
    return NotSent(_("This address can't be written to."), lasting=True)


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
        raise bad_address() from error


def _answer(code: int, answer: bytes | str) -> str:
    said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return _("The mail server refused it: %(code)s %(answer)s", code=code, answer=said[:200])
