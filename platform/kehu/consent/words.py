"""The words of consent: channels, purposes, states, and how a consent came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kehu.core.i18n import _l

CHANNELS: dict[str, Any] = {
    "mail": _l("E-mail"),
    "phone": _l("Phone"),
    "sms": _l("SMS"),
    "post": _l("Post"),
}

BY: dict[str, Any] = {
    "mail": _l("by e-mail"),
    "phone": _l("by phone"),
    "sms": _l("by SMS"),
    "post": _l("by post"),
}
"""Channels as they stand in sentences."""


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """Why a message is sent.

    :param asked: whether nobody gets it who has not said yes; else it goes until somebody says no.
    :param free: an answer to what the person asked for: no consent, quiet hours or frequency hold it back.
    :param courted: goes by the channel and in the hours that the person prefers, or not at all.
    """

    key: str
    label: Any
    asked: bool = False
    free: bool = False
    courted: bool = False


PURPOSES: dict[str, Purpose] = {
    one.key: one
    for one in (
        Purpose(key="transactional", label=_l("Answers and confirmations"), free=True),
        Purpose(key="service", label=_l("Service news")),
        Purpose(key="marketing", label=_l("Advertising"), asked=True, courted=True),
        Purpose(key="survey", label=_l("Surveys"), courted=True),
    )
}

CONSENTED = tuple(one.key for one in PURPOSES.values() if not one.free)
"""Purposes to which a person can say yes or no."""

STATES: dict[str, Any] = {
    "given": _l("Given"),
    "withdrawn": _l("Withdrawn"),
    "cleared": _l("Not known"),
}
"""`cleared` takes back what was recorded by mistake; the record of it stays."""

HOWS: dict[str, Any] = {
    "form": _l("Paper form"),
    "web": _l("Web form"),
    "phone": _l("On the phone"),
    "person": _l("In person"),
    "mail": _l("By mail"),
    "link": _l("By the link in a message"),
    "one_click": _l("By the mail program"),
    "member": _l("Set on the record"),
    "import": _l("Import"),
    "api": _l("Another program"),
    "undo": _l("Taken back"),
    "merge": _l("From a merged record"),
}

CHOOSABLE = ("form", "web", "phone", "person", "mail")
"""What a member can say about how a consent came about; the rest is known to the product."""
