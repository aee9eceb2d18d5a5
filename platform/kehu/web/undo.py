"""POST /undo/<batch>: take back what a request or an import did, and say what had to stay."""

from __future__ import annotations

import uuid

from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from kehu.core import context, db
from kehu.core.audit import AuditEntry
from kehu.core.errors import NotFound
from kehu.core.i18n import _, _n
from kehu.core.records import undo
from kehu.core.records.types import registered
from kehu.views import bulk
from kehu.web.records.answers import done, done_toast
from kehu.web.toasts import add_trigger, toast

AT_ONCE = 500


def undo_batch(batch_id: uuid.UUID) -> ResponseReturnValue:
    """Take back a batch of one's own; a large one goes to a job."""
    session = db.session()
    statement = select(func.count(), func.min(AuditEntry.object)).where(
        AuditEntry.batch_id == batch_id,
        AuditEntry.object.in_([*registered(), "views"]),
        AuditEntry.member_id == context.actor().member_id,
    )
    total, type_name = session.execute(statement).one()
    if not total:
        # A batch of somebody else looks like none; his changes are undone from the record's history.
        raise NotFound(_("There is nothing to undo here."))
    if type_name == "views":
        return _restore_view(batch_id)
    if total > AT_ONCE:
        bulk.start_undo(session, batch_id, total, type_name)
        toast(
            _n(
                "Taking back %(num)s change in the background",
                "Taking back %(num)s changes in the background",
                total,
            ),
            "info",
        )
        return done()
    report = undo.undo_batch(session, batch_id)
    done_toast(session, _n("Took back %(num)s change", "Took back %(num)s changes", report.undone))
    for title, reason in report.kept[:3]:
        toast(_("“%(title)s” was left as it is: %(reason)s", title=title, reason=reason), "warn")
    if len(report.kept) > 3:
        toast(
            _n(
                "%(num)s more was left as it is.", "%(num)s more were left as they are.", len(report.kept) - 3
            ),
            "warn",
        )
    return done()


def _restore_view(batch_id: uuid.UUID) -> ResponseReturnValue:
    from kehu.views.services import ViewService

    session = db.session()
    statement = select(AuditEntry.record_id).where(
        AuditEntry.batch_id == batch_id, AuditEntry.action == "trashed"
    )
    view_id = session.execute(statement).scalar()
    if view_id is None:
        raise NotFound(_("There is nothing to undo here."))
    view = ViewService(session).restore(view_id)
    toast(_("The view “%(name)s” is back", name=view.name))
    response = done()
    add_trigger(response, "kehu:refresh")
    return response
