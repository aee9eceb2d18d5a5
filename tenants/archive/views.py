"""The page «Your data»: have everything made into one file, and fetch it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, redirect, send_file
from sqlalchemy import select

from kehu.core import clock, context, db
from kehu.core.i18n import _, _l
from kehu.members.models import Member
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast
from tenants.archive import permissions  # noqa: F401 - registers the right
from tenants.archive.services import KEPT, ArchiveService
from tenants.views import blueprint

register(
    SettingsPage(
        key="archive",
        label=_l("Your data"),
        text=_l("Everything as one file that you can keep or take elsewhere"),
        url="/settings/archive",
        icon="archive",
        permission="tenant:export",
        order=95,
    )
)


@blueprint.get("/settings/archive")
@needs("tenant:export")
def archive() -> Any:
    """Show the archives that were made."""
    rows = ArchiveService(db.session()).listed()
    asked = select(Member.id, Member.name).where(Member.id.in_({row.asked_by for row in rows}))
    return render_page(
        "tenants/archive.html",
        rows=rows,
        names={one.id: one.name for one in db.session().execute(asked)} if rows else {},
        days=KEPT.days,
        busy=any(row.state in ("waiting", "running") for row in rows),
    )


@blueprint.post("/settings/archive")
@needs("tenant:export")
def archive_post() -> Any:
    """Have one made."""
    ArchiveService(db.session()).ask()
    toast(_("The archive is being made. It will be in this list; you need not wait here."))
    return redirect("/settings/archive", 303)


@blueprint.get("/settings/archive/<uuid:archive_id>")
@needs("tenant:export")
def archive_file(archive_id: uuid.UUID) -> Response:
    """Hand one out."""
    path = ArchiveService(db.session()).path(archive_id)
    day = clock.today(context.tenant().tz).isoformat()
    response = send_file(
        path,
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"{context.tenant().address}-{day}.zip",
        conditional=False,
    )
    response.headers["Cache-Control"] = "no-store"
    return response
