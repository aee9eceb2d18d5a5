"""A message as a mail: text and HTML, with the way to stop such mails."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr

from flask import current_app
from flask_babel import get_locale
from markupsafe import Markup, escape

from kehu.consent.rules import Rules
from kehu.core import clock
from kehu.core.delivery import bad_address
from kehu.core.i18n import html_lang

_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")


class _Whole(UnstructuredHeader, BaseHeader):
    """A header of one long address: folded or encoded, mail programs could not read it (RFC 8058)."""

    def fold(self, *, policy: Policy) -> str:
        """Return the header on one line, up to the 998 characters of RFC 5322."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Whole)
POLICY = SMTP.clone(header_factory=_HEADERS)


def compose(
    *,
    to: str,
    subject: str,
    body: str,
    message_id: str,
    firm: str,
    rules: Rules,
    stop_url: str = "",
) -> EmailMessage:
    """Return a message as a mail.

    :param stop_url: where the recipient ends such mails; also for the mail program's own button (RFC 8058).
    :raises NotSent: for an address that no mail can have.
    """
    settings = current_app.extensions["kehu.settings"]
    values = {
        "lang": html_lang(str(get_locale() or "en")),
        "body": body,
        "paragraphs": [_linked(part) for part in re.split(r"\n\s*\n", body.strip())],
        "firm": firm,
        "imprint": rules.imprint or "",
        "stop_url": stop_url,
    }
    environment = current_app.jinja_env
    try:
        mail = EmailMessage(policy=POLICY)
        name, sender = rules.sender_name or firm, parseaddr(settings.mail_from)[1]
        mail["From"] = Address(display_name=name, addr_spec=sender)
        mail["To"] = to
        if rules.reply_to:
            mail["Reply-To"] = rules.reply_to
        # A name that somebody typed must not start another header.
        mail["Subject"] = " ".join(subject.split())
        mail["Date"] = format_datetime(clock.now())
        mail["Message-ID"] = f"<{message_id}>"
        mail["Auto-Submitted"] = "auto-generated"
        if stop_url:
            mail["List-Unsubscribe"] = f"<{stop_url}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(environment.get_template("messages/mail.txt").render(values).strip() + "\n")
        mail.add_alternative(environment.get_template("messages/mail.html").render(values), subtype="html")
    except (MessageError, UnicodeError, ValueError) as error:
        raise bad_address() from error
    return mail


def _linked(text: str) -> Markup:
    """Return a paragraph with its lines kept and its addresses as links."""
    parts, end = [], 0
    for match in _URL.finditer(text):
        parts += [escape(text[end : match.start()]), Markup('<a href="{0}">{0}</a>').format(match[0])]
        end = match.end()
    parts.append(escape(text[end:]))
    return Markup("<br>").join(Markup("").join(parts).split("\n"))
