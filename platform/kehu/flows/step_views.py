"""The actions of one workflow: added, changed, moved, taken away; each is a new version of the workflow."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.errors import KehuError, NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.flows import queries
from kehu.flows.models import Flow
from kehu.flows.services import FlowService
from kehu.flows.steps import ACTS, LABELS, Act
from kehu.flows.views import blueprint, drawn_from
from kehu.settings.forms import form_page, seen_version
from kehu.web.access import needs
from kehu.web.records import forms
from kehu.web.records.answers import done, done_toast
from kehu.web.records.members import member_options
from kehu.web.records.titles import target_of, titles

LISTS = frozenset({"emails", "phones", "addresses", "choices", "options", "steps", "hours"})
"""Kinds of fields that an action can't set: they hold more than one value."""


def settable(kind: RecordType) -> list[Field]:
    """Return the fields that an action can set."""
    return [one for one in kind.editable.values() if one.kind not in LISTS]


@blueprint.route("/settings/workflows/<uuid:flow_id>/steps/new", methods=["GET", "POST"])
@needs("flows:write")
def add_step(flow_id: uuid.UUID) -> ResponseReturnValue:
    """Add an action at the end."""
    flow = FlowService(db.session()).get(flow_id)
    act = _act(request.values.get("do", ""))
    return _edited(flow, len(flow.steps), act, {})


@blueprint.route("/settings/workflows/<uuid:flow_id>/steps/<at>", methods=["GET", "POST"])
@needs("flows:write")
def edit_step(flow_id: uuid.UUID, at: str) -> ResponseReturnValue:
    """Change an action."""
    flow = FlowService(db.session()).get(flow_id)
    place = _place(flow, at)
    step = flow.steps[place]
    return _edited(flow, place, _act(step["do"]), step)


@blueprint.post("/settings/workflows/<uuid:flow_id>/steps/<at>/drop")
@needs("flows:write")
def drop_step(flow_id: uuid.UUID, at: str) -> ResponseReturnValue:
    """Take an action away."""
    service = FlowService(db.session())
    flow = service.get(flow_id)
    place = _place(flow, at)
    steps = [*flow.steps[:place], *flow.steps[place + 1 :]]
    service.update(flow_id, {"steps": steps}, version=seen_version())
    done_toast(db.session(), _("Took an action away"))
    return done("kehu:refresh")


@blueprint.post("/settings/workflows/<uuid:flow_id>/steps/<at>/shift")
@needs("flows:write")
def shift_step(flow_id: uuid.UUID, at: str) -> ResponseReturnValue:
    """Do an action before the one that stands before it."""
    service = FlowService(db.session())
    flow = service.get(flow_id)
    place = _place(flow, at)
    if place:
        steps = list(flow.steps)
        steps[place - 1], steps[place] = steps[place], steps[place - 1]
        service.update(flow_id, {"steps": steps}, version=seen_version())
    return done("kehu:refresh")


def _act(key: str) -> Act:
    if key not in ACTS:
        raise NotFound(_("There is no such action."))
    return ACTS[key]


def _place(flow: Flow, at: str) -> int:
    """Return the place of an action that an address names."""
    if not (at.isascii() and at.isdigit() and len(at) < 4 and int(at) < len(flow.steps)):
        raise NotFound(_("There is no such action."))
    return int(at)


def _edited(flow: Flow, at: int, act: Act, step: dict[str, Any]) -> ResponseReturnValue:
    session = db.session()
    if request.method == "GET":
        typed = {name: request.args[name] for name in act.values if name in request.args}
        return _form(flow, act, typed or step, version=drawn_from() or flow.version)
    typed = {name: request.form.get(name, "") for name in act.values}
    version, steps = flow.version, list(flow.steps)
    steps[at : at + 1] = [{"do": act.key, **typed}]
    try:
        FlowService(session).update(flow.id, {"steps": steps}, version=seen_version())
    except KehuError as error:
        session.rollback()
        return _form(flow, act, typed, error, version=version)
    done_toast(session, _("Changed the workflow “%(name)s”", name=flow.name))
    return done("kehu:close", "kehu:refresh")


def _form(
    flow: Flow, act: Act, values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    kind = get_type(flow.object)
    fields = settable(kind)
    chosen = next((one for one in fields if one.key == values.get("field")), fields[0])
    return form_page(
        "flows/step_form.html",
        str(act.label),
        {**values, "field": chosen.key} if act.key == "set" else values,
        LABELS,
        error,
        version,
        act=act,
        kind=kind,
        fields=[(one.key, one.label) for one in fields],
        spec=_control(chosen, values.get("value", "")) if act.key == "set" else None,
        members=[(str(one), name) for one, name in member_options()],
        webhooks=queries.webhooks(db.session()) if act.key == "webhook" else [],
    )


def _control(field: Field, value: str) -> dict[str, Any]:
    """Return the control for the value that a field gets: the field's own, or a text for days from today."""
    found = parse_id(value) if field.kind in ("member", "ref") else None
    names = titles(db.session(), {target_of(field): [found]}) if found else {}
    spec = forms.control(field, None, names=names, raw=value)
    if field.kind in ("date", "datetime", "money"):
        spec.update(
            type="text", help=_("A day such as 2026-12-31, or today+7.") if field.kind != "money" else ""
        )
    if field.kind == "bool":
        spec.update(type="select", options=[("1", _("yes")), ("0", _("no"))])
    return {**spec, "name": "value", "required": False, "hint": ""}
