"""Leads that come as mail: the parts that may hold ADF, out of a message as mail servers hand it over (RFC 5322)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from kehu.api import mail_file_name, parse_mail, read_mail
from plugins_builtin.automotive.leads import adf
from plugins_builtin.automotive.leads.adf import Prospect, Unreadable

_HEADER = re.compile(
    rb"(?:from |return-path:|received:|delivered-to:|x-[\w-]+:|from:|to:|date:|subject:|message-id:|mime-version:)",
    re.IGNORECASE,
)
_ORDER = (
    "application/x-adf+xml",
    "application/adf+xml",
    "application/xml",
    "text/xml",
    "text/plain",
    "text/html",
)
_RANK = {"too_large": 3, "too_many": 3, "no_prospect": 2, "unreadable": 2, "not_adf": 1}


def is_mail(raw: bytes, mimetype: str) -> bool:
    """Tell whether what was posted is a mail and not a bare document."""
    return mimetype == "message/rfc822" or _HEADER.match(raw.lstrip()) is not None


def headers(raw: bytes) -> tuple[str, str]:
    """Return the message id and the sender's address of a mail."""
    mail = read_mail("", raw)
    return mail.message_id.strip(), mail.sender


def read(raw: bytes) -> list[Prospect]:
    """Read the prospects of a mail: of its ADF attachment before its text, of its text before its page.

    :raises Unreadable: with what came nearest to a lead.
    """
    worst = Unreadable("not_adf")
    for body, charset in _parts(parse_mail(raw)):
        try:
            return adf.read(body, charset)
        except Unreadable as error:
            if _RANK.get(error.code, 0) > _RANK.get(worst.code, 0):
                worst = error
    raise worst


def _parts(mail: Message) -> Iterator[tuple[bytes, str]]:
    found: list[tuple[int, bytes, str]] = []
    for part in mail.walk():
        kind, name = part.get_content_type(), mail_file_name(part).lower()
        rank = _ORDER.index(kind) if kind in _ORDER else 0 if name.endswith((".xml", ".adf")) else -1
        if part.is_multipart() or rank < 0:
            continue
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            found.append((rank, body, str(part.get_content_charset() or "")))
    for _rank, body, charset in sorted(found, key=lambda one: one[0]):
        yield body, charset
