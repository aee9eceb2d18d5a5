"""What plugins add to the frame of a page: lines of the side bar."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from kehu.core import context, hooks
from kehu.core.i18n import _
from kehu.web.addresses import address_of
from kehu.web.shell import NavItem, shell_of
from kehu.web.widgets import known_icon


def init_frame(app: Flask) -> None:
    """Let the plugins' lines follow those of the platform."""
    shell_of(app).nav.append(_lines)
    shell_of(app).operator.append(_operator)


def _lines(now: context.Context) -> Iterable[NavItem]:
    enabled = hooks.enabled()
    if now.actor is None or not enabled:
        return
    mine = [pair for pair in hooks.host().declarations.navigation if pair[0] in enabled]
    for _slug, item in sorted(mine, key=lambda pair: (pair[1].order, pair[0])):
        if now.actor.may(item.permission):
            yield NavItem(
                key=item.endpoint,
                label=str(item.label),
                url=address_of(item.endpoint),
                icon=known_icon(item.icon),
                group="plugins",
            )


def _operator() -> Iterable[NavItem]:
    yield NavItem(key="plugins", label=_("Plugins"), url="/operator/plugins", icon="plug")
