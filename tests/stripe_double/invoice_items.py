"""Items that wait for the next invoice: https://docs.stripe.com/api/invoiceitems."""

from __future__ import annotations

from tests.stripe_double import amounts, lines
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.lines import Bill, Span
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World


@route("POST /v1/invoiceitems", "InvoiceItemCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Make an item by hand: https://docs.stripe.com/api/invoiceitems/create."""
    only(p, "customer amount currency description pricing quantity metadata invoice subscription".split())
    customer = world.get("customer", p.get("customer"), "customer")
    currency = (p.get("currency") or customer["currency"] or "eur").lower()
    quantity, price = p.get("quantity", 1), None
    if "pricing" in p:
        price = world.get("price", p["pricing"]["price"], "pricing[price]")
        amount = amounts.whole(amounts.exact(price, currency, quantity))
    elif "amount" in p:
        amount = p["amount"]
    else:
        raise invalid("You must pass amount or pricing.", "amount")
    now = world.now(customer)
    bill = Bill(customer, currency, [], [], p.get("subscription"))
    parent = {"type": "invoice_item_details", "subscription_item_details": None, "invoice_item_details": None}
    text = p.get("description") or (lines.name_of(world, price, quantity) if price else "")
    line = lines.make(
        world,
        bill,
        amount=amount,
        text=text,
        span=Span(now, now),
        price=price,
        quantity=quantity,
        parent=parent,
    )
    item = wait(world, bill, line)
    put_metadata(item, p)
    if invoice := p.get("invoice"):
        from tests.stripe_double.invoices import sum_up

        target = world.get("invoice", invoice, "invoice")
        if target["status"] != "draft":
            raise invalid("This invoice is no longer editable", "invoice", "invoice_not_editable")
        item["invoice"] = target["id"]
        target["_lines"].append(line)
        sum_up(world, target)
    return item


def wait(world: World, bill: Bill, line: Obj) -> Obj:
    """Keep a line as an item until an invoice takes it."""
    details = line["parent"]["subscription_item_details"]
    of = {
        "subscription": bill.subscription,
        "subscription_item": details["subscription_item"] if details else None,
    }
    item = world.new(
        "invoiceitem",
        "ii",
        omit=("frozen_fields", "invoicing_rules", "net_amount"),
        amount=line["amount"],
        currency=line["currency"],
        customer=bill.customer["id"],
        date=line["period"]["start"],
        description=line["description"],
        discountable=line["discountable"],
        discounts=[],
        metadata={},
        parent={"type": "subscription_details", "subscription_details": of} if bill.subscription else None,
        period=dict(line["period"]),
        pricing=line["pricing"],
        proration=bool(details and details["proration"]),
        quantity=line["quantity"],
        quantity_decimal=str(line["quantity"]),
        tax_rates=[],
        test_clock=bill.customer["test_clock"],
        created=world.now(bill.customer),
        _line=line,
    )
    item["_created"] = item.pop("created")
    if details:
        details["invoice_item"] = item["id"]
    else:
        line["parent"]["invoice_item_details"] = {
            "invoice_item": item["id"], "proration": False, "proration_details": {"credited_items": None},
            "subscription": bill.subscription,
        }  # fmt: skip
    emit(world, "invoiceitem.created", item)
    return item


def pending(world: World, customer: str, subscription: str | None) -> list[Obj]:
    """Find the items that the next invoice of a subscription (or of none) will take."""
    return [
        item
        for item in world.all("invoiceitem", customer=customer, invoice=None)
        if ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")
        in (subscription, None)
    ][::-1]


def drop_prorations(world: World, subscription: str) -> None:
    """Drop the prorations of a subscription that no invoice has taken."""
    for item in world.all("invoiceitem", invoice=None):
        of = ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")
        if item["proration"] and of == subscription:
            world.drop(item)


def take_pending(world: World, bill: Bill) -> list[Obj]:
    """Return the lines of waiting items; the invoice that takes them marks the items."""
    return [item["_line"] for item in pending(world, bill.customer["id"], bill.subscription)]


@route("GET /v1/invoiceitems", "InvoiceItemListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List items: https://docs.stripe.com/api/invoiceitems/list."""
    waits = p.get("pending")
    return world.page(
        "invoiceitem",
        dict(p, created=None),
        lambda i: (
            p.get("customer") in (None, i["customer"])
            and p.get("invoice") in (None, i["invoice"])
            and waits in (None, i["invoice"] is None)
        ),
    )


@route("GET /v1/invoiceitems/{item}", "InvoiceItemRetrieveParams")
def retrieve(world: World, p: Obj, item: str) -> Obj:
    """Return an item: https://docs.stripe.com/api/invoiceitems/retrieve."""
    return world.get("invoiceitem", item)


@route("DELETE /v1/invoiceitems/{item}", "InvoiceItemDeleteParams")
def delete(world: World, p: Obj, item: str) -> Obj:
    """Delete an item that no finalized invoice took: https://docs.stripe.com/api/invoiceitems/delete."""
    found = world.get("invoiceitem", item, "item")
    if found["invoice"]:
        raise invalid("This invoice item is attached to an invoice.", code="invoice_not_editable")
    emit(world, "invoiceitem.deleted", found)
    return world.drop(found)
