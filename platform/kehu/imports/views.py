"""Pages of imports."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, current_app, redirect, request, send_file

from kehu.core import context, db
from kehu.core.context import Context
from kehu.core.errors import Forbidden, InvalidInput, TooLarge
from kehu.core.i18n import _, _l, _n
from kehu.core.records.types import RecordType, registered
from kehu.imports import forms
from kehu.imports.csv_out import csv_blocks
from kehu.imports.leaving import may_leave
from kehu.imports.mapping import Plan
from kehu.imports.models import Import
from kehu.imports.services import ImportService, columns_of
from kehu.imports.targets import importable_types
from kehu.imports.tasks import upload_root
from kehu.settings.pages import SettingsPage
from kehu.settings.pages import register as register_settings
from kehu.web import shell
from kehu.web.access import signed_in
from kehu.web.records.members import member_options
from kehu.web.render import render_page
from kehu.web.toasts import add_trigger, toast

blueprint = Blueprint("imports", __name__)

WORKING = ("checking", "queued", "running", "undoing")

register_settings(
    SettingsPage(
        key="imports",
        label=_l("Imports"),
        text=_l("Bring records in from files, see what came in, and take it back."),
        url="/imports",
        icon="file-import",
        permission="customers:import",
        order=45,
    )
)


def _commands(now: Context) -> Iterable[shell.Command]:
    if now.actor is not None and importable_types(now.actor):
        yield shell.Command(_("Import a file"), "/imports/new", "file-import", dialog=False)


@blueprint.record_once
def _join_frame(state: Any) -> None:
    shell.shell_of(state.app).commands.append(_commands)


def _service() -> ImportService:
    return ImportService(db.session(), upload_root())


def _types() -> list[RecordType]:
    found = importable_types(context.actor())
    if not found:
        raise Forbidden(_("Your role does not allow to import records. Ask an admin of your firm."))
    return found


def _back(job: Import) -> Any:
    return redirect(f"/imports/{job.id}", 303)


@blueprint.get("/imports")
@signed_in
def listed() -> Any:
    """List the imports."""
    _types()
    service = _service()
    names = dict(member_options(1000))
    return render_page(
        "imports/list.html",
        jobs=[job for job in service.listed() if job.object in registered()],
        names=names,
        type_of=service.type_of,
        state_text=state_text,
    )


@blueprint.route("/imports/new", methods=["GET", "POST"])
@signed_in
def new() -> Any:
    """Ask for a file and what it holds; take it in."""
    types = _types()
    chosen = request.values.get("object") or request.args.get("type") or types[0].name
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            job = _take(chosen)
        except (InvalidInput, TooLarge) as error:
            # Answered as a form with an error either way: what was chosen stays on the page.
            errors = error.fields or {"file": [str(error.message)]}
        else:
            return _back(job)
    status = 422 if errors else 200
    options = [(found.name, str(found.plural)) for found in types]
    return render_page(
        "imports/new.html", {}, status, options=options, chosen=chosen, errors=errors, most=_most() // 1024**2
    )


def _most() -> int:
    found: int = current_app.extensions["kehu.settings"].upload_mb
    return found * 1024 * 1024


def _take(chosen: str) -> Import:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        message = _("Choose a file first.")
        raise InvalidInput(message, fields={"file": [message]})
    service = _service()
    job = service.take(chosen, sent.filename, sent.stream, _most())
    if job.format:
        forms.with_proposed_values(job, service.type_of(job), db.session())
    return job


@blueprint.get("/imports/<uuid:import_id>")
@signed_in
def show(import_id: uuid.UUID) -> Any:
    """Show an import as its state wants it."""
    job = _service().get(import_id)
    return _page(job)


def _page(job: Import, *, problem: InvalidInput | None = None, editing: bool = False) -> Any:
    service, session = _service(), db.session()
    record_type = service.type_of(job)
    editable = (
        job.state in ("uploaded", "checked", "failed")
        and job.report.get("doing") not in ("running", "undoing")
        and bool(job.format)
    )
    editing = editable and (
        editing or job.state == "uploaded" or "setup" in request.args or problem is not None
    )
    values: dict[str, Any] = {
        "job": job,
        "record_type": record_type,
        "state_text": state_text,
        "working": job.state in WORKING or (job.state == "uploaded" and not job.format),
        "editing": editing,
        "editable": editable,
        "setup": forms.setup_of(job, record_type, session, member_options()) if editing else None,
        "columns": {str(column.index): column.name for column in columns_of(job)} if job.format else {},
        "refused": service.refused(job) if job.error_count and not editing else [],
        "problem": problem,
        "progress": progress_of(job),
        "made_label": made_label,
        "url_of": url_of,
        "may_leave": may_leave(record_type) and job.options.get("bad") != "leave",
        "may_undo": context.actor().may(f"{job.object}:delete"),
    }
    return render_page("imports/show.html", {}, 422 if problem else 200, **values)


@blueprint.get("/imports/<uuid:import_id>/progress")
@signed_in
def progress(import_id: uuid.UUID) -> Any:
    """Answer how far a job is; at its end the page is loaded anew."""
    job = _service().get(import_id)
    working = job.state in WORKING or (job.state == "uploaded" and not job.format)
    response = render_page("imports/progress.html", {}, job=job, working=working, progress=progress_of(job))
    if not working:
        add_trigger(response, "kehu:refresh")
    return response


@blueprint.post("/imports/<uuid:import_id>/read")
@signed_in
def read(import_id: uuid.UUID) -> Any:
    """Read the file in another way."""
    service = _service()
    job = service.get(import_id, lock=True)
    try:
        service.read_again(job, forms.wishes_of(request.form))
    except InvalidInput as error:
        return _page(job, problem=error)
    if job.format:
        forms.with_proposed_values(job, service.type_of(job), db.session())
    return _back(job)


@blueprint.post("/imports/<uuid:import_id>/plan")
@signed_in
def plan(import_id: uuid.UUID) -> Any:
    """Keep what a column becomes and show what follows from it."""
    job = _service().get(import_id, lock=True)
    problem = _keep_plan(job)
    return _page(job, problem=problem, editing=True)


def _keep_plan(job: Import) -> InvalidInput | None:
    service = _service()
    record_type = service.type_of(job)
    try:
        service.plan(job, forms.plan_of(request.form, job, record_type, db.session()))
    except InvalidInput as error:
        return error
    forms.with_proposed_values(job, record_type, db.session())
    return None


@blueprint.post("/imports/<uuid:import_id>/check")
@signed_in
def check(import_id: uuid.UUID) -> Any:
    """Keep the plan and try the whole file without writing."""
    service = _service()
    job = service.get(import_id, lock=True)
    problem = _keep_plan(job)
    if problem is not None:
        return _page(job, problem=problem)
    service.check(job)
    return _back(job)


@blueprint.post("/imports/<uuid:import_id>/leave")
@signed_in
def leave(import_id: uuid.UUID) -> Any:
    """Let rows in without the cells that can't be read, and check the file anew."""
    service = _service()
    job = service.get(import_id, lock=True)
    wanted = Plan.from_json(job.mapping, job.options)
    wanted.bad = "leave"
    service.plan(job, wanted)
    service.check(job)
    return _back(job)


@blueprint.post("/imports/<uuid:import_id>/<any(start,again,stop,undo):action>")
@signed_in
def act(import_id: uuid.UUID, action: str) -> Any:
    """Start, go on, stop or take back."""
    service = _service()
    job = service.get(import_id, lock=True)
    {"start": service.start, "again": service.again, "stop": service.stop, "undo": service.undo}[action](job)
    return _back(job)


@blueprint.post("/imports/<uuid:import_id>/remove")
@signed_in
def remove(import_id: uuid.UUID) -> Any:
    """Put an import away that wrote nothing."""
    service = _service()
    job = service.get(import_id, lock=True)
    name = job.name
    service.remove(job)
    toast(_("“%(name)s” was put away", name=name))
    return redirect("/imports", 303)


@blueprint.get("/imports/<uuid:import_id>/errors.csv")
@signed_in
def errors(import_id: uuid.UUID) -> Any:
    """Hand out the refused rows: the cells as they were, and what is wrong with each."""
    service = _service()
    job = service.get(import_id)
    name = f"import-errors-{str(job.id)[-6:]}.csv"
    names = [column.name for column in columns_of(job)]
    rows = (
        [*_padded(row.cells, len(names)), row.row, problems(row.errors, names)]
        for row in service.all_refused(job)
    )
    # A file of its own, which is gone once it is sent: a million refused rows don't fit into memory.
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    for block in csv_blocks([*names, _("Row"), _("What is wrong")], rows):
        file.write(block)
    file.seek(0)
    return send_file(file, mimetype="text/csv", as_attachment=True, download_name=name, max_age=0)


def _padded(cells: list[str], width: int) -> list[str]:
    return [*cells, *([""] * (width - len(cells)))][:width]


def problems(found: dict[str, str], names: list[str]) -> str:
    """Return what is wrong with a row, with the names of the columns."""
    parts = []
    for column, message in sorted(found.items()):
        name = names[int(column)] if column.isdigit() and int(column) < len(names) else ""
        parts.append(f"{name}: {message}" if name else message)
    return " ".join(parts)


def state_text(job: Import) -> tuple[str, str]:
    """Return what the state of an import is called, and its tone."""
    stopped = job.state == "failed"
    texts: dict[str, tuple[str, str]] = {
        "uploaded": (_("Being prepared"), "neutral"),
        "checking": (_("Being checked"), "info"),
        "checked": (_("Checked"), "info"),
        "queued": (_("Waiting"), "info"),
        "running": (_("Running"), "info"),
        "done": (_("Done"), "ok"),
        "failed": (_("Stopped"), "bad"),
        "undoing": (_("Being taken back"), "warn"),
        "undone": (_("Taken back"), "neutral"),
    }
    return texts["failed" if stopped else job.state]


def progress_of(job: Import) -> dict[str, Any]:
    """Return the label, the value and the maximum of the progress bar."""
    done, total = job.done_rows, job.total_rows or 0
    if job.state == "undoing":
        done, total = job.report.get("undo_done", 0), job.report.get("undo_total", 0)
        label = _("Taking back what came in")
    elif job.state == "checking":
        label = _("Checking every row; nothing is written")
    elif job.state == "queued":
        label = _("Waiting for its turn")
    elif not job.format:
        label = _("Looking into the file")
    elif job.report.get("pass") == 2:
        label = _("Linking records to those that they belong to")
    else:
        label = _("Importing")
    counts = {"done": f"{done:,}", "count": f"{total:,}"}
    note = _n("%(done)s of %(count)s row", "%(done)s of %(count)s rows", total, **counts) if total else ""
    if job.state == "undoing":
        note = (
            _n("%(done)s of %(count)s change", "%(done)s of %(count)s changes", total, **counts)
            if total
            else ""
        )
    return {"label": label, "value": done, "maximum": total or 1, "note": note}


def url_of(object_name: str, record_id: str) -> str:
    """Return the address of a record that an import touched; nothing for one whose plugin is off by now."""
    record_type = registered().get(object_name)
    return record_type.url(record_id) if record_type else "#"


def made_label(object_name: str) -> str:
    """Return what records that were made on the way are called."""
    if object_name == "members":
        return _("Placeholder members")
    record_type = registered().get(object_name)
    return str(record_type.plural) if record_type else object_name
