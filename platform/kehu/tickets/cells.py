"""Cells of the list of tickets that say more than their value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from kehu.core import context
from kehu.core.i18n import _
from kehu.tickets.targets import target_html
from kehu.web import widgets
from kehu.web.records.display import Displayer

Writer = Callable[[Mapping[str, Any]], Markup]

_TAKE = Markup(
    '<button type="button" class="k-btn k-btn-ghost k-btn-s" data-row-key="a" '
    'hx-post="/tickets/{}/assign?list=1" hx-swap="none">{}{}</button>'
)


def target_cell(displayer: Displayer) -> Writer:
    """Return the writer of the cells that say how much time is left."""
    return lambda row: target_html(row.get("status"), row["due_at"], displayer.times)


def assignee_cell(displayer: Displayer) -> Writer:
    """Return the writer of the cells that say whose a ticket is; nobody's can be taken on the spot, by `A` too."""
    field = displayer.type.by_key["assignee_id"]
    label = _("Take it") if context.actor().may("tickets:write") else ""

    def write(row: Mapping[str, Any]) -> Markup:
        if row["assignee_id"] is not None or not label:
            return displayer.html(field, row["assignee_id"], title=row.get("assignee_id__title"))
        return _TAKE.format(row["id"], widgets.icon("user-plus", 14), label)

    return write
