"""Pages between ours and Stripe's: waiting for an order, coming back, going to the card."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request
from sqlalchemy import select

from billing import facts, modes
from billing.accounts import AccountService
from billing.models import Invoice
from billing.offers import way_back
from billing.permissions import RIGHT
from billing.phases import Phase
from billing.stripe import execution, orders
from billing.stripe.models import Operation
from billing.stripe.operations import OPEN, OperationService
from billing.stripe.views import EXTENSION
from billing.stripe.words import Declined, Unanswered
from kehu.core import context, db, jobs
from kehu.core.i18n import _, _l
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast
from plugins.results import BillingMode

blueprint = Blueprint("billing_orders", __name__, template_folder="../templates")

FAILED = {
    "tax_id_invalid": _l(
        "Tax id: Stripe does not take this number for your country. "
        "Correct it under What stands on invoices, then order again."
    ),
    "superseded": _l("A newer order took the place of this one."),
    "price_moved": _l("The price has moved since it was shown; nothing was changed. Look at it again."),
    "too_old": _l("Stripe could not be reached for a day; nothing was changed. Order again."),
}
"""Why an order came to nothing -> what people read; other words are Stripe's own."""


DONE = {
    "cancel": _l("Cancelled. All goes on until the end of the period."),
    "undo": _l("The subscription goes on."),
    "pay": _l("Paid. Everything works again."),
    "details": _l("What stands on invoices is saved."),
}
"""What was carried out -> what people read; all else changed plan or seats."""


@blueprint.before_request
def _only_with_stripe() -> None:
    if modes.mode() is not BillingMode.STRIPE:
        abort(404)


@blueprint.get(f"{orders.PAGE}/orders/<uuid:operation_id>")
@needs(RIGHT)
def order(operation_id: uuid.UUID) -> Any:
    """Wait for an order: go on to Stripe's page, or back to ours with what became of it."""
    found = OperationService(db.session()).find(operation_id)
    if found is None:
        abort(404)
    back = way_back(request.args.get("next", ""))
    if found.state in OPEN:
        here, state = orders.waiting_page(found.id, back), orders.waiting_page(found.id, back, "/state")
        return render_page("billing/waiting.html", url=here, state=state)
    if found.state == "needs_action" and found.url and not _left(found):
        return redirect(found.url, 303)
    if found.state == "done":
        toast(str(_done(found.kind)))
        return redirect(back or orders.PAGE, 303)
    if found.state == "failed":
        reason = FAILED.get(found.error, _l("Stripe refused the order; nothing was changed."))
        toast(str(reason), "bad")
    return redirect(orders.PAGE, 303)


def _left(found: Operation) -> bool:
    """Tell whether the page of a first payment is closed: paid, called off, or run out."""
    account = AccountService(db.session()).find()
    return found.kind == "subscribe" and (account is None or account.checkout_url != found.url)


def _done(kind: str) -> Any:
    if kind != "abandon":
        return DONE.get(kind, _l("Done. The plan and the seats are as you chose."))
    if facts.standing(context.tenant()).phase is Phase.ACTIVE:
        return _l("The payment had gone through already, so that the plan runs. You can cancel it below.")
    return _l("The order is called off; nothing was paid.")


@blueprint.get(f"{orders.PAGE}/orders/<uuid:operation_id>/state")
@needs(RIGHT)
def state(operation_id: uuid.UUID) -> Any:
    """Tell a waiting page to load itself anew once there is an answer; it may then lead to another site."""
    found = OperationService(db.session()).find(operation_id)
    if found is None:
        abort(404)
    if found.state in OPEN:
        return Response(status=204)
    there = orders.waiting_page(operation_id, way_back(request.args.get("next", "")))
    return Response(status=200, headers={"HX-Redirect": there})


@blueprint.get(f"{orders.PAGE}/back")
@needs(RIGHT)
def back() -> Any:
    """Come back from Stripe's page; what happened there is fetched, whatever the address says."""
    jobs.enqueue(db.session(), execution.RETURNED, session_id=request.args.get("session", "")[:255])
    if request.args.get("left"):
        first = facts.standing(context.tenant()).phase is Phase.CONFIRMING
        waits = _l("Nothing is paid yet. Finish the payment, or call the order off.")
        toast(str(waits if first else _l("Nothing was changed at Stripe.")), "info")
        return redirect(orders.PAGE, 303)
    toast(_("Thank you. What you did at Stripe shows here in a moment."), "info")
    return redirect(orders.PAGE, 303)


@blueprint.get(f"{orders.PAGE}/invoices/<uuid:invoice_id>")
@needs(RIGHT)
def invoice(invoice_id: uuid.UUID) -> Any:
    """Go to an invoice where Stripe shows it, with its receipt."""
    session = db.session()
    row = session.execute(select(Invoice).where(Invoice.id == invoice_id)).scalar_one_or_none()
    if row is None:
        abort(404)
    # Nothing of ours waits for Stripe's answer.
    session.commit()
    try:
        return redirect(current_app.extensions[EXTENSION].invoice_page(row.provider_id), 303)
    except Declined:
        toast(_("Stripe has no page of this invoice."), "bad")
    except Unanswered:
        toast(_("Stripe does not answer just now; try again in a minute."), "bad")
    return redirect(orders.PAGE, 303)


@blueprint.post(f"{orders.PAGE}/card")
@needs(RIGHT)
def card() -> Any:
    """Go where another card is given."""
    return _go(papers=False)


@blueprint.post(f"{orders.PAGE}/papers")
@needs(RIGHT)
def papers() -> Any:
    """Go where Stripe keeps card, tax id and receipts."""
    return _go(papers=True)


def _go(*, papers: bool) -> Any:
    made = OperationService(db.session()).card(orders._back(), papers=papers)
    return redirect(orders.waiting_page(made.id), 303)
