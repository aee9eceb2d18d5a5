"""Reading mails that others wrote: nothing that a sender makes up raises."""

from __future__ import annotations

from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr
from typing import Any

from kehu.core.text import clean


def parse_mail(raw: bytes) -> Message:
    """Return a mail; one with parts within parts past all bounds as its headers and nothing else.

    By the plain policy: the one that takes headers apart stumbles over some that senders of rubbish write.
    """
    try:
        found = message_from_bytes(raw, policy=compat32)
        for _part in found.walk():
            pass
    except RecursionError:
        return headers_of(raw)
    return found


def headers_of(raw: bytes) -> Message:
    """Return a mail of which only the headers are read."""
    return BytesHeaderParser(policy=compat32).parsebytes(raw)


def header(mail: Message, name: str) -> str:
    """Return a header of a mail with its encoded words as text; empty when there is none."""
    return _decoded(mail.get(name))[:998]


def sender(mail: Message) -> tuple[str, str]:
    """Return name and address in the From header; encoded words are a name, whatever they look like."""
    name, address = parseaddr(str(mail.get("From") or ""))
    return _decoded(name)[:998], clean(address)[:254]


def _decoded(written: Any) -> str:
    try:
        return clean(str(make_header(decode_header(written or ""))))
    except (HeaderParseError, LookupError, ValueError):
        return clean(str(written))


def file_name(part: Message) -> str:
    """Return the name of a file in a mail; empty for none, and for one in a code that there is not."""
    try:
        return _decoded(part.get_filename() or "")
    except (LookupError, ValueError):
        return ""


def text_of(part: Message) -> str:
    """Return the text of a part; what its code can't read is replaced."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    for code in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return payload.decode(code, errors="replace")
        except (LookupError, ValueError):
            continue  # Not only LookupError: some of Python's codecs raise whatever they are told.
    return ""
