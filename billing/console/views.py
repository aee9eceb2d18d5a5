"""Pages of billing in the console beside those of a firm."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy import select

from billing.accounts import AccountService
from billing.models import Invoice
from billing.papers import draw
from billing.stripe import sync
from billing.stripe.models import Sync
from kehu.accounts.operators import operator, operator_only
from kehu.core import db, hooks
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.web.toasts import toast

blueprint = Blueprint("billing_console", __name__)


@blueprint.get("/operator/tenants/<uuid:tenant_id>/invoices/<uuid:invoice_id>")
@operator_only
def paper(tenant_id: uuid.UUID, invoice_id: uuid.UUID) -> Response:
    """Hand out an invoice as PDF, in the operator's language; that it was taken is kept."""
    tenant = hooks.tenant_by_id(tenant_id)
    if tenant is None:
        raise NotFound(_("There is no such firm."))
    with db.unit_of_work(tenant=tenant, actor=operator()) as session:
        invoice = session.execute(select(Invoice).where(Invoice.id == invoice_id)).scalar_one_or_none()
        account = AccountService(session).find()
        if invoice is None or account is None:
            raise NotFound(_("There is no such invoice."))
        data, name = draw(invoice, account, tenant), invoice.number or str(invoice.id)
    with db.cross_tenant(f"an operator takes the invoice {name} of the firm {tenant_id}"):
        pass  # Kept among the looks over firms.
    response = Response(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/operator/billing/replay")
@operator_only
def replay() -> Any:
    """Fetch a customer anew whose events are parked or were given up, whether a firm is known or not."""
    customer = request.form.get("customer", "")
    with db.unit_of_work(tenant=None) as session:
        if session.get(Sync, customer) is None:
            raise NotFound(_("No event ever named this customer."))
        sync.want(session, customer)
    with db.cross_tenant(f"an operator has the customer {customer} fetched anew"):
        pass  # Kept among the looks over firms.
    toast(_("%(customer)s is fetched anew.", customer=customer))
    return redirect("/operator/health", 303)
