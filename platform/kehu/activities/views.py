"""Pages of activities: the composer's answers, done and “and next?”, the list."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup

from kehu.activities.composer import Composer
from kehu.activities.models import Activity
from kehu.activities.records import ICONS
from kehu.activities.records import KINDS as KIND_OPTIONS
from kehu.activities.services import ActivityService, log_activity
from kehu.core import clock, context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.customers.queries import related
from kehu.timeline.queries import LINKS, Subject
from kehu.timeline.services import TimelineService
from kehu.views.drafts import forget_draft
from kehu.web import widgets
from kehu.web.access import needs
from kehu.web.records import RecordPages, Tab
from kehu.web.records.answers import done, done_toast
from kehu.web.records.once import new_key, once
from kehu.web.render import render_page
from kehu.web.toasts import add_trigger

blueprint = Blueprint("activities", __name__)

COMPOSED = ("due_at", "contact_id", "outcome", "minutes")


@blueprint.post("/activities/log")
@needs("activities:write")
def log() -> Response:
    """Take what the composer sends and answer the time line anew, with the next steps beside it."""
    session = db.session()
    subject = TimelineService(session).subject(
        request.form.get("object", ""), request.form.get("record_id", "")
    )
    kind, text = request.form.get("kind", "note"), request.form.get("text", "")
    values = {key: request.form.get(key, "") for key in COMPOSED}
    composer = Composer(subject=subject, text=text, mode=kind if kind in ICONS else "note", values=values)
    try:
        with once(session, request.form.get("idempotency_key")) as first:
            if not first.again:
                made = _log(kind, text, subject, values)
                done_toast(session, _said(made))
    except InvalidInput as error:
        session.rollback()
        composer = _again(
            composer,
            subject,
            " ".join(text for texts in error.fields.values() for text in texts) or error.message,
        )
        return render_page("activities/composer.html", status=422, composer=composer)
    forget_draft(session, composer.draft)
    line = TimelineService(session).page(subject)
    return render_page(
        "activities/logged.html", line=line, beside=related(session, subject, only=frozenset({"steps"}))
    )


def _log(kind: str, text: str, subject: Subject, values: Mapping[str, str]) -> Activity:
    if kind in ("note", "task") and not text.strip():
        message = _("Write a few words first.")
        raise InvalidInput(message, fields={"body": [message]})
    links = {LINKS[subject.object]: subject.record_id}
    return log_activity(ActivityService(db.session()), kind, text, links, **values)


def _again(composer: Composer, subject: Subject, error: str) -> Composer:
    people = related(db.session(), subject, only=frozenset({"people"})).people or ()
    return Composer(
        subject=subject,
        people=people,
        text=composer.text,
        mode=composer.mode,
        error=error,
        values=composer.values,
    )


def _said(made: Activity) -> str:
    kind = next(str(option.label) for option in KIND_OPTIONS if option.value == made.kind)
    if made.done_at is None:
        return _("Planned: %(what)s", what=made.subject)
    return _("Saved: %(what)s", what=kind if made.kind != "task" else made.subject)


@blueprint.post("/activities/<uuid:record_id>/done")
@needs("activities:write")
def mark_done(record_id: uuid.UUID) -> Response:
    """Mark an activity done and ask what comes next; the answer fills the dialog."""
    session = db.session()
    service = ActivityService(session)
    record = service.done(record_id, outcome=request.form.get("outcome", ""))
    done_toast(session, _("Done: %(what)s", what=record.subject))
    if request.args.get("ask") == "0" or request.headers.get("HX-Request") != "true":
        response = done("kehu:refresh")
    else:
        response = render_page("activities/next.html", **_next(service, record), errors={}, values={})
    add_trigger(response, "kehu:refresh")
    return response


@blueprint.post("/activities/<uuid:record_id>/reopen")
@needs("activities:write")
def reopen(record_id: uuid.UUID) -> Response:
    """Take an activity as not done."""
    session = db.session()
    record = ActivityService(session).reopen(record_id)
    done_toast(session, _("To do again: %(what)s", what=record.subject))
    return done("kehu:refresh")


@blueprint.post("/activities/<uuid:record_id>/next")
@needs("activities:write")
def plan_next(record_id: uuid.UUID) -> Response:
    """Plan what follows on an activity."""
    session = db.session()
    service = ActivityService(session)
    record = service.get(record_id)
    given = {key: request.form.get(key, "") for key in ("kind", "subject", "due_at")}
    links = {key: value for key, value in service.next_values(record).items() if key != "kind"}
    try:
        with once(session, request.form.get("idempotency_key")) as first:
            if not first.again:
                if not given["subject"].strip():
                    message = _("Say in a few words what is to be done.")
                    raise InvalidInput(message, fields={"subject": [message]})
                made = service.create({**links, **{key: value for key, value in given.items() if value}})
                done_toast(session, _said(made))
    except InvalidInput as error:
        session.rollback()
        context_values = _next(service, service.get(record_id))
        return render_page(
            "activities/next.html", status=422, **context_values, errors=error.fields, values=given
        )
    return done("kehu:close", "kehu:refresh")


def _next(service: ActivityService, record: Activity) -> dict[str, Any]:
    tomorrow = clock.today(context.tenant().tz) + dt.timedelta(days=1)
    return {
        "record": record,
        "kind": service.next_values(record)["kind"],
        "kinds": [(option.value, str(option.label)) for option in KIND_OPTIONS if option.value != "note"],
        "due": f"{tomorrow.isoformat()}T09:00",
        "key": new_key(),
    }


def tick(row: Mapping[str, Any]) -> Markup:
    """Draw the round button that marks a row done, or done ones by their kind."""
    if row.get("done_at") is not None:
        return Markup('<span class="k-tick k-ok" title="{0}">{1}</span>').format(
            _("Done"), widgets.icon("circle-check", label=_("Done"))
        )
    if not context.actor().may("activities:write"):
        return widgets.icon(ICONS[row["kind"]])
    name = _("Mark %(name)s done", name=row["subject"])
    return Markup(
        '<button type="button" class="k-tick" aria-label="{}" title="{}" hx-post="/activities/{}/done" '
        'hx-target="#dialog" hx-swap="innerHTML">{}</button>'
    ).format(name, _("Done"), row["id"], widgets.icon("circle"))


def show_activity(record: Activity) -> Response:
    """Show an activity with its text, files and the way back to what it is about."""
    from kehu.files.pages import files_of
    from kehu.web.records import record_page_context

    return render_page(
        "activities/show.html",
        {"files-card": "files"},
        page=record_page_context("activities", record),
        record=record,
        icon_name=ICONS[record.kind],
        files=files_of("activities", record.id),
    )


ACTIVITIES = RecordPages(
    "activities",
    note="customer_id",
    mark=tick,
    mark_keys=("done_at", "kind", "subject"),
    phone=("due_at", "owner_id"),
    chips=("kind", "owner_id", "done_at"),
    tabs=(
        Tab("todo", _l("To do"), "owner_id=me&done_at.empty=1&sort=due_at"),
        Tab("overdue", _l("Overdue"), "owner_id=me&done_at.empty=1&due_at.lte=today&sort=due_at"),
        Tab("everybody", _l("Everybody's"), "done_at.empty=1&sort=due_at"),
    ),
    first_tab="todo",
    hotkey="g a",
    create_key="c t",
    detail=show_activity,
)
ACTIVITIES.register(blueprint)
