"""Turning what Stripe answers into plain data. Nothing else of ours reads its objects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing import addon_prices
from billing.catalogue import catalogue
from billing.facts import written
from billing.snapshot import (
    AddonState,
    CreditNoteState,
    DisputeState,
    InvoiceState,
    RefundState,
    SubscriptionState,
)
from billing.taxes import tax_on

SEATS = "seat"
"""Kind of the item that stands for seats, in its metadata; an item without one counts as such."""

Plain = Mapping[str, Any]


def jsonable(value: Any) -> Any:
    """Return data that JSON can hold: the SDK makes decimals of amounts below a cent."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


def moment(value: Any) -> dt.datetime | None:
    """Return a timestamp of Stripe as a moment."""
    return dt.datetime.fromtimestamp(int(value), dt.UTC) if value else None


def plan_of(price: Plain) -> tuple[str, str]:
    """Return plan and interval of a price by its lookup key; both empty for one that is not of the catalogue."""
    key = price.get("lookup_key") or ""
    for plan in catalogue().plans.values():
        for interval, currency in plan.prices:
            if plan.lookup_key(interval, currency) == key:
                return plan.ref, interval
    metadata = price.get("metadata") or {}
    known = catalogue().plan(metadata.get("plan"))
    recurring = price.get("recurring") or {}
    return (known.ref, recurring.get("interval") or "") if known else ("", recurring.get("interval") or "")


def seat_item(found: Plain) -> Plain:
    """Return the item of a subscription that stands for seats."""
    items = [one for one in _items(found) if _addon(one) is None]
    seat = next((one for one in items if (one.get("metadata") or {}).get("kind", SEATS) == SEATS), None)
    return seat or (items[0] if items else {})


def addon_items(found: Plain) -> list[tuple[str, int, Plain]]:
    """Return the items of a subscription that stand for paid add-ons, with slug and version of their prices."""
    known = [(_addon(one), one) for one in _items(found)]
    return [(named[0], named[1], one) for named, one in known if named is not None and not named[2]]


def meter_items(found: Plain) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the items of a subscription that stand for what add-ons count: (slug, meter) -> ids of item and price."""
    known = [(_addon(one), one) for one in _items(found)]
    return {
        (named[0], named[2]): (str(one["id"]), str((one.get("price") or {}).get("id", "")))
        for named, one in known
        if named is not None and named[2]
    }


def addons(found: Plain) -> tuple[AddonState, ...]:
    """Return the add-ons of a subscription as the mirror takes them."""
    return tuple(
        AddonState(
            slug=slug,
            version=version,
            per=_per(slug, version, item),
            quantity=int(item.get("quantity") or 0),
            item=str(item["id"]),
        )
        for slug, version, item in addon_items(found)
    )


def _per(slug: str, version: int, item: Plain) -> str:
    """Return whether it is paid by firm or seat: as the price says, else as its manifest does."""
    said = ((item.get("price") or {}).get("metadata") or {}).get("per")
    manifest = addon_prices.sold(slug)
    return str(said or (manifest.pricing.per if manifest is not None else "firm"))


def _items(found: Plain) -> list[Plain]:
    return list((found.get("items") or {}).get("data") or [])


def _addon(item: Plain) -> tuple[str, int, str] | None:
    """Return slug, version and meter of an item that belongs to an add-on."""
    return addon_prices.of_lookup_key(str((item.get("price") or {}).get("lookup_key") or ""))


def subscription(found: Plain) -> SubscriptionState:
    """Return a subscription as the mirror takes it; the period stands on its items.

    A change that waits for its payment is none that waits for the end of the period: it stands in `raw` alone.
    """
    seat = seat_item(found)
    plan, interval = plan_of(seat.get("price") or {})
    return SubscriptionState(
        provider_id=str(found["id"]),
        status=str(found["status"]),
        plan=plan,
        interval=interval,
        currency=str(found.get("currency") or "").upper(),
        seats=int(seat.get("quantity") or 0),
        by_invoice=found.get("collection_method") == "send_invoice",
        started_at=moment(found.get("start_date") or found.get("created"))
        or dt.datetime.fromtimestamp(0, dt.UTC),
        period_start=moment(seat.get("current_period_start")),
        period_end=moment(seat.get("current_period_end")),
        cancel_at=moment(found.get("cancel_at")),
        stopped_at=moment(found.get("ended_at")),
        tells_pending=False,
        addons=addons(found),
        coupon=_coupon(found.get("discounts") or ()),
        raw=jsonable(found),
    )


def _coupon(discounts: Sequence[Any]) -> dict[str, Any] | None:
    """Return the percentage that a subscription holds; a coupon of the dashboard is named as it is there."""
    for one in discounts:
        coupon = (one.get("source") or {}).get("coupon") if isinstance(one, Mapping) else None
        if isinstance(coupon, Mapping) and coupon.get("percent_off"):
            code = (coupon.get("metadata") or {}).get("code") or coupon.get("name") or coupon["id"]
            until = written(moment(one.get("end")))
            return {"code": str(code), "percent": int(coupon["percent_off"]), "until": until}
    return None


def invoice(found: Plain) -> InvoiceState:
    """Return an invoice as the mirror takes it."""
    changes = found.get("status_transitions") or {}
    taxes = found.get("total_taxes") or []
    total = int(found.get("total") or 0)
    net = int(total if found.get("total_excluding_tax") is None else found["total_excluding_tax"])
    return InvoiceState(
        provider_id=str(found["id"]),
        number=str(found.get("number") or ""),
        status=str(found.get("status") or ""),
        currency=str(found.get("currency") or "").upper(),
        net=net,
        tax=sum(int(one.get("amount") or 0) for one in taxes),
        total=total,
        paid=int(found.get("amount_paid") or 0),
        due=int(found.get("amount_remaining") or 0),
        tax_note=_tax_note(net, taxes),
        made_at=moment(changes.get("finalized_at") or found.get("created"))
        or dt.datetime.fromtimestamp(0, dt.UTC),
        due_at=moment(found.get("due_date")),
        paid_at=moment(changes.get("paid_at")),
        lines=tuple(_line(one) for one in (found.get("lines") or {}).get("data") or []),
        raw={},
    )


def credit_note(found: Plain) -> CreditNoteState:
    """Return a credit note as the mirror takes it."""
    taxes = found.get("total_taxes") or []
    tax = sum(int(one.get("amount") or 0) for one in taxes)
    total = int(found.get("total") or 0)
    return CreditNoteState(
        provider_id=str(found["id"]),
        invoice_id=str(found.get("invoice") or ""),
        number=str(found.get("number") or ""),
        status=str(found.get("status") or ""),
        currency=str(found.get("currency") or "").upper(),
        net=total - tax,
        tax=tax,
        total=total,
        made_at=_made(found),
        refunded=sum(int(one.get("amount_refunded") or 0) for one in found.get("refunds") or []),
        tax_note=_tax_note(total - tax, taxes),
        reason=str(found.get("memo") or ""),
        request_id=str((found.get("metadata") or {}).get("operation") or ""),
    )


def refund(found: Plain, credit_note_id: str = "") -> RefundState:
    """Return a refund as the mirror takes it."""
    return RefundState(
        provider_id=str(found["id"]),
        status=str(found.get("status") or ""),
        currency=str(found.get("currency") or "").upper(),
        amount=int(found.get("amount") or 0),
        made_at=_made(found),
        credit_note_id=credit_note_id,
        charge_id=str(found.get("charge") or ""),
    )


def dispute(found: Plain) -> DisputeState:
    """Return a dispute as the mirror takes it."""
    return DisputeState(
        provider_id=str(found["id"]),
        charge_id=str(found.get("charge") or ""),
        status=str(found.get("status") or ""),
        reason=str(found.get("reason") or ""),
        currency=str(found.get("currency") or "").upper(),
        amount=int(found.get("amount") or 0),
        made_at=_made(found),
    )


def _made(found: Plain) -> dt.datetime:
    return moment(found.get("created")) or dt.datetime.fromtimestamp(0, dt.UTC)


def tax_id(found: Plain) -> tuple[str, str]:
    """Return a tax id and how its verification stands; a kind that nobody verifies is `unavailable`."""
    return str(found.get("value") or ""), str(
        (found.get("verification") or {}).get("status") or "unavailable"
    )


def _tax_note(net: int, taxes: Sequence[Plain]) -> str:
    """Return why so much tax is charged, in the codes of the fixed rates.

    The rate itself stands at another object; it is worked out from what was taxed, to a tenth of a percent.
    """
    tax = sum(int(one.get("amount") or 0) for one in taxes)
    if tax:
        taxed = sum(int(one.get("taxable_amount") or 0) for one in taxes) or net
        return f"rate:{_percent(tax, taxed)}"
    reasons = {str(one.get("taxability_reason")) for one in taxes}
    return next((code for reason, code in _UNTAXED if reason in reasons), "outside")


_UNTAXED = (
    ("reverse_charge", "reverse"),
    ("customer_exempt", "exempt"),
    ("product_exempt", "zero"),
    ("not_subject_to_tax", "zero"),
    ("zero_rated", "zero"),
)
"""Stripe's reasons for no tax -> ours; all others say that nobody collects it there (`outside`)."""


def _percent(tax: int, taxed: int) -> str:
    """Return a rate; one of the catalogue that comes to the same tax, or else the nearest tenth."""
    near = Decimal(100 * tax) / taxed
    fitting = [rate for rate in set(catalogue().tax.rates.values()) if tax_on(taxed, rate) == tax]
    found = min(fitting, key=lambda rate: abs(rate - near), default=near.quantize(Decimal("0.1")))
    return f"{found.normalize():f}"


def _line(found: Plain) -> Plain:
    period = found.get("period") or {}
    return {
        "text": str(found.get("description") or ""),
        "amount": int(found.get("amount") or 0),
        "quantity": found.get("quantity"),
        "from": period.get("start"),
        "until": period.get("end"),
    }


def customer_of(event: Plain) -> str | None:
    """Return the customer that an event's object names, in any version's shape; None when it names none."""
    found = (event.get("data") or {}).get("object") or {}
    if not isinstance(found, Mapping):
        return None
    if found.get("object") == "customer":
        named: Any = found.get("id")
    else:
        named = found.get("customer")
    if isinstance(named, Mapping):
        named = named.get("id")
    return named if isinstance(named, str) and named.startswith("cus_") and len(named) <= 255 else None
