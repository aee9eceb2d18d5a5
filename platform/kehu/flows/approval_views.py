"""The page on which a member agrees or declines what a workflow asks him."""

from __future__ import annotations

import uuid

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.i18n import _
from kehu.flows import approvals
from kehu.flows.views import blueprint
from kehu.web.access import signed_in
from kehu.web.records.answers import done
from kehu.web.render import render_page
from kehu.web.toasts import toast


@blueprint.get("/approvals")
@signed_in
def approvals_page() -> ResponseReturnValue:
    """Show what workflows ask the member."""
    return render_page("flows/approvals.html", rows=approvals.asked(db.session()))


@blueprint.post("/approvals/<uuid:run_id>")
@signed_in
def answer_approval(run_id: uuid.UUID) -> ResponseReturnValue:
    """Agree or decline."""
    yes = request.form.get("answer") == "yes"
    approvals.answer(db.session(), run_id, yes=yes)
    toast(_("The workflow goes on.") if yes else _("The workflow ends here."))
    return done("kehu:refresh")
