"""Identifiers: UUID version 7, made here and never by the database."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import uuid_utils

_HEX = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


def new_id() -> uuid.UUID:
    """Return a new time-ordered identifier (UUIDv7, RFC 9562)."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def first_id_of(moment: dt.datetime) -> uuid.UUID:
    """Return the smallest identifier that is made at a moment; identifiers are ordered by time."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def parse_id(text: object) -> uuid.UUID | None:
    """Return the identifier written in a text, or None when it is none."""
    if isinstance(text, uuid.UUID):
        return text
    if isinstance(text, str) and _HEX.fullmatch(text):
        return uuid.UUID(text)
    return None
