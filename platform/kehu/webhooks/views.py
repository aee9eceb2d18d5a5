"""The pages of webhooks under Settings."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy import select

from kehu.core import db
from kehu.core.errors import KehuError
from kehu.core.i18n import _, _l
from kehu.settings.forms import seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done_toast
from kehu.web.render import render_page
from kehu.web.toasts import toast
from kehu.webhooks.models import Webhook
from kehu.webhooks.records import WEBHOOKS
from kehu.webhooks.services import WebhookService, event_groups

blueprint = Blueprint("webhooks", __name__, url_prefix="/settings/webhooks")

register(
    SettingsPage(
        key="webhooks",
        label=_l("Webhooks"),
        text=_l("Tell other programs about changes, by signed calls"),
        url="/settings/webhooks",
        icon="api",
        permission="webhooks:read",
        order=75,
    )
)

FIELDS = ("name", "url", "events")


def _labels() -> dict[str, str]:
    return {key: str(WEBHOOKS.by_key[key].label) for key in FIELDS}


def _given() -> dict[str, Any]:
    return {key: request.form.get(key, "") for key in FIELDS}


@blueprint.get("")
@needs("webhooks:read")
def show() -> Any:
    """List the webhooks, with a form for a new one."""
    return _list()


def _list(error: KehuError | None = None) -> Any:
    statement = select(Webhook).where(Webhook.deleted_at.is_(None)).order_by(Webhook.name, Webhook.id)
    return render_page(
        "webhooks/list.html",
        status=error.status if error else 200,
        rows=db.session().execute(statement).scalars().all(),
        groups=event_groups(),
        labels=_labels(),
        values=_given() if error else {},
        errors=error.fields if error else {},
    )


@blueprint.post("")
@needs("webhooks:write")
def add() -> Any:
    """Set up a webhook and show its secret once."""
    service = WebhookService(db.session())
    try:
        made = service.create(_given())
    except KehuError as error:
        db.session().rollback()
        return _list(error)
    return _detail(made.id, shown=service.secret_of(made))


@blueprint.get("/<uuid:webhook_id>")
@needs("webhooks:read")
def detail(webhook_id: uuid.UUID) -> Any:
    """Show one webhook with its latest deliveries."""
    return _detail(webhook_id)


def _detail(webhook_id: uuid.UUID, shown: str = "", error: KehuError | None = None) -> Any:
    service = WebhookService(db.session())
    record = service.get(webhook_id)
    values = (
        _given() if error else {"name": record.name, "url": record.url, "events": ", ".join(record.events)}
    )
    return render_page(
        "webhooks/show.html",
        status=error.status if error else 200,
        hook=record,
        deliveries=service.deliveries(record.id),
        shown=shown,
        groups=event_groups(),
        labels=_labels(),
        values=values,
        version=request.form.get("version", record.version) if error else record.version,
        errors=error.fields if error else {},
        problem=str(error.message) if error and not error.fields else "",
    )


@blueprint.post("/<uuid:webhook_id>")
@needs("webhooks:write")
def edit(webhook_id: uuid.UUID) -> Any:
    """Change a webhook."""
    session = db.session()
    try:
        record = WebhookService(session).update(webhook_id, _given(), version=seen_version())
    except KehuError as error:
        session.rollback()
        return _detail(webhook_id, error=error)
    done_toast(session, _("Changed the webhook “%(name)s”", name=record.name))
    return redirect(f"/settings/webhooks/{webhook_id}", 303)


@blueprint.post("/<uuid:webhook_id>/switch")
@needs("webhooks:write")
def switch(webhook_id: uuid.UUID) -> Any:
    """Switch a webhook on or off."""
    session = db.session()
    wanted = request.form.get("to") == "on"
    record = WebhookService(session).update(webhook_id, {"active": wanted})
    text = _("Switched “%(name)s” on", name=record.name)
    done_toast(session, text if wanted else _("Switched “%(name)s” off", name=record.name))
    return redirect(f"/settings/webhooks/{webhook_id}", 303)


@blueprint.post("/<uuid:webhook_id>/secret")
@needs("webhooks:write")
def rotate(webhook_id: uuid.UUID) -> Any:
    """Exchange the secret and show the new one once."""
    return _detail(webhook_id, shown=WebhookService(db.session()).rotate(webhook_id))


@blueprint.post("/<uuid:webhook_id>/trash")
@needs("webhooks:delete")
def trash(webhook_id: uuid.UUID) -> Any:
    """Put a webhook into the trash."""
    session = db.session()
    record = WebhookService(session).trash(webhook_id)
    done_toast(session, _("Put the webhook “%(name)s” into the trash", name=record.name))
    return redirect("/settings/webhooks", 303)


@blueprint.post("/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay")
@needs("webhooks:write")
def replay(webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Any:
    """Send a delivery again."""
    WebhookService(db.session()).replay(webhook_id, delivery_id)
    toast(_("The delivery is on its way again."))
    return redirect(f"/settings/webhooks/{webhook_id}", 303)
