"""Pages of owned items and their terms."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from kehu.activities.composer import Composer
from kehu.core import context, db
from kehu.core.errors import KehuError
from kehu.core.i18n import _, _l
from kehu.customers.queries import related
from kehu.items.cells import end_cell
from kehu.items.models import OwnedItem, OwnedItemTerm
from kehu.items.queries import terms_of
from kehu.items.records import RUNNING, TERMS
from kehu.items.services import TermService
from kehu.tickets.services import TicketService
from kehu.timeline.services import TimelineService, subject_of
from kehu.web.access import needs
from kehu.web.panels import slot_panels
from kehu.web.records import RecordPages, Tab, record_page_context
from kehu.web.records.answers import done, done_toast, is_htmx
from kehu.web.records.once import new_key, once
from kehu.web.render import render_page

blueprint = Blueprint("items", __name__)

FRAGMENTS = {"line": "line", "next-step": "next_step", "files-card": "files"}
RENEWAL = ("name", "starts_on", "months", "provider", "contract_number", "price")


def show_item(record: OwnedItem) -> Response:
    """Show an item: fields, composer and time line, its register of terms."""
    session = db.session()
    subject = subject_of("owned_items", record)
    tabs = slot_panels("owned_item.tabs", owned_item_id=record.id)
    tab = next((panel for panel in tabs if panel.key == request.args.get("tab")), None)
    beside = related(session, subject, draft=f"owned_items-{record.id}", record=record)
    return render_page(
        "items/show.html",
        FRAGMENTS,
        page=record_page_context("owned_items", record, titles=beside.names),
        record=record,
        terms=terms_of(session, record.id),
        line=TimelineService(session).page(subject, request.args.get("line")),
        beside=beside,
        tabs=tabs,
        tab=tab,
        composer=Composer(subject=subject, text=beside.draft),
    )


def show_term(record: OwnedItemTerm) -> Response:
    """Show a term with its history."""
    page = record_page_context("owned_item_terms", record)
    return render_page("items/term.html", page=page, record=record)


def _ends_within(days: int) -> str:
    return f"{RUNNING}&effective_end.gte=today&effective_end.lte=today%2B{days}&sort=effective_end"


ITEMS = RecordPages(
    "owned_items",
    purpose=_l(
        "What customers have from you or from others: machines, devices, contracts, with what was agreed on them."
    ),
    note="customer_id",
    picture=False,
    phone=("serial", "status"),
    chips=("status", "product_id"),
    tabs=(
        Tab("in_use", _l("In use"), "status=in_use"),
        Tab("mine", _l("Looked after by me"), "status=in_use&owner_id=me"),
    ),
    hotkey="g w",
    create_key="c w",
    list_template="items/list.html",
    detail=show_item,
)
ITEMS.register(blueprint)

TERM_PAGES = RecordPages(
    "owned_item_terms",
    note="item_id",
    picture=False,
    phone=("effective_end", "kind"),
    chips=("kind", "state"),
    tabs=(
        Tab("d30", _l("Ends in 30 days"), _ends_within(30)),
        Tab("d60", _l("Ends in 60 days"), _ends_within(60)),
        Tab("d90", _l("Ends in 90 days"), _ends_within(90)),
        Tab("ended", _l("Ended"), "state=ended&sort=-effective_end"),
    ),
    first_tab="d90",
    nav=False,
    list_template="items/terms.html",
    detail=show_term,
    cells={"effective_end": end_cell},
)
TERM_PAGES.register(blueprint)


@blueprint.route("/owned_item_terms/<uuid:record_id>/renew", methods=["GET", "POST"])
@needs("owned_item_terms:write")
def renew(record_id: uuid.UUID) -> ResponseReturnValue:
    """Ask for the term that follows on this one, or make it."""
    service = TermService(db.session())
    old = service.get(record_id, action="write")
    if request.method == "GET":
        return _renewal(old, service.renewal(old), new_key())
    given = {key: request.form[key] for key in RENEWAL if key in request.form}
    try:
        with once(db.session(), request.form.get("idempotency_key")) as sending:
            if not sending.again:
                made = service.renew(record_id, {key: value for key, value in given.items() if value.strip()})
                done_toast(db.session(), _("Renewed: “%(name)s”", name=made.name))
    except KehuError as error:
        db.session().rollback()
        return _renewal(service.get(record_id), given, request.form.get("idempotency_key", ""), error)
    return done("kehu:close", "kehu:refresh")


def _renewal(
    old: OwnedItemTerm, values: Mapping[str, Any], key: str, error: KehuError | None = None
) -> ResponseReturnValue:
    return render_page(
        "items/renew.html",
        {},
        status=error.status if error else 200,
        old=old,
        values=values,
        key=key,
        errors=error.fields if error else {},
        problem=str(error.message) if error and not error.fields else "",
        labels={one: str(TERMS.by_key[one].label) for one in RENEWAL},
        currency=context.tenant().currency,
    )


@blueprint.post("/tickets/<uuid:record_id>/owned-item")
@needs("tickets:write")
def link_ticket(record_id: uuid.UUID) -> ResponseReturnValue:
    """Say which of the customer's things a ticket is about."""
    session = db.session()
    ticket = TicketService(session).update(record_id, {"owned_item_id": request.values.get("item_id", "")})
    done_toast(session, _("Changed ticket #%(number)s", number=ticket.number))
    if not is_htmx():
        return redirect(f"/tickets/{record_id}", 303)
    return done("kehu:refresh")
