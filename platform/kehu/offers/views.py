"""The work list of offers with outcomes by one tap, rules with their figures, texts."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from kehu.core import clock, context, db
from kehu.core.i18n import LOCALES, _, _l
from kehu.core.records.service import service_for
from kehu.offers import cells, queries
from kehu.offers.models import Offer, OfferRule
from kehu.offers.services import OfferService, RuleService, ask_for_sweep
from kehu.web.access import needs
from kehu.web.records import RecordPages, Tab, record_page_context
from kehu.web.records.answers import done, done_toast, go_to, is_htmx
from kehu.web.records.titles import titles
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("offers", __name__)

WORK = "state=open,contacted&held_out=0"


def show_offer(record: Offer) -> Response:
    """Show an offer: why it is there, what was done, what can be done."""
    page = record_page_context("offers", record)
    row = {key: getattr(record, key) for key in cells.NEEDED}
    rule = page.names.get(record.rule_id, "")
    today = clock.today(context.tenant().tz)
    return render_page(
        "offers/show.html",
        page=page,
        record=record,
        why=cells.why(row, rule, today, str(get_locale() or "en")),
    )


def show_rule(record: OfferRule) -> Response:
    """Show a rule: fields, texts, what became of its offers."""
    session = db.session()
    return render_page(
        "offers/rule.html",
        page=record_page_context("offer_rules", record),
        record=record,
        figures=queries.figures(session, record.id),
        texts=queries.texts_of(session, record.id),
        language_names=LOCALES,
    )


OFFERS = RecordPages(
    "offers",
    note="customer_id",
    picture=False,
    mark_keys=cells.NEEDED,
    phone=("due_on", "state"),
    chips=("state", "rule_id"),
    tabs=(
        Tab("work", _l("To do"), f"{WORK}&next_on.lte=today%2B7&sort=due_on"),
        Tab("waiting", _l("All open"), f"{WORK}&sort=due_on"),
        Tab("mine", _l("Looked after by me"), f"{WORK}&owner_id=me&sort=due_on"),
        Tab("accepted", _l("Accepted"), "state=accepted&sort=-due_on"),
        Tab("closed", _l("Closed"), "state=declined,stopped&sort=-due_on"),
        Tab("held", _l("Hold-out group"), "held_out=1&sort=due_on"),
    ),
    first_tab="waiting",
    list_template="offers/list.html",
    list_context=lambda: {"has_rules": lambda: queries.has_rules(db.session())},
    detail=show_offer,
    cells={"due_on": cells.day_cell, "basis": cells.why_cell, "state": cells.state_cell},
    creatable=False,
)
OFFERS.register(blueprint)

RULES = RecordPages(
    "offer_rules",
    note="source",
    picture=False,
    phone=("active", "ladder"),
    nav=False,
    list_template="offers/rules.html",
    detail=show_rule,
)
RULES.register(blueprint)

TEXTS = RecordPages("offer_texts", note="rule_id", picture=False, phone=("locale", "rule_id"), nav=False)
TEXTS.register(blueprint)


@blueprint.get("/offers/of/<uuid:customer_id>")
@needs("offers:read")
def of_customer(customer_id: uuid.UUID) -> Response:
    """Show what can be offered to a customer; a fragment on the customer's page."""
    session = db.session()
    service_for("customers", session).get(customer_id)
    today, locale = clock.today(context.tenant().tz), str(get_locale() or "en")
    found = [
        (offer, cells.why({key: getattr(offer, key) for key in cells.NEEDED}, rule, today, locale))
        for offer, rule in queries.of_customer(session, customer_id)
    ]
    return render_page("offers/card.html", offers=found)


@blueprint.post("/offers/<uuid:record_id>/accept")
@needs("offers:write")
def accept(record_id: uuid.UUID) -> ResponseReturnValue:
    """Make a deal of an offer and open it."""
    deal = OfferService(db.session()).accept(record_id)
    done_toast(db.session(), _("Made the deal “%(name)s”", name=deal.name))
    return go_to(f"/deals/{deal.id}")


@blueprint.post("/offers/<uuid:record_id>/contacted")
@needs("offers:write")
def contacted(record_id: uuid.UUID) -> ResponseReturnValue:
    """Note that the customer was reached."""
    found = OfferService(db.session()).contacted(record_id, request.form.get("note", ""))
    return _changed(found, _("Reached: %(name)s", name=_customer(found)))


@blueprint.post("/offers/<uuid:record_id>/decline")
@needs("offers:write")
def decline(record_id: uuid.UUID) -> ResponseReturnValue:
    """Note that the customer does not want it."""
    found = OfferService(db.session()).decline(record_id, request.form.get("note", ""))
    return _changed(found, _("Declined: %(name)s", name=_customer(found)))


@blueprint.post("/offers/<uuid:record_id>/stop")
@needs("offers:write")
def stop(record_id: uuid.UUID) -> ResponseReturnValue:
    """Close an offer for another reason."""
    found = OfferService(db.session()).stop(record_id)
    return _changed(found, _("Stopped: %(name)s", name=found.name))


@blueprint.post("/offer_rules/<uuid:record_id>/sweep")
@needs("offer_rules:write")
def sweep(record_id: uuid.UUID) -> ResponseReturnValue:
    """Let a job sweep a rule now."""
    session = db.session()
    rule = RuleService(session).get(record_id, action="write")
    ask_for_sweep(session, context.tenant().id, rule.id)
    toast(_("Kehu looks for offers in the background; they show in the list in a moment."))
    return done() if is_htmx() else redirect(f"/offer_rules/{rule.id}", 303)


def _customer(offer: Offer) -> str:
    found: Any = titles(db.session(), {"customers": [offer.customer_id]})
    return str(found.get(offer.customer_id) or offer.name)


def _changed(offer: Offer, message: str) -> ResponseReturnValue:
    done_toast(db.session(), message)
    return done("kehu:list", "kehu:refresh") if is_htmx() else redirect(f"/offers/{offer.id}", 303)
