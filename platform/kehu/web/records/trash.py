"""Into the trash and out of it again."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.i18n import _
from kehu.core.records.service import service_for
from kehu.web.records import query
from kehu.web.records.answers import done, done_toast, go_to

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages


def put(pages: RecordPages, record_id: uuid.UUID) -> ResponseReturnValue:
    """Put a record into the trash and lead back to the list."""
    session = db.session()
    service = service_for(pages.name, session)
    record = service.trash(record_id)
    done_toast(session, _("Moved “%(name)s” to the trash", name=service.title_of(record)))
    if request.args.get("stay") == "1":
        return done("kehu:close", "kehu:refresh")
    return go_to(query.list_url(pages.name, query.parse(request.args.get("from", ""))))
