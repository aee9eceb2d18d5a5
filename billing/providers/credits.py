"""What a ledger gives back: credit notes on its invoices, and credit that the next invoice uses up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing.facts import moment, written
from billing.snapshot import CreditNoteState, RefundState

State = dict[str, Any]


def due(state: Mapping[str, Any], invoice: Mapping[str, Any]) -> int:
    """Return what is still to be paid of an invoice."""
    if invoice["status"] != "open":
        return 0
    return max(int(invoice["total"]) - int(invoice.get("used", 0)) - _credited(state, invoice["id"]), 0)


def pay(state: Mapping[str, Any], invoice: State, at: dt.datetime) -> None:
    """Let an open invoice be paid with what is due."""
    paid = due(state, invoice)
    invoice |= {"status": "paid", "paid": paid, "paid_at": written(at)}


def use_credit(state: State, invoice: State) -> None:
    """Let a new invoice use up what the firm has as credit in its currency; one with nothing left is paid.

    One below nought, as of a larger plan with far fewer seats, is credit itself.
    """
    kept = state.setdefault("credit", {})
    if int(invoice["total"]) <= 0:
        kept[invoice["currency"]] = int(kept.get(invoice["currency"], 0)) - int(invoice["total"])
        invoice |= {"status": "paid", "paid": 0, "paid_at": invoice["made_at"]}
        return
    used = min(int(kept.get(invoice["currency"], 0)), int(invoice["total"]))
    if not used:
        return
    kept[invoice["currency"]] -= used
    invoice["used"] = used
    if invoice["status"] == "paid":
        invoice["paid"] = invoice["total"] - used
    elif used == invoice["total"]:
        invoice |= {"status": "paid", "paid_at": invoice["made_at"]}


def void(state: State, invoice: State) -> None:
    """Call an open invoice off; the credit that it used up is there again."""
    kept, used = state.setdefault("credit", {}), int(invoice.pop("used", 0))
    kept[invoice["currency"]] = int(kept.get(invoice["currency"], 0)) + used
    invoice["status"] = "void"


def give_back(
    state: State,
    invoice: State,
    amount: int,
    at: dt.datetime,
    *,
    refund: bool,
    reason: str,
    note_id: str,
    number: str,
) -> None:
    """Write a credit note: an open invoice is reduced, of a paid one the money goes back or is kept as credit."""
    paid = invoice["status"] == "paid"
    note = {
        "id": note_id,
        "invoice": invoice["id"],
        "number": number,
        "currency": invoice["currency"],
        "total": amount,
        "tax": part_of(invoice["tax"], amount, invoice["total"]),
        "refunded": amount if refund and paid else 0,
        "tax_note": invoice["tax_note"],
        "reason": reason,
        "made_at": written(at),
    }
    state.setdefault("notes", []).append(note)
    if paid and not refund:
        kept = state.setdefault("credit", {})
        kept[invoice["currency"]] = int(kept.get(invoice["currency"], 0)) + amount
    if not paid and not due(state, invoice):
        invoice |= {"status": "paid", "paid_at": written(at)}


def part_of(tax: int, amount: int, total: int) -> int:
    """Return the tax in a part of an invoice, rounded half up."""
    return int((Decimal(tax) * amount / total).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def notes(state: Mapping[str, Any]) -> tuple[CreditNoteState, ...]:
    """Return the credit notes as the mirror takes them."""
    return tuple(_note(one) for one in state.get("notes", ()))


def refunds(state: Mapping[str, Any]) -> tuple[RefundState, ...]:
    """Return what went back to the payer."""
    return tuple(
        RefundState(
            provider_id=f"refund_{one['id']}",
            status="succeeded",
            currency=one["currency"],
            amount=one["refunded"],
            made_at=_made(one),
            credit_note_id=one["id"],
        )
        for one in state.get("notes", ())
        if one["refunded"]
    )


def _note(one: Mapping[str, Any]) -> CreditNoteState:
    return CreditNoteState(
        provider_id=one["id"],
        invoice_id=one["invoice"],
        number=one["number"],
        status="issued",
        currency=one["currency"],
        net=one["total"] - one["tax"],
        tax=one["tax"],
        total=one["total"],
        made_at=_made(one),
        refunded=one["refunded"],
        tax_note=one["tax_note"],
        reason=one["reason"],
    )


def _made(one: Mapping[str, Any]) -> dt.datetime:
    found = moment(one["made_at"])
    assert found is not None
    return found


def _credited(state: Mapping[str, Any], invoice_id: str) -> int:
    return sum(int(one["total"]) for one in state.get("notes", ()) if one["invoice"] == invoice_id)
