"""The card on a person's page, the dialog that records a consent, and the page behind the link in messages."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from kehu.consent import links, recording
from kehu.consent.columns import STOPS
from kehu.consent.gate import Outgoing, check_many
from kehu.consent.links import Door
from kehu.consent.recording import Word
from kehu.consent.services import ConsentService
from kehu.consent.words import BY, CHANNELS, CHOOSABLE, CONSENTED, HOWS, PURPOSES, STATES
from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import LOCALES, _
from kehu.core.records.service import service_for
from kehu.web import limits
from kehu.web.access import public, signed_in, signed_link
from kehu.web.language import COOKIE
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

blueprint = Blueprint("consent", __name__)

PEOPLE = ("customers", "contacts")


def _service(object_name: str) -> Any:
    if object_name not in PEOPLE:
        abort(404)
    return service_for(object_name, db.session())


@blueprint.get("/consent/<object_name>/<uuid:record_id>")
@signed_in
def card(object_name: str, record_id: uuid.UUID) -> Response:
    """Show what a person agreed to, and what the gate would say now."""
    record = _service(object_name).get(record_id)
    session, service = db.session(), ConsentService(db.session())
    person = recording.person_of(record)
    keys = person.keys
    asked = [
        Outgoing(purpose=purpose, customer_id=keys["customer_id"], contact_id=keys["contact_id"])
        for purpose in CONSENTED
    ]
    may_write = context.actor().may(f"{object_name}:write")
    return render_page(
        "consent/card.html",
        record=record,
        object_name=object_name,
        stop=_stop_label(record.do_not_contact),
        states=service.states(person),
        history=service.history(person),
        now=[
            (PURPOSES[one.purpose], refused)
            for one, refused in zip(asked, check_many(session, asked), strict=True)
        ],
        channels=CHANNELS,
        purposes=PURPOSES,
        said=STATES,
        hows=HOWS,
        may_write=may_write,
        may_ask=may_write and context.actor().may("messages:send") and bool(record.emails),
    )


def _stop_label(value: str | None) -> str:
    return next((str(one.label) for one in STOPS if one.value == value), "")


@blueprint.route("/consent/<object_name>/<uuid:record_id>/record", methods=["GET", "POST"])
@signed_in
def record(object_name: str, record_id: uuid.UUID) -> ResponseReturnValue:
    """Ask what the person said, or write it down."""
    found = _service(object_name).get(record_id, action="write")
    if request.method == "GET":
        return _dialog(
            found, {"channel": "mail", "purpose": "marketing", "state": "given", "how": "person"}, {}
        )
    form = {key: request.form.get(key, "") for key in ("channel", "purpose", "state", "how", "said_at")}
    texts = {key: request.form.get(key, "") for key in ("source_text", "proof")}
    try:
        said_at = _moment(form.pop("said_at"))
        if form["how"] not in CHOOSABLE:
            raise InvalidInput(
                _("Choose one from the list."), fields={"how": [_("Choose one from the list.")]}
            )
        ConsentService(db.session()).record(object_name, record_id, **form, said_at=said_at, **texts)
    except InvalidInput as error:
        db.session().rollback()
        typed = {**form, **texts, "said_at": request.form.get("said_at", "")}
        return _dialog(found, typed, error.fields, status=422)
    done_toast(db.session(), _("Recorded what %(name)s said", name=found.name))
    return done("kehu:close", "kehu:refresh")


def _moment(written: str) -> dt.datetime | None:
    if not written.strip():
        return None
    try:
        day = dt.datetime.fromisoformat(written.strip())
    except ValueError as error:
        message = _("Write a day, as 2026-11-22.")
        raise InvalidInput(message, fields={"said_at": [message]}) from error
    return day if day.tzinfo else day.replace(tzinfo=context.tenant().tz)


def _dialog(found: Any, typed: dict[str, str], errors: Any, status: int = 200) -> Response:
    def options(known: Any, keys: Any) -> list[tuple[str, str]]:
        return [(key, str(getattr(known[key], "label", known[key]))) for key in keys]

    return render_page(
        "consent/record.html",
        status=status,
        name=found.name,
        typed=typed,
        errors={key: " ".join(texts) for key, texts in errors.items()},
        channels=options(CHANNELS, CHANNELS),
        purposes=options(PURPOSES, CONSENTED),
        states=options(STATES, ("given", "withdrawn")),
        hows=options(HOWS, CHOOSABLE),
    )


# --- the person's own page --------------------------------------------------------------------------------


@blueprint.get("/o/<token>")
@public
def door(token: str) -> Response:
    """Show what the firm may send, and let the person say otherwise."""
    return _page(links.find(token))


@blueprint.post("/o/<token>")
@signed_link
def answer(token: str) -> ResponseReturnValue:
    """Take the person's word; the button of a mail program sends no more than one word (RFC 8058)."""
    found = links.find(token)
    if request.form.get("List-Unsubscribe") == "One-Click":
        _say(found, "withdrawn", "one_click")
        return Response("", 200)
    said = request.form.get("answer", "")
    if said == "everything":
        _stop_everything(found)
    elif said in ("given", "withdrawn"):
        _say(found, said, "link")
    else:
        abort(400)
    return _page(found, said)


def _say(found: Door, state: str, how: str) -> None:
    session, proof = db.session(), _("Link in a message, opened from %(address)s", address=limits.address())
    with context.use(actor=context.Actor(kind="system", name=found.record.name)):
        if found.trashed:
            word = Word(state=state, how=how, proof=proof)
            recording.write(session, [(found.person, found.channel, found.purpose, word)])
        else:
            ConsentService(session).record(
                found.person.object,
                found.record.id,
                found.channel,
                found.purpose,
                state,
                how=how,
                proof=proof,
            )
        session.flush()  # The page that follows shows what the database holds.


def _stop_everything(found: Door) -> None:
    _say(found, "withdrawn", "link")
    if not found.trashed and not found.record.do_not_contact:
        with context.use(actor=context.Actor(kind="system", name=found.record.name)):
            service_for(found.person.object, db.session()).update(
                found.record.id, {"do_not_contact": "unasked"}
            )


def _page(found: Door, said: str = "") -> Response:
    locale = found.record.language if found.record.language in LOCALES else context.tenant().locale
    with force_locale(request.cookies.get(COOKIE) if request.cookies.get(COOKIE) in LOCALES else locale):
        purpose = PURPOSES[found.purpose]
        with context.use(actor=context.SYSTEM):
            state = ConsentService(db.session()).state(found.person, found.channel, found.purpose)
        return render_page(
            "consent/door.html",
            url=request.path,
            purpose=str(purpose.label),
            by=str(BY[found.channel]),
            open=state == "given" or (state is None and not purpose.asked),
            said=said,
            stopped=bool(found.record.do_not_contact),
        )
