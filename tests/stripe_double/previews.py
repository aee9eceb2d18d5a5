"""Previews of invoices: https://docs.stripe.com/api/invoices/create_preview."""

from __future__ import annotations

from copy import deepcopy

from tests.stripe_double import coupons, invoice_items, invoices, lifecycle, lines, stripe_tax
from tests.stripe_double.changes import Change, work_out
from tests.stripe_double.dates import add_interval
from tests.stripe_double.errors import invalid
from tests.stripe_double.fields import only
from tests.stripe_double.lines import Bill, Span
from tests.stripe_double.meters import metered
from tests.stripe_double.routes import route
from tests.stripe_double.subscriptions import price_of
from tests.stripe_double.world import Obj, World

DETAILS = (
    "items",
    "proration_behavior",
    "proration_date",
    "billing_cycle_anchor",
    "trial_end",
    "cancel_at_period_end",
)


@route("POST /v1/invoices/create_preview", "InvoiceCreatePreviewParams")
def create_preview(world: World, p: Obj) -> Obj:
    """Show an invoice and keep nothing: https://docs.stripe.com/api/invoices/create_preview.

    With ``always_invoice`` the answer is the invoice that the change itself makes; otherwise it is the next renewal
    with the prorations on it.
    """
    only(p, ("customer", "subscription", "subscription_details", "currency", "discounts", "automatic_tax"))
    details = p.get("subscription_details") or {}
    only(details, (*DETAILS, "default_tax_rates"))
    if "subscription" not in p:
        return _of_new(world, p, details)
    subscription = world.get("subscription", p["subscription"], "subscription")
    if subscription["status"] in lifecycle.ENDED or (
        subscription["cancel_at_period_end"] and not details.get("items")
    ):
        raise invalid("No upcoming invoices for customer", code="invoice_upcoming_none", status=404)
    bill = invoices.bill_of(world, subscription)
    if "discounts" in p:
        bill.discounts = _discounts(world, p, world.get("customer", subscription["customer"]))
    bill.automatic = bool(p.get("automatic_tax", subscription["automatic_tax"])["enabled"])
    planned = work_out(world, subscription, details)
    waiting = deepcopy(invoice_items.take_pending(world, bill))
    if planned.invoices_now:
        made, reason, span = [*planned.prorations, *planned.periods], "subscription_update", planned.span
    else:
        made, span = _next(world, subscription, planned, bill)
        made, reason = [*planned.prorations, *made], "upcoming"
    now = world.now(subscription)
    invoice = invoices.draft(
        world, bill, reason, [*waiting, *made], keep=False, period_start=span.start, period_end=span.end
    )
    if planned.prorations:
        invoice["parent"]["subscription_details"]["subscription_proration_date"] = planned.since
    invoice["next_payment_attempt"] = now if planned.invoices_now else span.start + 3600
    return invoice


def _discounts(world: World, p: Obj, customer: Obj) -> list[str]:
    """Return the coupons of the request as discounts that nothing uses up."""
    holder = dict(customer, id=None, customer=customer["id"])
    return coupons.redeem(world, p.get("discounts") or [], holder, "invoice", counted=False)


def _next(world: World, subscription: Obj, planned: Change, bill: Bill) -> tuple[list[Obj], Span]:
    start = planned.span.end
    made = []
    span = Span(start, start)
    for target in planned.targets:
        if target.quantity is None or metered(target.price):
            continue
        recurring = target.price["recurring"]
        anchor = subscription["billing_cycle_anchor"]
        span = Span(start, add_interval(start, recurring["interval"], recurring["interval_count"], anchor))
        subject = target.item or {"id": "si_new", "_tax_rates": target.given.get("tax_rates")}
        made.append(lines.period(world, bill, subject, target.price, target.quantity, span))
    return made, span


def _of_new(world: World, p: Obj, details: Obj) -> Obj:
    """Preview the first invoice of a subscription that does not exist."""
    customer = world.get("customer", p.get("customer"), "customer")
    wanted = [(price_of(world, one), one) for one in details.get("items") or []]
    if not wanted:
        raise invalid("You must pass a subscription or items to preview.", "subscription_details")
    currency = (p.get("currency") or customer["currency"] or wanted[0][0]["currency"]).lower()
    discounts = _discounts(world, p, customer)
    automatic = bool((p.get("automatic_tax") or {}).get("enabled"))
    bill = Bill(customer, currency, discounts, list(details.get("default_tax_rates") or []), None, automatic)
    if automatic and stripe_tax.place_of(customer):
        stripe_tax.check(world, customer, [one for one, _given in wanted], bill.tax_rates)
    now = world.now(customer)
    made = []
    span = Span(now, now)
    for price, one in wanted:
        recurring = price["recurring"]
        span = Span(now, add_interval(now, recurring["interval"], recurring["interval_count"], None))
        subject = {"id": "si_new", "_tax_rates": one.get("tax_rates")}
        made.append(lines.period(world, bill, subject, price, one.get("quantity", 1), span))
    return invoices.draft(world, bill, "upcoming", made, keep=False, period_start=now, period_end=span.end)
