"""Pages of reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from babel.numbers import format_decimal, format_percent
from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask_babel import get_locale

from kehu.core import audit, context, db
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.money import from_minor
from kehu.imports.csv_out import csv_blocks
from kehu.reports import services
from kehu.web.access import signed_in
from kehu.web.charts import Chart, Series
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of
from kehu.web.widgets import money
from plugins.reporting import Cell, Figures

blueprint = Blueprint("reports", __name__)

MOST_BARS = 24


@blueprint.get("/reports")
@signed_in
def index() -> Any:
    """Show the reports that the reader may see."""
    return render_page("reports/index.html", reports=services.shown_to(context.actor()))


@blueprint.get("/reports/<key>")
@signed_in
def show(key: str) -> Any:
    """Show what a report says of a period."""
    shown = services.find(context.actor(), key)
    wish = services.asked(request.args)
    answer = services.run(shown, wish.period)
    return render_page(
        "reports/show.html",
        status=422 if wish.errors else 200,
        shown=shown,
        wish=wish,
        answer=answer,
        chart=chart_of(shown, answer.figures) if shown.report.chart and answer.figures else None,
        text=cell_text,
        file=f"{shown.url}.csv?from={wish.period.first}&to={wish.period.last}",
    )


@blueprint.get("/reports/<key>.csv")
@signed_in
def download(key: str) -> Any:
    """Answer a report as a file."""
    shown = services.find(context.actor(), key)
    wish = services.asked(request.args)
    answer = services.run(shown, wish.period)
    if answer.figures is None:
        return Response(answer.problem, 503, mimetype="text/plain")
    title = str(shown.report.title)
    audit.write(db.session(), object="reports", record_id=new_id(), action="exported", title=title)
    figures = answer.figures
    rows = [[str(row.label), *(plain(cell) for cell in row.cells)] for row in figures.rows]
    response = Response(
        csv_blocks([title, *(str(one) for one in figures.columns)], rows), mimetype="text/csv"
    )
    name = f"{key}-{wish.period.first}-{wish.period.last}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def cell_text(cell: Cell) -> Any:
    """Return a figure as its reader writes numbers."""
    if cell.value is None:
        return "–"
    locale = str(get_locale() or "en")
    if cell.kind == "percent":
        return format_percent(cell.value, locale=locale, format="#,##0 %" if locale == "ru" else None)
    if cell.kind == "money":
        return money(int(cell.value), cell.currency)
    return format_decimal(cell.value, locale=locale)


def plain(cell: Cell) -> str:
    """Return a figure for a file: a number that every program reads."""
    if cell.value is None:
        return ""
    return str(from_minor(int(cell.value), cell.currency)) if cell.kind == "money" else str(cell.value)


def chart_of(shown: services.Shown, figures: Figures) -> Chart | None:
    """Return the first column as bars, when there is something to compare."""
    rows = figures.rows[:MOST_BARS]
    if len(rows) < 2 or not any(row.cells and row.cells[0].value for row in rows):
        return None
    return Chart(
        title=str(figures.columns[0]),
        labels=[str(row.label) for row in rows],
        series=[Series(str(figures.columns[0]), [row.cells[0].value for row in rows])],
        kind="bar",
        whole=rows[0].cells[0].kind == "count",
    )


def _nav(now: context.Context) -> Iterable[NavItem]:
    if now.actor is not None and services.shown_to(now.actor):
        yield NavItem("reports", _("Reports"), "/reports", "chart-bar", hotkey="g r")


def _join_frame(state: BlueprintSetupState) -> None:
    shell_of(state.app).nav.append(_nav)  # type: ignore[arg-type]


blueprint.record_once(_join_frame)
