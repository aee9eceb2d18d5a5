"""The page of health."""

from __future__ import annotations

import uuid
from typing import Any

from flask import redirect, request

from kehu.accounts.operators import operator_only
from kehu.core import db
from kehu.core.i18n import _
from kehu.web.render import render_page
from kehu.web.toasts import toast
from tenants.console import health, tasks
from tenants.console.registry import Health, all_of
from tenants.console.services import Shown
from tenants.console.views import blueprint

PAGE = "/operator/health"


@blueprint.get(PAGE)
@operator_only
def show_health() -> Any:
    """Show how the installation is."""
    parts = [
        Shown(key=one.key, title=str(one.title), template=one.template, part=one.load())
        for one in all_of(Health)
    ]
    return render_page("console/health.html", sections=parts)


@blueprint.post(f"{PAGE}/tasks/<uuid:task_id>")
@operator_only
def task_done(task_id: uuid.UUID) -> Any:
    """Note that something is done."""
    with db.unit_of_work(tenant=None) as session:
        tasks.finish(session, task_id, request.form.get("note", ""))
    toast(_("Noted as done."))
    return redirect(PAGE, 303)


@blueprint.post(f"{PAGE}/jobs/<int:job_id>")
@operator_only
def job_again(job_id: int) -> Any:
    """Run a job again that gave up."""
    name = health.run_again(job_id)
    with db.cross_tenant(f"an operator runs the job {job_id} again: {name}"):
        pass  # Kept among the looks over firms.
    toast(_("%(job)s waits in the queue again.", job=name))
    return redirect(PAGE, 303)
