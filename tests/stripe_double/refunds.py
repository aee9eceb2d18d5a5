"""Refunds: https://docs.stripe.com/refunds and https://docs.stripe.com/api/refunds."""

from __future__ import annotations

from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

_ABSENT = "description failure_balance_transaction failure_reason instructions_email next_action presentment_details"


@route("POST /v1/refunds", "RefundCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Give money back, all or in part, never more than was paid: https://docs.stripe.com/api/refunds/create."""
    only(p, ("charge", "payment_intent", "amount", "reason", "metadata"))
    if "payment_intent" in p:
        intent = world.get("payment_intent", p["payment_intent"], "payment_intent")
        charge = world.get("charge", intent["latest_charge"], "payment_intent")
    else:
        charge = world.get("charge", p.get("charge"), "charge")
    refund = make(world, charge, p.get("amount"), p.get("reason"))
    put_metadata(refund, p)
    return refund


def make(world: World, charge: Obj, amount: int | None, reason: str | None) -> Obj:
    """Refund a charge and note it there."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise invalid("Charge has been charged back; cannot issue a refund.", code="charge_disputed")
    if not left:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount"
        )
    refund = world.new(
        "refund",
        "re",
        omit=tuple(_ABSENT.split()),
        amount=amount,
        charge=charge["id"],
        created=world.now(charge["_clock"]),
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details={"type": "card", "card": {"reference_status": "pending", "type": "refund"}},
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=reason,
        status="succeeded",
    )
    with Watch(world, "charge.refunded", charge):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    emit(world, "refund.created", refund)
    return refund


@route("GET /v1/refunds/{refund}", "RefundRetrieveParams")
def retrieve(world: World, p: Obj, refund: str) -> Obj:
    """Return a refund: https://docs.stripe.com/api/refunds/retrieve."""
    return world.get("refund", refund)


@route("GET /v1/refunds", "RefundListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List refunds: https://docs.stripe.com/api/refunds/list."""
    same = {k: p[k] for k in ("charge", "payment_intent") if k in p}
    return world.page("refund", p, lambda r: all(r[k] == v for k, v in same.items()))
