"""The platform's own reports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from kehu.addons.calls import Call
from kehu.core.i18n import _, _l
from kehu.core.records.types import get as get_type
from kehu.deals.models import Pipeline
from kehu.reports.counting import counted, share, within
from plugins.reporting import FigureRow, Figures, Period, Report


def new_customers(ctx: Call, period: Period) -> Figures:
    """Count new customers by their type."""
    options = get_type("customers").by_key["type_class"].choices()
    made = within("created_at", period)
    wanted = [{"type_class": one.value, **made} for one in options]
    wanted += [{"type_class": one.value} for one in options]
    cells = counted(ctx.session, "customers", wanted)
    rows = tuple(
        FigureRow(label=one.label, cells=(cells[at], cells[at + len(options)]))
        for at, one in enumerate(options)
    )
    return Figures(columns=(_("New"), _("All")), rows=rows)


def closed_deals(ctx: Call, period: Period) -> Figures:
    """Count won and lost deals by pipeline."""
    statement = (
        select(Pipeline.id, Pipeline.name)
        .where(Pipeline.deleted_at.is_(None))
        .order_by(Pipeline.name, Pipeline.id)
        .limit(20)
    )
    pipelines = ctx.session.execute(statement).all()
    closed = within("closed_at", period)
    wanted: list[dict[str, str]] = [
        {"pipeline_id": str(one.id), "status": status, **closed}
        for one in pipelines
        for status in ("won", "lost")
    ]
    cells = counted(ctx.session, "deals", wanted)
    rows = []
    for at, one in enumerate(pipelines):
        won, lost = cells[2 * at : 2 * at + 2]
        rows.append(FigureRow(label=one.name, cells=(won, lost, share(won, _sum(won, lost)))))
    return Figures(
        columns=(_("Won"), _("Lost"), _("Share won")),
        rows=tuple(rows),
        note=_("Counted by the day on which a deal was closed."),
    )


def tickets(ctx: Call, period: Period) -> Figures:
    """Count tickets by their state: those that came in the period, and all."""
    options = get_type("tickets").by_key["status"].choices()
    came = within("created_at", period)
    cells = counted(
        ctx.session,
        "tickets",
        [{"status": one.value, **came} for one in options] + [{"status": one.value} for one in options],
    )
    rows = tuple(
        FigureRow(label=one.label, cells=(cells[at], cells[at + len(options)]))
        for at, one in enumerate(options)
    )
    return Figures(columns=(_("Came in the period"), _("All")), rows=rows)


def _sum(*cells: Any) -> int:
    return sum(int(one.value or 0) for one in cells)


REPORTS = (
    Report(
        name="new_customers",
        title=_l("New customers"),
        summary=_l("Who came in a period, by type, beside all there are."),
        run=new_customers,
        permission="customers:read",
        chart=True,
    ),
    Report(
        name="closed_deals",
        title=_l("Closed deals"),
        summary=_l("Won and lost by pipeline, with the share that was won."),
        run=closed_deals,
        permission="deals:read",
    ),
    Report(
        name="tickets",
        title=_l("Tickets"),
        summary=_l("What came in a period and where it stands, beside all there are."),
        run=tickets,
        permission="tickets:read",
        chart=True,
    ),
)
