"""The pages of workflows under Settings: the list, one workflow with its log, and its rehearsal."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import InvalidInput, KehuError, NotFound
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.flows import conditions, examples, queries, rehearsal, wording
from kehu.flows.models import Flow
from kehu.flows.records import FLOWS, SIDES, TRIGGERS, objects
from kehu.flows.services import FlowService, changed_fields, complete, date_fields
from kehu.flows.steps import ACTS
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast, go_to
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("flows", __name__, template_folder="templates")
BASE = "/settings/workflows"

register(
    SettingsPage(
        key="workflows",
        label=_l("Workflows"),
        text=_l("What happens by itself when records are made, change, come due or lie still"),
        url=BASE,
        icon="bolt",
        permission="flows:write",
        order=54,
    )
)

FIELDS = ("name", "object", "trigger", "field", "days", "side", "condition")
LABELS = {key: FLOWS.by_key[key].label for key in FIELDS}
HELPS = {key: FLOWS.by_key[key].help for key in FIELDS}
STATES = {
    "waiting": (_l("Waiting"), "info"),
    "asking": (_l("Asks for approval"), "warn"),
    "done": (_l("Done"), "ok"),
    "failed": (_l("Failed"), "bad"),
    "stopped": (_l("Stopped"), "neutral"),
}


@blueprint.get("/settings/workflows")
@needs("flows:write")
def flows_page() -> ResponseReturnValue:
    """Show the workflows."""
    session, kinds = db.session(), registered()
    rows = [
        (row, kinds[row.object], wording.starts_when(row, kinds[row.object]))
        for row in queries.flows(session)
        if row.object in kinds
    ]
    return render_page(
        "flows/list.html", rows=rows, failing=queries.failing(session), examples=examples.LABELS
    )


@blueprint.route("/settings/workflows/new", methods=["GET", "POST"])
@needs("flows:write")
def add_flow() -> ResponseReturnValue:
    """Make a workflow; it is off until somebody switches it on."""
    session = db.session()
    if request.method == "GET":
        return _form(_("New workflow"), _typed() or {"object": "deals", "trigger": "created", "days": "0"})
    try:
        made = FlowService(session).create(_filled())
    except KehuError as error:
        session.rollback()
        return _form(_("New workflow"), _filled(), error)
    done_toast(session, _("Added the workflow “%(name)s”; it is off until you switch it on", name=made.name))
    return go_to(f"{BASE}/{made.id}")


@blueprint.post("/settings/workflows/examples/<key>")
@needs("flows:write")
def take_example(key: str) -> ResponseReturnValue:
    """Make a ready-made workflow; it is off until somebody switches it on."""
    if key not in examples.LABELS:
        raise NotFound(_("There is no such example."))
    session = db.session()
    made = FlowService(session).create(examples.values(key))
    done_toast(session, _("Added the workflow “%(name)s”; it is off until you switch it on", name=made.name))
    return go_to(f"{BASE}/{made.id}")


@blueprint.get("/settings/workflows/<uuid:flow_id>")
@needs("flows:write")
def show_flow(flow_id: uuid.UUID) -> ResponseReturnValue:
    """Show one workflow: when it starts, what it does, and what it did."""
    session = db.session()
    flow = FlowService(session).get(flow_id)
    kind = get_type(flow.object)
    names = queries.named(session, flow.steps, flow.acting_id)
    state = request.args.get("state", "")
    runs = queries.runs(
        session, flow, state if state in STATES else "", parse_id(request.args.get("record", ""))
    )
    return render_page(
        "flows/show.html",
        flow=flow,
        kind=kind,
        when=wording.starts_when(flow, kind),
        where=conditions.words(kind, flow.condition),
        problem=_problem(flow),
        steps=[(step, ACTS[step["do"]], wording.does(step, kind, names)) for step in flow.steps],
        acts=list(ACTS.values()),
        acting=names.get(str(flow.acting_id), "–"),
        there=queries.lets_in(session, flow.acting_id),
        ready=complete(flow),
        runs=runs,
        names=queries.names(session, flow, runs),
        states=STATES,
        state=state,
    )


def _problem(flow: Flow) -> str:
    """Return why a workflow can't look for records, such as a field that is gone; empty while it can."""
    kind = get_type(flow.object)
    if flow.field and flow.field not in kind.by_key:
        return _("The field “%(name)s” is not there any more.", name=flow.field)
    try:
        conditions.asked(kind, flow.condition, context.actor())
    except InvalidInput as error:
        return str(error.message)
    return ""


@blueprint.route("/settings/workflows/<uuid:flow_id>/edit", methods=["GET", "POST"])
@needs("flows:write")
def edit_flow(flow_id: uuid.UUID) -> ResponseReturnValue:
    """Change when a workflow starts and for which records."""
    session = db.session()
    service = FlowService(session)
    record = service.get(flow_id)
    title, version = _("Workflow “%(name)s”", name=record.name), record.version
    if request.method == "GET":
        values = _typed() or {key: getattr(record, key) for key in FIELDS}
        return _form(title, {**values, "object": record.object}, version=drawn_from() or version)
    try:
        filled = {key: value for key, value in _filled().items() if key != "object"}
        service.update(flow_id, filled, version=seen_version())
    except KehuError as error:
        session.rollback()
        return _form(title, {**_filled(), "object": record.object}, error, version=version)
    done_toast(session, _("Changed the workflow “%(name)s”", name=record.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.get("/settings/workflows/<uuid:flow_id>/rehearse")
@needs("flows:write")
def rehearse_flow(flow_id: uuid.UUID) -> ResponseReturnValue:
    """Show what a workflow would have done in the past ninety days."""
    session = db.session()
    flow = FlowService(session).get(flow_id)
    kind = get_type(flow.object)
    context.actor().require(f"{kind.name}:read")
    found, problem = rehearsal.Rehearsal(), ""
    try:
        found = rehearsal.rehearse(session, flow)
    except InvalidInput as error:
        problem = str(error.message)
    return render_page(
        "flows/rehearse.html", {}, flow=flow, kind=kind, found=found, problem=problem, ready=complete(flow),
        days=rehearsal.DAYS, bound=rehearsal.COUNT_BOUND,
    )  # fmt: skip


@blueprint.post("/settings/workflows/<uuid:flow_id>/switch")
@needs("flows:write")
def switch_flow(flow_id: uuid.UUID) -> ResponseReturnValue:
    """Switch a workflow on or off."""
    session = db.session()
    service = FlowService(session)
    record = service.get(flow_id, action="write")
    record = service.update(flow_id, {"active": not record.active}, version=seen_version())
    on, off = (
        _("“%(name)s” is switched on", name=record.name),
        _("“%(name)s” is switched off", name=record.name),
    )
    done_toast(session, on if record.active else off)
    return done("kehu:close", "kehu:refresh")


@blueprint.post("/settings/workflows/<uuid:flow_id>/trash")
@needs("flows:delete")
def drop_flow(flow_id: uuid.UUID) -> ResponseReturnValue:
    """Remove a workflow; runs that wait go no further."""
    record = FlowService(db.session()).trash(flow_id)
    done_toast(db.session(), _("Removed the workflow “%(name)s”", name=record.name))
    return go_to(BASE)


@blueprint.post("/settings/workflows/<uuid:flow_id>/runs/<uuid:run_id>/again")
@needs("flows:write")
def run_again(flow_id: uuid.UUID, run_id: uuid.UUID) -> ResponseReturnValue:
    """Try a failed run again."""
    FlowService(db.session()).again(flow_id, run_id)
    toast(_("It is tried again now."))
    return done("kehu:refresh")


def drawn_from() -> int | None:
    """Return the version that a form was filled from which is drawn anew, or None when it is opened."""
    written = request.args.get("version", "")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def _typed() -> dict[str, Any]:
    """Return what the form held when it was drawn anew for another kind of record or start."""
    return {key: request.args[key] for key in FIELDS if key in request.args}


def _filled() -> dict[str, Any]:
    """Return what the form says; what its start does not ask for is empty."""
    return {"field": "", "days": "0", "side": "before", **given(FIELDS)}


def _form(
    title: str, values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    kinds = objects()
    chosen = values.get("object") if values.get("object") in {one.value for one in kinds} else kinds[0].value
    kind = get_type(str(chosen))
    trigger = str(values.get("trigger") or "created")
    known = date_fields(kind) if trigger == "date" else changed_fields(kind)
    return form_page(
        "flows/form.html",
        title,
        {**values, "object": chosen, "trigger": trigger},
        LABELS,
        error,
        version,
        helps=HELPS,
        objects=[(one.value, one.label) for one in kinds],
        triggers=[(one.value, one.label) for one in TRIGGERS],
        sides=[(one.value, one.label) for one in SIDES],
        fields=[(one.key, one.label) for one in known],
        list_path=kind.list_path,
    )


from kehu.flows import approval_views, step_views  # noqa: E402, F401 - routes
