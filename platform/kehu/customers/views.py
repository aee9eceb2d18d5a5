"""Pages of customers and contacts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from kehu.activities.composer import Composer
from kehu.core import db
from kehu.core.i18n import _l
from kehu.customers.models import Contact, Customer
from kehu.customers.queries import related
from kehu.timeline.services import TimelineService, subject_of
from kehu.web.panels import slot_panels
from kehu.web.records import RecordPages, Tab, record_page_context
from kehu.web.render import render_page

blueprint = Blueprint("customers", __name__)

FRAGMENTS = {"line": "line", "next-step": "next_step", "files-card": "files"}


def show_customer(record: Customer) -> Response:
    """Show a customer: fields, composer and time line, what belongs to it."""
    return _show("customers", record)


def show_contact(record: Contact) -> Response:
    """Show a contact in the same way."""
    return _show("contacts", record)


def _show(name: str, record: Any) -> Response:
    session = db.session()
    subject = subject_of(name, record)
    tabs = slot_panels("customer.tabs", customer_id=record.id) if name == "customers" else []
    tab = next((panel for panel in tabs if panel.key == request.args.get("tab")), None)
    line = TimelineService(session).page(subject, request.args.get("line"))
    beside = related(session, subject, draft=f"{name}-{record.id}", record=record)
    return render_page(
        "customers/show.html",
        FRAGMENTS,
        page=record_page_context(name, record, titles=beside.names),
        record=record,
        line=line,
        beside=beside,
        tabs=tabs,
        tab=tab,
        composer=Composer(subject=subject, people=beside.people or (), text=beside.draft),
    )


CUSTOMERS = RecordPages(
    "customers",
    note="emails",
    square=True,
    phone=("type_class", "updated_at"),
    chips=("type_class", "owner_id"),
    tabs=(Tab("mine", _l("My customers"), "owner_id=me"),),
    hotkey="g o",
    create_key="c c",
    phone_bar=True,
    list_template="customers/list.html",
    detail=show_customer,
)
CUSTOMERS.register(blueprint)

CONTACTS = RecordPages(
    "contacts",
    purpose=_l("The people at your customers: who decides, who pays, who is called when something is wrong."),
    note="job_title",
    phone=("customer_id", "phones"),
    chips=("owner_id",),
    tabs=(Tab("mine", _l("My contacts"), "owner_id=me"),),
    hotkey="g c",
    create_key="c p",
    list_template="customers/list.html",
    detail=show_contact,
)
CONTACTS.register(blueprint)
