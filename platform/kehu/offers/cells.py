"""Cells of the work list: why an offer is there, its day, and what can be done with one tap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from babel.dates import format_date
from markupsafe import Markup, escape

from kehu.core import context
from kehu.core.i18n import _, _n
from kehu.items.cells import end_html
from kehu.web import widgets
from kehu.web.records.display import Displayer

Writer = Callable[[Mapping[str, Any]], Markup]
NEEDED = (
    "rule_id",
    "customer_id",
    "due_on",
    "state",
    "reason",
    "rung",
    "contacts",
    "contacted_on",
    "next_on",
    "held_out",
    "basis",
)
"""Values of a row that the cells read."""


def day_cell(displayer: Displayer) -> Writer:
    """Return the writer of the day, with how many days are left."""
    return lambda row: end_html(row["due_on"], displayer.times.today, displayer)


def why_cell(displayer: Displayer) -> Writer:
    """Return the writer of the sentences that say why an offer is there."""
    today, locale = displayer.times.today, displayer.times.locale
    return lambda row: escape(why(row, str(row["rule_id__title"] or ""), today, locale))


def why(row: Mapping[str, Any], rule: str, today: Any, locale: str) -> str:
    """Say why an offer is there and what was done."""
    left = (row["due_on"] - today).days
    if left > 0:
        parts = [_n("%(rule)s in %(num)s day.", "%(rule)s in %(num)s days.", left, rule=rule)]
    elif left == 0:
        parts = [_("%(rule)s: today.", rule=rule)]
    else:
        parts = [_n("%(rule)s, %(num)s day ago.", "%(rule)s, %(num)s days ago.", -left, rule=rule)]
    if row["basis"]:
        parts.append(str(row["basis"]))
    if row["contacted_on"]:
        day = format_date(row["contacted_on"], format="medium", locale=locale)
        parts.append(
            _n(
                "Contacted once, on %(day)s.",
                "Contacted %(num)s times, last on %(day)s.",
                row["contacts"],
                day=day,
            )
        )
    if row["held_out"]:
        parts.append(_("Hold-out group: nobody contacts this customer."))
    return " ".join(parts)


def state_cell(displayer: Displayer) -> Writer:
    """Return the writer of the state with its reason, and of the buttons that close an offer."""
    spec, reasons = displayer.type.by_key["state"], displayer.type.by_key["reason"]
    may_write = context.actor().may("offers:write")
    may_deal = may_write and context.actor().may("deals:write")

    def write(row: Mapping[str, Any]) -> Markup:
        told = displayer.choice(spec, row["state"])
        if row["reason"]:
            told += Markup(" ") + displayer.choice(reasons, row["reason"])
        if row["state"] not in ("open", "contacted") or not may_write:
            return told
        return Markup('<span class="k-row k-row-wrap">{}{}</span>').format(told, _buttons(row, may_deal))

    return write


def _buttons(row: Mapping[str, Any], may_deal: bool) -> Markup:
    base, found = f"/offers/{row['id']}", Markup("")
    if may_deal:
        found += _button(f"{base}/accept", _("Make a deal"), "briefcase", primary=True)
    if not row["held_out"]:
        found += _button(f"{base}/contacted", _("Reached"), "phone")
    return found + _button(f"{base}/decline", _("Declined"), "thumb-down")


def _button(url: str, label: str, icon: str, *, primary: bool = False) -> Markup:
    if primary:
        return Markup(
            '<button type="button" class="k-btn k-btn-s" hx-post="{}" hx-swap="none" aria-label="{}">{}'
            '<span class="k-wide">{}</span></button>'
        ).format(url, label, widgets.icon(icon, 16), label)
    return Markup(
        '<button type="button" class="k-btn k-btn-ghost k-btn-icon k-btn-s" hx-post="{}" hx-swap="none" '
        'aria-label="{}" title="{}">{}</button>'
    ).format(url, label, label, widgets.icon(icon, 16))
