"""What a ledger says of subscriptions and invoices, as the mirror takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.facts import moment
from billing.snapshot import AddonState, InvoiceState, SubscriptionState


def subscription(sub: Mapping[str, Any]) -> SubscriptionState:
    """Return a subscription of a ledger."""
    started = moment(sub["started_at"])
    assert started is not None
    return SubscriptionState(
        provider_id=sub["id"],
        status=sub["status"],
        plan=sub["plan"],
        interval=sub["interval"],
        currency=sub["currency"],
        seats=sub["seats"],
        started_at=started,
        period_start=moment(sub["period_start"]),
        period_end=moment(sub["period_end"]),
        cancel_at=moment(sub["cancel_at"]),
        stopped_at=moment(sub["stopped_at"]),
        pending=sub["pending"],
        coupon=sub.get("coupon"),
        addons=tuple(AddonState(**one) for one in sub.get("addons") or ()),
        by_invoice=bool(sub.get("by_invoice")),
        raw={name: dict(sub.get(name) or {}) for name in ("counts", "free_from")},
    )


def invoice(invoice: Mapping[str, Any], due: int) -> InvoiceState:
    """Return an invoice of a ledger, with what is still to be paid of it."""
    made = moment(invoice["made_at"])
    assert made is not None
    return InvoiceState(
        provider_id=invoice["id"],
        number=invoice["number"],
        status=invoice["status"],
        currency=invoice["currency"],
        net=invoice["net"],
        tax=invoice["tax"],
        total=invoice["total"],
        paid=invoice["paid"],
        due=due,
        tax_note=invoice["tax_note"],
        made_at=made,
        due_at=moment(invoice.get("due_at")),
        paid_at=moment(invoice["paid_at"]),
        lines=tuple(invoice["lines"]),
        raw={"buyer": invoice["buyer"]} if "buyer" in invoice else {},
    )
