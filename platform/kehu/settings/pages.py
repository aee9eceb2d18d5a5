"""The pages under Settings: features register theirs, the tabs show those that a member may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kehu.core.context import Actor


@dataclass(frozen=True, kw_only=True)
class SettingsPage:
    """One page of the settings.

    :param permission: who may open it.
    :param order: tabs are sorted by it.
    """

    key: str
    label: Any
    text: Any
    url: str
    icon: str
    permission: str
    order: int = 100


_pages: dict[str, SettingsPage] = {}


def register(*pages: SettingsPage) -> None:
    """Add pages; one of the same key is replaced."""
    _pages.update({page.key: page for page in pages})


def pages_for(actor: Actor) -> Sequence[SettingsPage]:
    """Return the pages that a member may open."""
    return sorted(
        (page for page in _pages.values() if actor.may(page.permission)), key=lambda page: page.order
    )
