"""What a time line can be narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kehu.core.i18n import _l


@dataclass(frozen=True, kw_only=True)
class LineKind:
    """One tab of the time line.

    :param activities: kinds of activities that belong to it.
    :param trail: record types whose trail belongs to it; None for all but activities.
    :param permission: without it the tab is not offered.
    """

    key: str
    label: Any
    activities: tuple[str, ...] = ()
    messages: bool = False
    files: bool = False
    trail: tuple[str, ...] | None = ()
    permission: str = "activities:read"


EVERYTHING = ("call", "mail", "visit", "meeting", "task", "note")

LINE_KINDS: dict[str, LineKind] = {
    one.key: one
    for one in (
        LineKind(
            key="",
            label=_l("All"),
            activities=EVERYTHING,
            messages=True,
            files=True,
            trail=None,
            permission="",
        ),
        LineKind(key="note", label=_l("Notes"), activities=("note",)),
        LineKind(key="call", label=_l("Calls"), activities=("call",)),
        LineKind(key="mail", label=_l("E-mail"), activities=("mail",)),
        LineKind(key="meeting", label=_l("Meetings"), activities=("meeting", "visit")),
        LineKind(key="task", label=_l("Tasks"), activities=("task",)),
        LineKind(key="deals", label=_l("Deals"), trail=("deals",), permission="deals:read"),
        LineKind(
            key="tickets", label=_l("Tickets"), messages=True, trail=("tickets",), permission="tickets:read"
        ),
        LineKind(
            key="changes",
            label=_l("Changes"),
            trail=(
                "customers",
                "contacts",
                "owned_items",
                "owned_item_terms",
                "household_members",
                "relations",
            ),
            permission="customers:read",
        ),
    )
}
"""Key in the URL (`?line=call`) -> what it shows."""


def line_kind(key: str | None) -> LineKind:
    """Return a tab by its key; anything unknown is everything."""
    return LINE_KINDS.get(key or "", LINE_KINDS[""])
