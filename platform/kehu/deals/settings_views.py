"""Pages under Settings: pipelines with their stages, and the way to the products."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.errors import InvalidInput, KehuError, NotFound
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.deals import queries
from kehu.deals.records import STAGES
from kehu.deals.services import DealService
from kehu.deals.setup_services import PipelineService, StageService
from kehu.settings.forms import seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast, go_to
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("pipelines", __name__, url_prefix="/settings")

register(
    SettingsPage(
        key="pipelines",
        label=_l("Pipelines"),
        text=_l("The stages that deals go through"),
        url="/settings/pipelines",
        icon="layout-kanban",
        permission="stages:write",
        order=50,
    ),
    SettingsPage(
        key="products",
        label=_l("Products"),
        text=_l("What you sell, with prices"),
        url="/products",
        icon="package",
        permission="products:read",
        order=55,
    ),
)

STAGE_FIELDS = ("name", "outcome", "probability", "usual_days", "exit_criteria")
LABELS = {key: STAGES.by_key[key].label for key in STAGE_FIELDS}


@blueprint.get("/pipelines")
@needs("stages:write")
def show() -> ResponseReturnValue:
    """Show a pipeline with its stages."""
    session = db.session()
    pipelines = queries.pipelines(session)
    wanted = parse_id(request.args.get("pipeline"))
    chosen = next((row for row in pipelines if row.id == wanted), pipelines[0] if pipelines else None)
    if chosen is None:
        raise NotFound(_("This firm has no pipeline."))
    return render_page(
        "deals/pipelines.html",
        pipelines=pipelines,
        chosen=chosen,
        stages=StageService(session).of(chosen.id),
        counts=queries.deals_by_stage(session, chosen.id),
        outcomes={option.value: option for option in STAGES.by_key["outcome"].choices()},
    )


@blueprint.route("/pipelines/<uuid:pipeline_id>/stages/new", methods=["GET", "POST"])
@needs("stages:write")
def add_stage(pipeline_id: uuid.UUID) -> ResponseReturnValue:
    """Add a stage."""
    service = StageService(db.session())
    pipeline = PipelineService(db.session()).get(pipeline_id)
    values: dict[str, Any] = {"outcome": "open"}
    if request.method == "GET":
        return _stage_form(_("New stage"), f"/settings/pipelines/{pipeline.id}/stages/new", values)
    try:
        made = service.create({**_given(), "pipeline_id": pipeline.id})
    except InvalidInput as error:
        return _stage_form(_("New stage"), request.path, _given(), error)
    done_toast(db.session(), _("Added the stage “%(name)s”.", name=made.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/stages/<uuid:stage_id>", methods=["GET", "POST"])
@needs("stages:write")
def edit_stage(stage_id: uuid.UUID) -> ResponseReturnValue:
    """Change a stage."""
    service = StageService(db.session())
    record = service.get(stage_id)
    title, version = _("Stage “%(name)s”", name=record.name), record.version
    if request.method == "GET":
        values = {key: getattr(record, key) for key in STAGE_FIELDS}
        return _stage_form(title, request.path, values, version=version)
    try:
        service.update(stage_id, _given(), version=seen_version())
    except KehuError as error:
        return _stage_form(title, request.path, _given(), error, version=version)
    done_toast(db.session(), _("Changed the stage “%(name)s”.", name=record.name))
    return done("kehu:close", "kehu:refresh")


def _given() -> dict[str, Any]:
    return {key: request.form[key] for key in STAGE_FIELDS if key in request.form}


def _stage_form(
    title: str,
    action: str,
    values: dict[str, Any],
    error: KehuError | None = None,
    version: int | None = None,
) -> ResponseReturnValue:
    return render_page(
        "deals/stage_form.html",
        {},
        status=error.status if error else 200,
        title=title,
        action=action,
        values=values,
        errors=error.fields if error else {},
        problem=str(error.message) if error and not error.fields else "",
        labels=LABELS,
        outcomes=[(option.value, option.label) for option in STAGES.by_key["outcome"].choices()],
        version=version,
    )


@blueprint.post("/stages/<uuid:stage_id>/shift")
@needs("stages:write")
def shift_stage(stage_id: uuid.UUID) -> ResponseReturnValue:
    """Move a stage one place up or down."""
    service = StageService(db.session())
    record = service.get(stage_id, action="write")
    order = [stage.id for stage in service.of(record.pipeline_id)]
    at = order.index(record.id)
    to = at + (1 if request.args.get("by") == "1" else -1)
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
        service.reorder(record.pipeline_id, order)
        done_toast(db.session(), _("Moved the stage “%(name)s”.", name=record.name))
    return done("kehu:refresh")


@blueprint.route("/stages/<uuid:stage_id>/retire", methods=["GET", "POST"])
@needs("stages:delete")
def retire_stage(stage_id: uuid.UUID) -> ResponseReturnValue:
    """Retire a stage; its deals go to another one first."""
    service = StageService(db.session())
    record = service.get(stage_id, action="delete")
    count = DealService(db.session()).count_in_stage(record.id)
    error: KehuError | None = None
    if request.method == "POST":
        try:
            service.retire(stage_id, request.form.get("target_id"), lost_reason=_("Stage retired"))
        except KehuError as refused:
            error = refused
        else:
            done_toast(db.session(), _("Retired the stage “%(name)s”.", name=record.name))
            return done("kehu:close", "kehu:refresh")
    others = [
        one for one in service.of(record.pipeline_id) if one.id != record.id and one.outcome == record.outcome
    ]
    return render_page(
        "deals/stage_retire.html",
        {},
        status=error.status if error else 200,
        stage=record,
        count=count,
        others=[(str(one.id), one.name) for one in others],
        errors=error.fields if error else {},
        problem=str(error.message) if error and not error.fields else "",
    )


@blueprint.route("/pipelines/new", methods=["GET", "POST"])
@needs("pipelines:write")
def add_pipeline() -> ResponseReturnValue:
    """Add a pipeline."""
    name = request.form.get("name", "")
    if request.method == "GET":
        return _pipeline_form(_("New pipeline"), name)
    try:
        made = PipelineService(db.session()).create({"name": name})
    except InvalidInput as error:
        return _pipeline_form(_("New pipeline"), name, error)
    done_toast(db.session(), _("Added the pipeline “%(name)s”.", name=made.name))
    return go_to(f"/settings/pipelines?pipeline={made.id}")


@blueprint.route("/pipelines/<uuid:pipeline_id>", methods=["GET", "POST"])
@needs("pipelines:write")
def rename_pipeline(pipeline_id: uuid.UUID) -> ResponseReturnValue:
    """Rename a pipeline."""
    service = PipelineService(db.session())
    record = service.get(pipeline_id)
    title = _("Pipeline “%(name)s”", name=record.name)
    if request.method == "GET":
        return _pipeline_form(title, record.name)
    name = request.form.get("name", "")
    try:
        service.update(pipeline_id, {"name": name})
    except InvalidInput as error:
        return _pipeline_form(title, name, error)
    done_toast(db.session(), _("The pipeline is called “%(name)s” now.", name=name))
    return done("kehu:close", "kehu:refresh")


def _pipeline_form(title: str, name: str, error: InvalidInput | None = None) -> ResponseReturnValue:
    return render_page(
        "deals/pipeline_form.html",
        {},
        status=422 if error else 200,
        title=title,
        name=name,
        errors=error.fields if error else {},
    )


@blueprint.post("/pipelines/<uuid:pipeline_id>/default")
@needs("pipelines:write")
def default_pipeline(pipeline_id: uuid.UUID) -> ResponseReturnValue:
    """Let new deals start in a pipeline."""
    record = PipelineService(db.session()).make_default(pipeline_id)
    toast(_("New deals start in “%(name)s” now.", name=record.name))
    return done("kehu:refresh")


@blueprint.post("/pipelines/<uuid:pipeline_id>/retire")
@needs("pipelines:delete")
def retire_pipeline(pipeline_id: uuid.UUID) -> ResponseReturnValue:
    """Retire a pipeline that holds no deals."""
    record = PipelineService(db.session()).trash(pipeline_id)
    done_toast(db.session(), _("Retired the pipeline “%(name)s”.", name=record.name))
    return go_to("/settings/pipelines")
