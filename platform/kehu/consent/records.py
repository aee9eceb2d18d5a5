"""Joins consents to the trail: how they are told on time lines, and undone."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from kehu.consent import rules
from kehu.consent.services import ACTIONS, ConsentService
from kehu.consent.words import CHANNELS, HOWS, PURPOSES, STATES
from kehu.core.audit import AuditEntry
from kehu.core.i18n import _
from kehu.core.records import undo
from kehu.timeline import entries

SEND_RULES = rules.SEND_RULES


def describe(said: dict[str, str]) -> str:
    """Return a word of the trail as people read it."""
    return _(
        "%(purpose)s, %(channel)s: %(state)s (%(how)s)",
        purpose=PURPOSES[said["purpose"]].label,
        channel=CHANNELS[said["channel"]],
        state=STATES[said["state"]],
        how=HOWS[said["how"]],
    )


def _told(row: Any, what: Any) -> Markup:
    said = (row.more or {}).get("consent", [None, None])[1]
    return entries.say(
        _("%(who)s noted the consent of %(what)s: %(said)s"), who=row.who, what=what, said=describe(said)
    )


def _undo(session: Session, entry: AuditEntry) -> None:
    ConsentService(session).undo(entry)


for _action in ACTIONS:
    entries.register_action(_action, _told)
    undo.register_action(_action, _undo)
