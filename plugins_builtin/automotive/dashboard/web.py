"""The dealer's numbers: a page, and a card on the dashboard of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kehu.api import PluginBlueprint, actor, needs, render_page, session
from plugins_builtin.automotive.dashboard.numbers import Number
from plugins_builtin.automotive.parts import parts

READ = "automotive.dashboard:read"
blueprint = PluginBlueprint("automotive_dashboard", __name__, template_folder="../templates")


def groups() -> list[tuple[Any, Sequence[Number]]]:
    """Return the numbers of all subjects that the reader has the right to see."""
    shown = sorted((one for part in parts() for one in part.numbers), key=lambda one: one.order)
    found = [(one.title, one.count(session())) for one in shown if actor().may(one.permission)]
    return [(title, numbers) for title, numbers in found if numbers]


@blueprint.get("/dashboard")
@needs(READ)
def show() -> Any:
    """Show all numbers."""
    return render_page("automotive/dashboard/show.html", groups=groups())


@blueprint.get("/dashboard/panel")
@needs(READ)
def panel() -> Any:
    """Show the numbers that are not nothing."""
    found = [(title, [one for one in numbers if one.count]) for title, numbers in groups()]
    return render_page("automotive/dashboard/panel.html", groups=[pair for pair in found if pair[1]])
