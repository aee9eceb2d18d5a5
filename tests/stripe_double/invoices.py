"""Invoices: https://docs.stripe.com/api/invoices and https://docs.stripe.com/invoicing/overview."""

from __future__ import annotations

from typing import Any

from tests.stripe_double import invoice_payments, lines, stripe_tax
from tests.stripe_double.amounts import gather
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import only, put, put_metadata
from tests.stripe_double.lines import Bill
from tests.stripe_double.routes import listing, public, render, route
from tests.stripe_double.world import Obj, World

HOUR, DAY = 3600, 86400


def bill_of(world: World, subscription: Obj) -> Bill:
    """Say how invoices of a subscription are made out."""
    customer = world.get("customer", subscription["customer"])
    now = world.now(subscription)
    standing = [
        d
        for d in subscription["discounts"]
        if world.objects[d]["end"] is None or world.objects[d]["end"] > now
    ]
    rates = list(subscription["_tax_rates"])
    automatic = bool(subscription["automatic_tax"]["enabled"])
    return Bill(customer, subscription["currency"], standing, rates, subscription["id"], automatic)


def draft(world: World, bill: Bill, reason: str, made: list[Obj], keep: bool = True, **values: Any) -> Obj:
    """Make a draft with its lines summed up; a preview is not kept and tells nobody."""
    customer, now = bill.customer, world.now(bill.customer)
    subscription = world.objects.get(bill.subscription or "")
    invoice: Obj = _blank(world)
    invoice |= {
        "id": world.name("in") if keep else world.name("upcoming_in"),
        "account_country": "DE",
        "account_name": "Double",
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": bill.currency,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [
            {"type": t["type"], "value": t["value"]} for t in world.all("tax_id", customer=customer["id"])
        ],
        "discounts": list(bill.discounts),
        "auto_advance": True,
        "starting_balance": customer["balance"],
        "status": "draft",
        "test_clock": customer["test_clock"],
        "period_start": now,
        "period_end": now,
        "_lines": made,
        "_tax_rates": list(bill.tax_rates),
        "_bill": bill,
        "_attempted_method": None,
    }
    if subscription:
        invoice["collection_method"] = subscription["collection_method"]
        details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
        invoice["parent"] = {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": details,
        }
    invoice |= values
    sum_up(world, invoice)
    if keep:
        for line in made:
            line["invoice"] = invoice["id"]
            details = line["parent"]["subscription_item_details"] or line["parent"]["invoice_item_details"]
            if waiting := world.objects.get(details["invoice_item"] or ""):
                waiting["invoice"] = invoice["id"]
        world.keep(invoice)
        if subscription:
            subscription["latest_invoice"] = invoice["id"]
            used = {d["discount"] for d in invoice["total_discount_amounts"]}
            # A coupon of duration ``once`` is used up by the first invoice that it reduces.
            subscription["discounts"] = [
                d
                for d in subscription["discounts"]
                if d not in used or world.objects[d]["_coupon"]["duration"] != "once"
            ]
        if not customer["currency"]:
            customer["currency"] = bill.currency
        emit(world, "invoice.created", invoice)
    return invoice


def _blank(world: World) -> Obj:
    made = world.new("invoice", "in", omit=("confirmation_secret", "payments", "amount_paid_off_stripe"))
    world.objects.pop(made["id"])
    world.places.pop(made["id"])
    world.families["invoice"].pop()
    automatic = stripe_tax.state(False, None)
    return made | {"issuer": {"type": "self"}, "metadata": {}, "automatic_tax": automatic}


def sum_up(world: World, invoice: Obj) -> None:
    """Work discounts, taxes and totals out."""
    bill, made = invoice["_bill"], invoice["_lines"]
    invoice["automatic_tax"] = stripe_tax.state(bill.automatic, bill.customer)
    for line in made:
        line["discount_amounts"], line["discounts"] = [], []
    lines.discount(world, bill, made)
    lines.tax(world, bill, made)
    subtotal = sum(line["amount"] for line in made)
    off = gather(made, "discount_amounts", lambda d: d["discount"])
    taxes = gather(made, "taxes", lambda t: t["tax_rate_details"]["tax_rate"])
    added = sum(t["amount"] for t in taxes if t["tax_behavior"] == "exclusive")
    inside = sum(t["amount"] for t in taxes if t["tax_behavior"] == "inclusive")
    total = subtotal - sum(d["amount"] for d in off) + added
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inside,
        "total": total,
        "total_excluding_tax": total - added - inside,
        "total_discount_amounts": off,
        "total_pretax_credit_amounts": [dict(d, type="discount") for d in off],
        "total_taxes": taxes,
    }
    due = max(0, total + (invoice["starting_balance"] if total > 0 else 0))
    invoice["amount_due"] = invoice["amount_remaining"] = due


def finalize(world: World, invoice: Obj) -> Obj:
    """Fix an invoice: number, balance, link: https://docs.stripe.com/invoicing/integration/workflow-transitions.

    Credit of the customer is used first; a negative total becomes credit; nothing due means paid.
    """
    from tests.stripe_double.customers import adjust

    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized.", code="invoice_not_editable")
    customer = world.get("customer", invoice["customer"])
    with Watch(world, "invoice.updated", invoice):
        invoice["starting_balance"] = customer["balance"]
        sum_up(world, invoice)
        used = _balance_change(invoice["total"], customer["balance"])
        invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
        customer["next_invoice_sequence"] += 1
        invoice["status"] = "open"
        invoice["ending_balance"] = customer["balance"] + used
        now = world.now(invoice)
        invoice["effective_at"] = invoice["status_transitions"]["finalized_at"] = now
        invoice["automatically_finalizes_at"] = None
        if invoice["collection_method"] == "send_invoice" and not invoice["due_date"]:
            invoice["due_date"] = now + DAY * (invoice.get("_days") or 30)
        link = f"{world.address}/pages/invoice/{invoice['id']}"
        invoice["hosted_invoice_url"], invoice["invoice_pdf"] = link, f"{link}/pdf"
    adjust(world, customer, used, "applied_to_invoice", invoice=invoice["id"], currency=invoice["currency"])
    emit(world, "invoice.finalized", invoice)
    if not invoice["amount_due"]:
        invoice_payments.mark_paid(world, invoice)
    else:
        invoice_payments.open_payment(world, invoice)
    return invoice


def _balance_change(total: int, balance: int) -> int:
    """Return what an invoice adds to the balance: https://docs.stripe.com/billing/customer/balance."""
    if total <= 0:
        return total
    return min(-balance, total) if balance < 0 else -balance


def void(world: World, invoice: Obj) -> Obj:
    """Void an open invoice; credit it used comes back."""
    from tests.stripe_double.customers import adjust

    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid("You can only pass in open invoices. This invoice isn't open.")
    invoice_payments.close_payment(world, invoice, "void_invoice")
    customer = world.get("customer", invoice["customer"])
    if not customer.get("deleted"):
        used = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
        adjust(
            world,
            customer,
            -used,
            "unapplied_from_invoice",
            invoice=invoice["id"],
            currency=invoice["currency"],
        )
    invoice["status"], invoice["auto_advance"], invoice["next_payment_attempt"] = "void", False, None
    invoice["status_transitions"]["voided_at"] = world.now(invoice)
    emit(world, "invoice.voided", invoice)
    return invoice


@render("invoice")
def _render(world: World, shown: Obj) -> Obj:
    of = shown.pop("_of")
    shown["default_tax_rates"] = [public(world, world.objects[r]) for r in of["_tax_rates"]]
    found = [{k: v for k, v in line.items() if not k.startswith("_")} for line in of["_lines"]]
    shown["lines"] = listing(found, f"/v1/invoices/{of['id']}/lines")
    return shown


@route("GET /v1/invoices/{invoice}", "InvoiceRetrieveParams")
def retrieve(world: World, p: Obj, invoice: str) -> Obj:
    """Return an invoice: https://docs.stripe.com/api/invoices/retrieve."""
    return world.get("invoice", invoice)


@route("GET /v1/invoices", "InvoiceListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List invoices: https://docs.stripe.com/api/invoices/list."""
    known = "customer subscription status collection_method "
    known += "limit starting_after ending_before created"
    only(p, known.split())
    same = {k: p[k] for k in ("customer", "status", "collection_method") if k in p}
    wanted = p.get("subscription")

    def fits(invoice: Obj) -> bool:
        of = ((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription")
        return all(invoice[k] == v for k, v in same.items()) and (not wanted or of == wanted)

    return world.page("invoice", p, fits)


@route("POST /v1/invoices/{invoice}", "InvoiceUpdateParams")
def update(world: World, p: Obj, invoice: str) -> Obj:
    """Change a draft, or little of a finished one: https://docs.stripe.com/api/invoices/update."""
    only(p, ("metadata", "description", "footer", "auto_advance", "default_payment_method"))
    found = world.get("invoice", invoice, "invoice")
    with Watch(world, "invoice.updated", found):
        put(found, p, ("description", "footer", "auto_advance", "default_payment_method"))
        put_metadata(found, p)
    return found
