"""The pages under Settings: features register theirs, the tabs show those that a member may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from kehu.core.context import Actor
from kehu.web.render import wanted_target


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


def with_short_url(response: Response) -> Response:
    """Tell the browser the address of a filtered page without its empty filters."""
    if wanted_target() == "list":
        kept = urlencode([(key, value) for key, value in request.args.items() if value])
        response.headers["HX-Replace-Url"] = f"{request.path}?{kept}" if kept else request.path
    return response
