"""What the lines of a comment say about being written to or called: `Opt-in: yes`, `SMS consent: no`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kehu.api import Forbidden, NotFound, Session, clock, fold, record_consent
from plugins_builtin.automotive.leads.models import Lead

CHANNELS = {
    "mail": ("mail", "newsletter"),
    "phone": ("phone", "call", "voice"),
    "sms": ("sms", "text"),
    "post": ("post", "letter"),
}
"""Channel -> parts of words that name it."""
_IN = re.compile(r"opt in|optin|consent|permission|newsletter|marketing|may contact")
_OUT = re.compile(r"opt out|optout|unsubscribe|do not|don t|no marketing")
_YES = frozenset({"yes", "y", "true", "1", "on", "given", "granted", "ja", "oui", "да", "是"})
_NO = frozenset({"no", "n", "false", "0", "off", "none", "denied", "refused", "nein", "non", "нет", "否"})


def said(facts: Mapping[str, str]) -> dict[str, tuple[bool, str]]:
    """Return by channel whether a person agrees to advertising, and the line that says so.

    A yes without a channel holds for mail alone, since consent must be told apart; a no without one for all.
    A no outweighs a yes.
    """
    found: dict[str, tuple[bool, str]] = {}
    for key, value in facts.items():
        agrees = _agrees(key, value)
        if agrees is None:
            continue
        words = fold(key)
        named = [one for one, parts in CHANNELS.items() if any(part in words for part in parts)]
        for channel in named or (("mail",) if agrees else tuple(CHANNELS)):
            if channel not in found or not agrees:
                found[channel] = (agrees, f"{key}: {value}")
    return found


def _agrees(key: str, value: str) -> bool | None:
    words, answer = re.sub(r"[^\w]+", " ", fold(key)), fold(value).strip(" .!")
    out = _OUT.search(words) is not None
    if not out and _IN.search(words) is None:
        return None
    if answer in _YES:
        return not out
    # Who does not object has not agreed.
    return False if answer in _NO and not out else None


def record(session: Session, lead: Lead) -> None:
    """Keep what a lead says of consent, with the line as its proof."""
    words = said(lead.facts)
    person: tuple[str, Any] = ("contacts", lead.contact_id)
    if lead.contact_id is None:
        person = ("customers", lead.customer_id)
    if not words or person[1] is None:
        return
    at = min(lead.requested_at or lead.received_at, clock.now())
    proof = f"{lead.source} {lead.provider_lead_id}".strip()
    try:
        for channel, (agrees, line) in words.items():
            record_consent(
                session,
                *person,
                channel,
                "marketing",
                agrees=agrees,
                said_at=at,
                source_text=line,
                proof=proof,
            )
    except (Forbidden, NotFound):
        return  # Who takes the lead in may not write about this person.
