"""How a ticket stands against its target, in a word and a colour."""

from __future__ import annotations

import datetime as dt
from typing import Any

from markupsafe import Markup

from kehu.core.i18n import _
from kehu.tickets.records import DONE, TARGET_RULE
from kehu.web import widgets
from kehu.web.records.display import NONE
from kehu.web.records.times import Clockwork

SOON = dt.timedelta(hours=2)


def target_state(status: str | None, due_at: dt.datetime | None, now: dt.datetime) -> str:
    """Return done, overdue, soon or ok."""
    if status in DONE:
        return "done"
    if due_at is None:
        return "ok"
    if due_at <= now:
        return "overdue"
    return "soon" if due_at - now <= SOON else "ok"


def target_html(status: str | None, due_at: dt.datetime | None, times: Clockwork) -> Markup:
    """Write the target of a ticket; the rule stands in the tip."""
    if due_at is None:
        return NONE
    state = target_state(status, due_at, times.now)
    moment = times.moment(due_at)
    if state == "done":
        return Markup('<span class="k-quiet">{}</span>').format(_("Done"))
    if state == "ok":
        return moment
    word, tone, icon = {
        "overdue": (_("Overdue"), "bad", "alert-circle"),
        "soon": (_("Soon"), "warn", "clock"),
    }[state]
    return Markup('<span class="k-toned k-tone-{}" title="{}">{}{}, {}</span>').format(
        tone, TARGET_RULE, widgets.icon(icon, 14), word, moment
    )


def target_of(ticket: Any) -> Markup:
    """Write the target of a loaded ticket."""
    return target_html(ticket.status, ticket.due_at, Clockwork())
