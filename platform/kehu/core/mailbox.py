"""Reading the headers of mails that others wrote."""

from __future__ import annotations

from email.message import Message

from kehu.core.text import clean


def header(mail: Message, name: str) -> str:
    """Return a header of a mail; one that can't be read counts as empty."""
    try:
        return clean(str(mail.get(name) or ""))[:998]
    except (ValueError, TypeError, AttributeError, IndexError):
        # The parser of structured headers stumbles over some that senders of rubbish write.
        return ""
