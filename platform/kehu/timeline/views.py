"""Older pages of a time line, for any record that has one."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, request

from kehu.core import db
from kehu.timeline.services import TimelineService
from kehu.web.access import signed_in
from kehu.web.render import render_page

blueprint = Blueprint("timeline", __name__)


@blueprint.get("/timeline/<object_name>/<uuid:record_id>")
@signed_in
def older(object_name: str, record_id: uuid.UUID) -> Response:
    """Answer the entries before a mark; who may see the record may see its line, as far as his rights reach."""
    service = TimelineService(db.session())
    subject = service.subject(object_name, record_id)
    line = service.page(subject, request.args.get("line"), request.args.get("before", ""))
    return render_page("timeline/older.html", line=line)
