"""Stable names of the places where a plugin may put a panel, with the arguments each place hands to it.

Names and arguments are part of the plugin API: they are added to, never renamed. A slot stands here only when
a page draws it.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

SLOTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "customer.side": ("customer_id",),
        "customer.tabs": ("customer_id",),
        "deal.side": ("deal_id",),
        "owned_item.side": ("owned_item_id",),
        "owned_item.tabs": ("owned_item_id",),
        "ticket.side": ("ticket_id",),
        "dashboard.main": (),
    }
)
"""Slot name to the names of the arguments in the query string of the panel's fragment."""


def check_slot(name: str) -> None:
    """Check that a slot exists.

    :raises ValueError: with the nearest known name.
    """
    if name in SLOTS:
        return
    near = get_close_matches(name, SLOTS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Use one of: {', '.join(SLOTS)}."
    raise ValueError(f"There is no slot {name!r}. {hint}")
