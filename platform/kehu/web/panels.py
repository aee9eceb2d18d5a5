"""Which panels of plugins stand in a place of a page for this reader: switched on, and open to him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app

from kehu.core import context, hooks
from kehu.core.i18n import _
from kehu.web.addresses import address_of
from kehu.web.widgets import known_icon


@dataclass(frozen=True, kw_only=True)
class SlotPanel:
    """A plugin's panel, fetched as a fragment of its own; `notice` stands in its place while the plugin is held."""

    key: str
    title: str
    url: str
    notice: str = ""


def slot_panels(slot: str, **arguments: Any) -> list[SlotPanel]:
    """Return the panels of a slot; `arguments` go into the query string of each fragment."""
    enabled, actor, held = hooks.enabled(), context.current().actor, hooks.held()
    if actor is None or not (enabled or held):
        return []
    query = {key: str(value) for key, value in arguments.items()}
    here = [pair for pair in hooks.host().declarations.panels if pair[1].slot == slot]
    mine = [pair for pair in here if pair[0] in enabled or pair[0] in held]
    return [
        SlotPanel(
            key=panel.endpoint.replace(".", "-"),
            title=str(panel.title),
            url=address_of(panel.endpoint, query),
            notice=_held_notice(slug) if slug in held else "",
        )
        for slug, panel in sorted(mine, key=lambda pair: (pair[1].order, pair[0]))
        if actor.may(panel.permission) and panel.endpoint in current_app.view_functions
    ]


def _held_notice(slug: str) -> str:
    record = hooks.host().installed.get(slug)
    return _(
        "%(plugin)s can't be shown just now; an admin sees why under Settings, Plugins.",
        plugin=record.name if record is not None else slug,
    )


@dataclass(frozen=True, kw_only=True)
class PluginAction:
    """A plugin's button on a record's page."""

    label: str
    url: str
    icon: str


def record_actions(object_name: str, record_id: Any) -> list[PluginAction]:
    """Return the buttons of plugins for a record that this reader may press."""
    enabled, actor = hooks.enabled(), context.current().actor
    if actor is None or not enabled:
        return []
    here = [pair for pair in hooks.host().declarations.actions if pair[0] in enabled]
    mine = [pair for pair in here if pair[1].object == object_name]
    return [
        PluginAction(
            label=str(action.label),
            url=address_of(action.endpoint, {"record_id": str(record_id)}),
            icon=known_icon(action.icon),
        )
        for _slug, action in sorted(mine, key=lambda pair: (pair[1].order, pair[0]))
        if actor.may(action.permission) and action.endpoint in current_app.view_functions
    ]
