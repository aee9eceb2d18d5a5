"""The card on a customer's page, pages of households, and the list of who may be one."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import NotFound
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.records.kinds import show_address
from kehu.core.records.service import service_for
from kehu.relations import queries
from kehu.relations.models import Household
from kehu.relations.services import HouseholdMemberService, RelationService
from kehu.relations.suggesting import SuggestionService
from kehu.web.access import needs
from kehu.web.records import RecordPages, Tab, record_page_context
from kehu.web.records.answers import done, done_toast, is_htmx
from kehu.web.render import render_page

blueprint = Blueprint("relations", __name__)

REASONS = {
    "surname": _l("Same family name"),
    "phone": _l("Same phone"),
    "email": _l("Same e-mail address"),
}


def show_household(record: Household) -> Response:
    """Show a household: fields, members, what they are worth together, one line of all."""
    session = db.session()
    return render_page(
        "relations/household.html",
        {},
        page=record_page_context("households", record),
        record=record,
        household=queries.household(session, record.id),
        line=queries.combined_line(session, record.id),
        role_label=queries.role_label,
        currency=context.tenant().currency,
    )


HOUSEHOLDS = RecordPages(
    "households",
    purpose=_l("Customers who live or decide together: one line for all of them, and no letter twice."),
    note="address",
    picture=False,
    phone=("kind", "updated_at"),
    chips=("kind", "owner_id"),
    tabs=(Tab("mine", _l("Looked after by me"), "owner_id=me"),),
    list_template="relations/list.html",
    detail=show_household,
)
HOUSEHOLDS.register(blueprint)

MEMBERS = RecordPages(
    "household_members", note="household_id", picture=False, phone=("role", "household_id"), nav=False
)
MEMBERS.register(blueprint)

RELATIONS = RecordPages(
    "relations", note="customer_id", picture=False, phone=("kind", "other_id"), chips=("kind",), nav=False
)
RELATIONS.register(blueprint)


@blueprint.get("/relations/of/<uuid:customer_id>")
@needs("customers:read")
def card(customer_id: uuid.UUID) -> Response:
    """Show the households and relations of a customer; a fragment on the customer's page."""
    session = db.session()
    record: Any = service_for("customers", session).get(customer_id)
    return render_page(
        "relations/card.html",
        record=record,
        households=queries.households_of(session, customer_id),
        relations=queries.relations_of(session, customer_id),
        role_label=queries.role_label,
        currency=context.tenant().currency,
    )


@blueprint.post("/household_members/<uuid:record_id>/leave")
@needs("household_members:write")
def leave(record_id: uuid.UUID) -> ResponseReturnValue:
    """Let a person leave a household today."""
    found = HouseholdMemberService(db.session()).leave(record_id)
    return _changed(_("%(name)s left the household", name=found.name), f"/households/{found.household_id}")


@blueprint.post("/relations/<uuid:record_id>/end")
@needs("relations:write")
def end(record_id: uuid.UUID) -> ResponseReturnValue:
    """Let a relation end today."""
    found = RelationService(db.session()).end(record_id)
    return _changed(_("Ended: “%(name)s”", name=found.name), f"/customers/{found.customer_id}")


@blueprint.get("/households/suggestions")
@needs("households:read")
def suggestions() -> Response:
    """Show who may be a household, and why."""
    found = SuggestionService(db.session()).pairs()
    return render_page(
        "relations/suggestions.html", {}, pairs=found, reasons=REASONS, show_address=show_address
    )


@blueprint.post("/households/suggestions/accept")
@needs("households:write")
def accept() -> ResponseReturnValue:
    """Make two people a household."""
    found = SuggestionService(db.session()).accept(*_two())
    return _changed(_("They are now in “%(name)s”", name=found.name), f"/households/{found.id}")


@blueprint.post("/households/suggestions/reject")
@needs("households:write")
def reject() -> ResponseReturnValue:
    """Remember that two people are no household."""
    SuggestionService(db.session()).reject(*_two())
    return _changed(_("Noted: they are not one household"), "/households/suggestions")


def _two() -> tuple[uuid.UUID, uuid.UUID]:
    first, second = parse_id(request.form.get("first")), parse_id(request.form.get("second"))
    if first is None or second is None:
        raise NotFound(_("This record does not exist, or you may not see it."))
    return first, second


def _changed(message: str, url: str) -> ResponseReturnValue:
    done_toast(db.session(), message)
    return done("kehu:refresh") if is_htmx() else redirect(url, 303)
