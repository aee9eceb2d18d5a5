"""Which reports a reader has, for which days, and what one says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from kehu.addons.calls import call
from kehu.core import clock, context, db, hooks
from kehu.core.context import Actor
from kehu.core.errors import KehuError, NotFound
from kehu.core.i18n import _
from kehu.reports.builtin import REPORTS
from plugins.relay import PluginError, PluginRests, WrongResultError
from plugins.reporting import Figures, Period, Report

LONGEST = dt.timedelta(days=3_660)

LONGEST_MS = 5_000
"""Milliseconds that a statement of a plugin's report may take."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A report of the list; `slug` and `plugin` are empty for the platform's own."""

    key: str
    report: Report
    slug: str = ""
    plugin: str = ""

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"/reports/{self.key}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a report said, or the sentence that stands in its place."""

    figures: Figures | None = None
    problem: str = ""


@dataclass(kw_only=True)
class Asked:
    """The period that an address asks for, with what was typed and what is wrong with it."""

    period: Period
    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def shown_to(actor: Actor) -> list[Shown]:
    """Return the reports that a member may see: the platform's own, then those of the plugins that are on."""
    found = [Shown(key=one.name, report=one) for one in REPORTS if actor.may(one.permission)]
    enabled, installed = hooks.enabled(), hooks.host().installed
    declared = sorted(hooks.host().declarations.reports, key=lambda pair: (pair[1].order, pair[0]))
    for slug, report in declared:
        if slug in enabled and actor.may(report.permission):
            record = installed.get(slug)
            name = record.name if record is not None else slug
            found.append(Shown(key=f"{slug}.{report.name}", report=report, slug=slug, plugin=name))
    return found


def find(actor: Actor, key: str) -> Shown:
    """Return one of them.

    :raises NotFound: when there is none of this name for the member.
    """
    for one in shown_to(actor):
        if one.key == key:
            return one
    raise NotFound(_("There is no such report, or you may not see it."))


def asked(args: Mapping[str, str]) -> Asked:
    """Read the period of an address: `from` and `to`; the last 30 days when nothing is said or it makes no sense."""
    today = clock.today(context.tenant().tz)
    usual = Period(first=today - dt.timedelta(days=29), last=today)
    typed = {key: args.get(key, "").strip() for key in ("from", "to")}
    days: dict[str, dt.date] = {}
    errors: dict[str, str] = {}
    for key, default in (("from", usual.first), ("to", usual.last)):
        try:
            days[key] = dt.date.fromisoformat(typed[key]) if typed[key] else default
        except ValueError:
            errors[key] = _("“%(value)s” is no date; write it as 2026-11-22.", value=typed[key][:40])
    if not errors and days["from"] > days["to"]:
        errors["to"] = _("The last day lies before the first one. Choose a later day.")
    elif not errors and days["to"] - days["from"] > LONGEST:
        errors["from"] = _("Ten years are the most at once. Choose a later day.")
    if errors:
        return Asked(period=usual, typed=typed, errors=errors)
    period = Period(first=days["from"], last=days["to"])
    return Asked(period=period, typed={"from": period.first.isoformat(), "to": period.last.isoformat()})


def run(shown: Shown, period: Period) -> Answer:
    """Return what a report says; a plugin's fault is contained, recorded and told."""
    if not shown.slug:
        return Answer(figures=shown.report.run(call(), period))
    relay, tenant = hooks.host().relay, context.tenant()
    db.hurry(LONGEST_MS)
    try:
        figures = relay.run_page(
            f"report {shown.report.name}",
            shown.slug,
            shown.report.run,
            lambda: _checked(shown, period),
            tenant=tenant.id,
            passing=(KehuError,),
        )
    except PluginRests:
        return Answer(
            problem=_("%(plugin)s failed here several times and rests for a moment.", plugin=shown.plugin)
        )
    except PluginError:
        return Answer(
            problem=_(
                "%(plugin)s failed here. Nothing was changed, and the fault was recorded.",
                plugin=shown.plugin,
            )
        )
    return Answer(figures=figures)


def _checked(shown: Shown, period: Period) -> Any:
    session = db.session()
    with session.begin_nested():
        # For this savepoint only: PostgreSQL puts the mode back at its end.
        session.execute(text("SET TRANSACTION READ ONLY"))
        figures = shown.report.run(call(shown.slug), period)
        session.flush()  # What it changed in memory must fail here, not later in the name of another.
    if not isinstance(figures, Figures):
        raise WrongResultError(
            f"The report {shown.report.name!r} returned {type(figures).__name__} where Figures are expected."
        )
    return figures
