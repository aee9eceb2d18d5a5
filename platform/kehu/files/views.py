"""Upload and download of files at records."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, request, send_file

from kehu.core import db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _n
from kehu.files.media import shows_inline
from kehu.files.pages import file_service
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

blueprint = Blueprint("files", __name__)

SANDBOX = "default-src 'none'; sandbox"
"""Policy of every file that goes out: whatever it is, it runs nothing and loads nothing."""


@blueprint.post("/files/<object_name>/<uuid:record_id>")
@needs("files:write")
def upload(object_name: str, record_id: uuid.UUID) -> Response:
    """Take in the files that were chosen or dropped, and answer the card that lists them."""
    sent = [item for item in request.files.getlist("file") if item.filename]
    if not sent:
        message = _("Choose a file first.")
        raise InvalidInput(message, fields={"file": [message]})
    service = file_service()
    for item in sent:
        service.attach(object_name, record_id, item.filename or "", item.stream)
    done_toast(db.session(), _n("Attached %(num)s file", "Attached %(num)s files", len(sent)))
    if request.headers.get("HX-Request") != "true":
        return done()
    rows = service.listed(object_name, record_id)
    return render_page("files/card.html", object_name=object_name, record_id=record_id, rows=rows)


@blueprint.get("/files/<uuid:file_id>")
@needs("files:read")
def download(file_id: uuid.UUID) -> Response:
    """Hand out a file: always as a download, except real raster pictures when asked to show one."""
    service = file_service()
    record = service.get(file_id)
    inline = "inline" in request.args and shows_inline(record.media_type)
    response = send_file(
        service.path(record),
        mimetype=record.media_type if inline else "application/octet-stream",
        as_attachment=not inline,
        download_name=record.name,
        etag=record.sha256,
        conditional=True,
        max_age=0,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@blueprint.post("/files/<uuid:file_id>/trash")
@needs("files:delete")
def trash(file_id: uuid.UUID) -> Response:
    """Put a file into the trash."""
    session = db.session()
    record = file_service().trash(file_id)
    done_toast(session, _("“%(name)s” is in the trash", name=record.name))
    return done("kehu:refresh")
