"""Cells of the list of terms that say more than their value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from kehu.core.i18n import _, _n
from kehu.items.queries import end_tone
from kehu.web import widgets
from kehu.web.records.display import NONE, Displayer

Writer = Callable[[Mapping[str, Any]], Markup]


def end_cell(displayer: Displayer) -> Writer:
    """Return the writer of the cells that say when a term ends."""
    times = displayer.times
    return lambda row: (
        end_html(row["effective_end"], times.today, displayer) if row["effective_end"] else NONE
    )


def end_html(end: dt.date, today: dt.date, displayer: Displayer) -> Markup:
    """Write a day, with how many days are left while it is near; red once it is over."""
    day = displayer.times.day(end)
    tone, left = end_tone(end, today), (end - today).days
    if not tone:
        return day
    icon, tip = ("alert-circle", _("Over")) if tone == "bad" else ("clock", days_left(left))
    return Markup('<span class="k-toned k-tone-{}" title="{}">{}{}</span>').format(
        tone, tip, widgets.icon(icon, 14), day
    )


def days_left(days: int) -> str:
    """Say how many days are left."""
    return _n("%(num)s day left", "%(num)s days left", days)
