"""The page of failed jobs, with replay."""

from __future__ import annotations

from typing import Any

from flask import redirect

from kehu.core import db
from kehu.core.errors import NotFound
from kehu.core.i18n import _, _l
from kehu.settings import queries
from kehu.settings.views import blueprint
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast

NAMES: dict[str, Any] = {
    "kehu.mail.deliver": _l("Send a mail"),
    "addons.deliver": _l("Tell a plugin about changes"),
    "webhooks.fan_out": _l("Tell webhooks about changes"),
    "webhooks.send": _l("Send a change to a webhook"),
    "addons.purge": _l("Remove the data of a plugin"),
    "addons.upgrade": _l("Bring the data of a plugin up to date"),
}
"""Task -> what it does in words; others show their name."""


@blueprint.get("/settings/jobs")
@needs("jobs:manage")
def jobs() -> Any:
    """List the jobs that gave up."""
    rows = queries.failed_jobs(db.session())
    return render_page("settings/jobs.html", rows=rows, names=NAMES)


@blueprint.post("/settings/jobs/<int:job_id>/replay")
@needs("jobs:manage")
def job_replay(job_id: int) -> Any:
    """Run a failed job again."""
    if job_id >= 2**63 or queries.replay_job(db.session(), job_id) is None:
        raise NotFound(_("This job is not in the list of failed jobs any more."))
    toast(_("The job waits in the queue again."))
    return redirect("/settings/jobs", 303)
