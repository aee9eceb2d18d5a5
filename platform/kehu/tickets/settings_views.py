"""The page of ticket queues under Settings."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.errors import KehuError
from kehu.core.i18n import _, _l
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.tickets import queries
from kehu.tickets.records import QUEUES
from kehu.tickets.services import QueueService
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

blueprint = Blueprint("queues", __name__, url_prefix="/settings/queues")

register(
    SettingsPage(
        key="queues",
        label=_l("Ticket queues"),
        text=_l("Where tickets wait, and from which address replies come"),
        url="/settings/queues",
        icon="lifebuoy",
        permission="queues:write",
        order=57,
    )
)

FIELDS = ("name", "email")


@blueprint.get("")
@needs("queues:write")
def show() -> ResponseReturnValue:
    """Show the queues with their open tickets."""
    return render_page("tickets/queues.html", queues=queries.queues_with_counts(db.session()))


@blueprint.route("/new", methods=["GET", "POST"])
@needs("queues:write")
def add() -> ResponseReturnValue:
    """Add a queue."""
    title = _("New queue")
    if request.method == "GET":
        return _form(title, {})
    try:
        made = QueueService(db.session()).create(given(FIELDS))
    except KehuError as error:
        return _form(title, given(FIELDS), error)
    done_toast(db.session(), _("Added the queue “%(name)s”", name=made.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/<uuid:queue_id>", methods=["GET", "POST"])
@needs("queues:write")
def edit(queue_id: uuid.UUID) -> ResponseReturnValue:
    """Change name and address of a queue."""
    service = QueueService(db.session())
    record = service.get(queue_id)
    title, version = _("Queue “%(name)s”", name=record.name), record.version
    if request.method == "GET":
        return _form(title, {key: getattr(record, key) for key in FIELDS}, version=version)
    try:
        service.update(queue_id, given(FIELDS), version=seen_version())
    except KehuError as error:
        db.session().rollback()
        return _form(title, given(FIELDS), error, version=version)
    done_toast(db.session(), _("Changed the queue “%(name)s”", name=record.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.post("/<uuid:queue_id>/default")
@needs("queues:write")
def make_default(queue_id: uuid.UUID) -> ResponseReturnValue:
    """Let new tickets start in a queue."""
    record = QueueService(db.session()).update(queue_id, {"is_default": True})
    done_toast(db.session(), _("New tickets start in “%(name)s” now", name=record.name))
    return done("kehu:refresh")


@blueprint.post("/<uuid:queue_id>/retire")
@needs("queues:delete")
def retire(queue_id: uuid.UUID) -> ResponseReturnValue:
    """Retire a queue in which no open ticket waits."""
    record = QueueService(db.session()).trash(queue_id)
    done_toast(db.session(), _("Retired the queue “%(name)s”", name=record.name))
    return done("kehu:refresh")


def _form(
    title: str, values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    labels = {key: str(QUEUES.by_key[key].label) for key in FIELDS}
    help_text = QUEUES.by_key["email"].help
    return form_page("tickets/queue_form.html", title, values, labels, error, version, help=help_text)
