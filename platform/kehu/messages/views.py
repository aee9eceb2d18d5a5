"""Settings, Messages: rules, texts in each language, what went out; and the button that asks for consent."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from kehu.consent.rules import KEYS, SEND_RULES, SendRulesService, rules_of
from kehu.consent.words import PURPOSES
from kehu.core import context, db, delivery
from kehu.core.errors import Conflict, InvalidInput, Unavailable
from kehu.core.i18n import LOCALES, _, _l
from kehu.core.ids import new_id
from kehu.messages import outgoing, queries, texts
from kehu.messages.own import ASK_CONSENT
from kehu.messages.services import Letter, MessageService
from kehu.messages.texts import MessageTextService
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records import forms
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page
from kehu.web.toasts import toast
from plugins.sending import MessageTemplate, MessageText

blueprint = Blueprint("messages", __name__)

PAGE = "/settings/messages"
STATES = {
    "": _l("All"),
    "queued": _l("Waiting"),
    "sent": _l("Sent"),
    "refused": _l("Refused"),
    "failed": _l("Not delivered"),
}

register(
    SettingsPage(
        key="messages",
        label=_l("Messages"),
        text=_l("Hours, frequency, and the texts of mails to customers"),
        url=PAGE,
        icon="mail",
        permission="send_rules:write",
        order=55,
    )
)


@blueprint.get(PAGE)
@needs("send_rules:write")
def index() -> Response:
    """Show the rules and the messages."""
    return _index({})


def _index(errors: Any, raw: dict[str, Any] | None = None, status: int = 200) -> Response:
    session = db.session()
    row, rules = SendRulesService.row(session), rules_of(session)
    own: dict[str, list[str]] = {}
    for text in texts.own_rows(session):
        own.setdefault(text.template, []).append(text.locale)
    return render_page(
        "messages/index.html",
        status=status,
        version=row.version if row is not None else None,
        specs=[
            forms.control(
                SEND_RULES.by_key[key],
                getattr(rules, key),
                error=" ".join(errors.get(key, ())),
                raw=None if raw is None else raw.get(key, ""),
            )
            for key in KEYS
        ],
        errors=errors,
        labels={key: str(SEND_RULES.by_key[key].label) for key in KEYS},
        templates=texts.templates(),
        purposes=PURPOSES,
        own=own,
        languages=LOCALES,
    )


@blueprint.post(f"{PAGE}/rules")
@needs("send_rules:write")
def save_rules() -> ResponseReturnValue:
    """Keep the rules; what can't be kept is shown again as it was typed."""
    raw = forms.read([SEND_RULES.by_key[key] for key in KEYS], request.form)
    version = request.form.get("version", "")
    try:
        SendRulesService(db.session()).save(
            raw, version=int(version) if version.isdecimal() and len(version) < 16 else None
        )
    except InvalidInput as error:
        db.session().rollback()
        return _index(error.fields, raw, 422)
    done_toast(db.session(), _("Saved the rules for messages"))
    return redirect(PAGE, 303)


# --- texts ------------------------------------------------------------------------------------------------


@blueprint.get(f"{PAGE}/texts/<key>")
@needs("send_rules:write")
def text(key: str) -> Response:
    """Show one message in one language, with a preview."""
    return _text_page(texts.template(key), _locale(), {})


@blueprint.post(f"{PAGE}/texts/<key>")
@needs("message_texts:write")
def save_text(key: str) -> ResponseReturnValue:
    """Keep the firm's own words, put the usual ones back, or try them out."""
    wanted, locale = texts.template(key), _locale()
    written = MessageText(subject=request.form.get("subject", ""), body=request.form.get("body", ""))
    act = request.form.get("act", "save")
    if act == "test":
        return _try_out(wanted, locale, written)
    service = MessageTextService(db.session())
    if act == "usual":
        row = next(
            (one for one in texts.own_rows(db.session()) if (one.template, one.locale) == (key, locale)), None
        )
        if row is not None:
            service.trash(row.id)
            done_toast(db.session(), _("The usual text holds again"))
        return redirect(f"{PAGE}/texts/{key}?locale={locale}", 303)
    try:
        service.put(key, locale, written.subject, written.body)
    except InvalidInput as error:
        db.session().rollback()
        return _text_page(wanted, locale, error.fields, written, 422)
    done_toast(db.session(), _("Saved the text"))
    return redirect(f"{PAGE}/texts/{key}?locale={locale}", 303)


def _locale() -> str:
    wanted = request.values.get("locale", "") or context.tenant().locale
    return wanted if wanted in LOCALES else "en"


def _examples(wanted: MessageTemplate) -> dict[str, str]:
    return {
        "name": _("Anna Lindqvist"),
        "firm": context.tenant().name,
        "sender": context.actor().name,
        **{place.name: place.example for place in wanted.places},
    }


def _text_page(
    wanted: MessageTemplate, locale: str, errors: Any, typed: MessageText | None = None, status: int = 200
) -> Response:
    words = typed or texts.text_of(db.session(), wanted, locale)
    general = {"name": _("Name of the recipient"), "firm": _("Name of the firm"), "sender": _("Who sends it")}
    return render_page(
        "messages/text.html",
        status=status,
        message=wanted,
        purpose=PURPOSES[wanted.purpose].label,
        locale_code=locale,
        languages=[(code, name, code == locale) for code, name in LOCALES.items()],
        wording=words,
        errors={key: " ".join(found) for key, found in errors.items()},
        own=any((one.template, one.locale) == (wanted.key, locale) for one in texts.own_rows(db.session())),
        places=[*general.items(), *((place.name, place.label) for place in wanted.places)],
        preview={part: texts.fill(getattr(words, part), _examples(wanted)) for part in ("subject", "body")},
    )


def _try_out(wanted: MessageTemplate, locale: str, written: MessageText) -> ResponseReturnValue:
    """Send the member the message as it stands in the form."""
    to, tenant = context.actor().email, context.tenant()
    if not to:
        raise Conflict(_("You have no e-mail address to which it could be sent."))
    examples = _examples(wanted)
    try:
        with force_locale(locale):
            mail = outgoing.compose(
                to=to,
                subject=texts.fill(written.subject, examples),
                body=texts.fill(written.body, examples),
                message_id=f"{new_id().hex}.test@kehu",
                firm=tenant.name,
                rules=rules_of(db.session()),
            )
        delivery.send(mail)
    except delivery.NotSent as error:
        raise Unavailable(error.reason) from error
    toast(_("Sent it to %(address)s", address=to))
    return _text_page(wanted, locale, {}, written)


# --- what went out ----------------------------------------------------------------------------------------


@blueprint.get(f"{PAGE}/log")
@needs("send_rules:write")
def log() -> Response:
    """List the latest messages."""
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    return render_page(
        "messages/log.html", rows=queries.latest(db.session(), state), state=state, states=STATES
    )


@blueprint.post(f"{PAGE}/log/<uuid:message_id>/retry")
@needs("messages:send")
def retry(message_id: uuid.UUID) -> ResponseReturnValue:
    """Send again what was refused or not delivered."""
    MessageService(db.session()).retry(message_id)
    toast(_("It is on its way, if nothing holds it back."))
    return redirect(f"{PAGE}/log", 303)


@blueprint.post("/messages/<object_name>/<uuid:record_id>/ask")
@needs("messages:send")
def ask(object_name: str, record_id: uuid.UUID) -> ResponseReturnValue:
    """Ask a person by mail whether the firm may send news."""
    if object_name not in ("customers", "contacts"):
        abort(404)
    customer, contact = (None, record_id) if object_name == "contacts" else (record_id, None)
    letter = Letter(template=ASK_CONSENT.key, customer_id=customer, contact_id=contact)
    message = MessageService(db.session()).send(letter)
    if message.state == "refused":
        raise Conflict(_("Not sent: %(why)s", why=message.reason))
    toast(_("The question is on its way to %(address)s", address=message.address))
    return done("kehu:refresh")
