"""What can be done to an invoice by hand: https://docs.stripe.com/api/invoices."""

from __future__ import annotations

from tests.stripe_double import invoice_payments, invoices, lines
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.invoice_items import take_pending
from tests.stripe_double.routes import listing, public, route
from tests.stripe_double.world import Obj, World


@route("POST /v1/invoices", "InvoiceCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Make a draft by hand, with the pending items if asked: https://docs.stripe.com/api/invoices/create."""
    known = "customer currency collection_method days_until_due "
    known += "description metadata auto_advance pending_invoice_items_behavior default_tax_rates"
    only(p, known.split())
    customer = world.get("customer", p.get("customer"), "customer")
    currency = (p.get("currency") or customer["currency"] or "eur").lower()
    bill = lines.Bill(customer, currency, [], list(p.get("default_tax_rates") or []))
    made = []
    if p.get("pending_invoice_items_behavior") == "include":
        made = take_pending(world, bill)
    values = {
        "collection_method": p.get("collection_method", "charge_automatically"),
        "description": p.get("description"),
        "auto_advance": p.get("auto_advance", False),
        "_days": p.get("days_until_due"),
    }
    invoice = invoices.draft(world, bill, "manual", made, **values)
    put_metadata(invoice, p)
    return invoice


@route("POST /v1/invoices/{invoice}/finalize", "InvoiceFinalizeInvoiceParams")
def finalize(world: World, p: Obj, invoice: str) -> Obj:
    """Finalize a draft: https://docs.stripe.com/api/invoices/finalize."""
    only(p, ("auto_advance",))
    return invoices.finalize(world, world.get("invoice", invoice, "invoice"))


@route("POST /v1/invoices/{invoice}/pay", "InvoicePayParams")
def pay(world: World, p: Obj, invoice: str) -> Obj:
    """Charge an invoice now; a refusal is answered with 402: https://docs.stripe.com/api/invoices/pay."""
    only(p, ("payment_method", "off_session", "paid_out_of_band"))
    found = world.get("invoice", invoice, "invoice")
    if found["status"] == "paid":
        raise invalid("Invoice is already paid")
    if found["status"] == "draft":
        invoices.finalize(world, found)
    if found["status"] not in ("open", "uncollectible"):
        raise invalid(f"This invoice can't be paid: it is {found['status']}.", code="invoice_not_editable")
    if p.get("paid_out_of_band"):
        invoice_payments.close_payment(world, found, "void_invoice")
        return invoice_payments.mark_paid(world, found, outside=True)
    invoice_payments.pay(world, found, p.get("payment_method"), p.get("off_session", True), by_hand=True)
    return found


@route("POST /v1/invoices/{invoice}/void", "InvoiceVoidInvoiceParams")
def void(world: World, p: Obj, invoice: str) -> Obj:
    """Void an invoice: https://docs.stripe.com/api/invoices/void."""
    return invoices.void(world, world.get("invoice", invoice, "invoice"))


@route("POST /v1/invoices/{invoice}/mark_uncollectible", "InvoiceMarkUncollectibleParams")
def mark_uncollectible(world: World, p: Obj, invoice: str) -> Obj:
    """Give an invoice up as bad debt: https://docs.stripe.com/api/invoices/mark_uncollectible."""
    found = world.get("invoice", invoice, "invoice")
    if found["status"] != "open":
        raise invalid("You can only mark open invoices as uncollectible.")
    found["status"], found["auto_advance"], found["next_payment_attempt"] = "uncollectible", False, None
    found["status_transitions"]["marked_uncollectible_at"] = world.now(found)
    emit(world, "invoice.marked_uncollectible", found)
    return found


@route("POST /v1/invoices/{invoice}/send", "InvoiceSendInvoiceParams")
def send(world: World, p: Obj, invoice: str) -> Obj:
    """Send an invoice by mail; in test mode no mail leaves: https://docs.stripe.com/api/invoices/send."""
    found = world.get("invoice", invoice, "invoice")
    if found["status"] == "draft":
        invoices.finalize(world, found)
    emit(world, "invoice.sent", found)
    return found


@route("DELETE /v1/invoices/{invoice}", "InvoiceDeleteParams")
def delete(world: World, p: Obj, invoice: str) -> Obj:
    """Delete a draft made by hand: https://docs.stripe.com/api/invoices/delete."""
    found = world.get("invoice", invoice, "invoice")
    if found["status"] != "draft" or found["parent"]:
        raise invalid(
            "You can only delete draft invoices that no subscription made.", code="invoice_not_editable"
        )
    emit(world, "invoice.deleted", found)
    return world.drop(found)


@route("GET /v1/invoices/{invoice}/lines", "InvoiceListLinesParams")
def list_lines(world: World, p: Obj, invoice: str) -> Obj:
    """List lines: https://docs.stripe.com/api/invoice-line-item/retrieve."""
    shown = public(world, world.get("invoice", invoice))
    every = shown["lines"]["data"]
    ids = [line["id"] for line in every]
    start = ids.index(p["starting_after"]) + 1 if "starting_after" in p else 0
    end = start + p.get("limit", 10)
    return listing(every[start:end], f"/v1/invoices/{invoice}/lines") | {"has_more": end < len(every)}
