"""Credit notes: https://docs.stripe.com/api/credit_notes and https://docs.stripe.com/invoicing/credit-notes."""

from __future__ import annotations

from decimal import Decimal

from tests.stripe_double import amounts, customers, invoice_payments, refunds
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.routes import listing, route
from tests.stripe_double.world import Obj, World


@route("POST /v1/credit_notes", "CreditNoteCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Reduce an open invoice, or give a paid one back as refund, credit or outside of Stripe.

    https://docs.stripe.com/api/credit_notes/create: for a paid invoice the three parts must add up to the amount.
    """
    only(
        p,
        (
            "invoice",
            "amount",
            "reason",
            "memo",
            "metadata",
            "refund_amount",
            "credit_amount",
            "out_of_band_amount",
        ),
    )
    invoice = world.get("invoice", p["invoice"], "invoice")
    amount = p.get("amount") or sum(
        p.get(k, 0) for k in ("refund_amount", "credit_amount", "out_of_band_amount")
    )
    done = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    done += _refunded(world, invoice)
    # https://docs.stripe.com/invoicing/integration/programmatic-credit-notes
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise invalid("Credit notes can only be created for finalized invoices that are not void.", "invoice")
    if not 0 < amount <= invoice["total"] - done:
        raise invalid("The amount is greater than what is left to credit on the invoice.", "amount")
    note = _note(world, invoice, amount, p)
    if invoice["status"] != "paid":
        _reduce(world, invoice, note)
    else:
        _give_back(world, invoice, note, p)
    emit(world, "credit_note.created", note)
    return note


def _refunded(world: World, invoice: Obj) -> int:
    """Return what refunds without a note gave back: it can't be credited again (same page as ``create``)."""
    intent = invoice_payments.intent_of(world, invoice)
    noted = {
        r["refund"] for note in world.all("credit_note", invoice=invoice["id"]) for r in note["refunds"] or ()
    }
    found = world.all("refund", payment_intent=intent["id"]) if intent else []
    return sum(r["amount"] for r in found if r["id"] not in noted and r["status"] == "succeeded")


def _note(world: World, invoice: Obj, amount: int, p: Obj) -> Obj:
    count = sum(1 for _ in world.all("credit_note", invoice=invoice["id"])) + 1
    paid = invoice["status"] == "paid"
    share = Decimal(amount) / invoice["total"]
    tax = [dict(t, amount=amounts.whole(t["amount"] * share)) for t in invoice["total_taxes"]]
    for one in tax:
        one["taxable_amount"] = amounts.whole(Decimal(one["taxable_amount"]) * share)
    added = sum(t["amount"] for t in tax)
    note = world.new(
        "credit_note",
        "cn",
        amount=amount,
        created=world.now(invoice),
        currency=invoice["currency"],
        customer=invoice["customer"],
        effective_at=world.now(invoice),
        invoice=invoice["id"],
        memo=p.get("memo"),
        metadata={},
        number=f"{invoice['number']}-CN-{count:02d}",
        reason=p.get("reason"),
        status="issued",
        subtotal=amount - added,
        subtotal_excluding_tax=amount - added,
        total=amount,
        total_excluding_tax=amount - added,
        total_taxes=tax,
        type="post_payment" if paid else "pre_payment",
    )
    note["pdf"] = f"{world.address}/pages/credit_note/{note['id']}/pdf"
    line = {
        "id": world.name("cnli"),
        "object": "credit_note_line_item",
        "amount": amount - added,
        "description": "Credit",
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": None,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": tax,
        "type": "custom_line_item",
        "unit_amount": amount - added,
        "unit_amount_decimal": str(amount - added),
    }
    note["lines"] = listing([line], f"/v1/credit_notes/{note['id']}/lines")
    put_metadata(note, p)
    return note


def _reduce(world: World, invoice: Obj, note: Obj) -> None:
    note["pre_payment_amount"] = note["amount"]
    with Watch(world, "invoice.updated", invoice):
        invoice["pre_payment_credit_notes_amount"] += note["amount"]
        invoice["amount_due"] = max(0, invoice["amount_due"] - note["amount"])
        invoice["amount_remaining"] = invoice["amount_due"]
    intent = invoice_payments.intent_of(world, invoice)
    if not invoice["amount_due"]:
        invoice_payments.close_payment(world, invoice, "void_invoice")
        invoice_payments.mark_paid(world, invoice, outside=True)
    elif intent:
        intent["amount"] = invoice["amount_due"]


def _give_back(world: World, invoice: Obj, note: Obj, p: Obj) -> None:
    parts = {k: p.get(k, 0) for k in ("refund_amount", "credit_amount", "out_of_band_amount")}
    if sum(parts.values()) != note["amount"]:
        message = "The sum of refund_amount, credit_amount and out_of_band_amount must equal the credit note amount."
        raise invalid(message, "amount")
    note["post_payment_amount"] = note["amount"]
    note["out_of_band_amount"] = parts["out_of_band_amount"] or None
    invoice["post_payment_credit_notes_amount"] += note["amount"]
    if parts["refund_amount"]:
        intent = invoice_payments.intent_of(world, invoice)
        if intent is None or not intent["latest_charge"]:
            raise invalid("The invoice was not paid with a charge that could be refunded.", "refund_amount")
        charge = world.get("charge", intent["latest_charge"])
        refund = refunds.make(world, charge, parts["refund_amount"], None)
        part = {"amount_refunded": refund["amount"], "refund": refund["id"], "type": "refund"}
        note["refunds"] = [part | {"payment_record_refund": None}]
    if parts["credit_amount"]:
        customer = world.get("customer", invoice["customer"], "customer")
        moved = customers.adjust(
            world,
            customer,
            -parts["credit_amount"],
            "credit_note",
            credit_note=note["id"],
            currency=note["currency"],
        )
        note["customer_balance_transaction"] = moved["id"] if moved else None


@route("GET /v1/credit_notes/{note}", "CreditNoteRetrieveParams")
def retrieve(world: World, p: Obj, note: str) -> Obj:
    """Return a credit note: https://docs.stripe.com/api/credit_notes/retrieve."""
    return world.get("credit_note", note)


@route("GET /v1/credit_notes", "CreditNoteListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List credit notes: https://docs.stripe.com/api/credit_notes/list."""
    same = {k: p[k] for k in ("customer", "invoice") if k in p}
    return world.page("credit_note", p, lambda n: all(n[k] == v for k, v in same.items()))


@route("POST /v1/credit_notes/{note}/void", "CreditNoteVoidCreditNoteParams")
def void(world: World, p: Obj, note: str) -> Obj:
    """Void a note on an open invoice: https://docs.stripe.com/api/credit_notes/void."""
    found = world.get("credit_note", note, "note")
    invoice = world.get("invoice", found["invoice"])
    if found["status"] == "void" or invoice["status"] != "open":
        raise invalid("You can only void a credit note on an open invoice.")
    found["status"], found["voided_at"] = "void", world.now(invoice)
    invoice["pre_payment_credit_notes_amount"] -= found["amount"]
    invoice["amount_due"] += found["amount"]
    invoice["amount_remaining"] = invoice["amount_due"]
    emit(world, "credit_note.voided", found)
    return found
