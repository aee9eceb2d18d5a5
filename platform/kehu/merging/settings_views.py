"""The page of automatic merges under Settings: the rehearsal, and the switch below it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.i18n import _, _l
from kehu.core.records.types import registered
from kehu.merging import automatic
from kehu.merging.finding import OBJECTS, need_object
from kehu.merging.records import PAGE, MergeRuleService
from kehu.merging.showing import shared
from kehu.settings.forms import seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done_toast
from kehu.web.render import render_page

blueprint = Blueprint("merge_rules", __name__)

register(
    SettingsPage(
        key="merges",
        label=_l("Merges"),
        text=_l("Whether doubles that are certain are merged by themselves"),
        url=PAGE,
        icon="git-merge",
        permission="merge_rules:write",
        order=58,
    )
)


@blueprint.get(PAGE)
@needs("merge_rules:write")
def rules() -> Any:
    """Show for each kind whether it is merged by itself, and how many pairs that would be."""
    session = db.session()
    service = MergeRuleService(session)
    kinds = [
        (registered()[name], service.row(name), automatic.rehearse(session, name).count) for name in OBJECTS
    ]
    return render_page("merging/rules.html", {}, kinds=kinds)


@blueprint.get(f"{PAGE}/<name>")
@needs("merge_rules:write")
def rehearsal(name: str) -> Any:
    """Show which pairs would be merged."""
    session = db.session()
    found = automatic.rehearse(session, need_object(name))
    rule = MergeRuleService(session).row(name)
    return render_page("merging/rehearsal.html", {}, found=found, rule=rule, **shared(name))


@blueprint.post(f"{PAGE}/<name>")
@needs("merge_rules:write")
def switch(name: str) -> ResponseReturnValue:
    """Switch automatic merges of a kind on or off."""
    session = db.session()
    on = request.form.get("to") == "on"
    MergeRuleService(session).switch(need_object(name), on, version=seen_version())
    done_toast(session, _("Automatic merges are on") if on else _("Automatic merges are off"))
    return redirect(f"{PAGE}/{name}", 303)
