"""Joins messages to the record types and to time lines."""

from __future__ import annotations

from kehu.messages import lines, own, texts

MESSAGE_TEXTS = texts.MESSAGE_TEXTS
ASK_CONSENT = own.ASK_CONSENT
SOURCE = lines.SOURCE
