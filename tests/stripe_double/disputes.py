"""Disputes: https://docs.stripe.com/disputes/how-disputes-work; the test card …0259 makes one at once."""

from __future__ import annotations

from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

WEEK = 7 * 86400


def open_dispute(world: World, charge: str, reason: str = "fraudulent") -> Obj:
    """Open a dispute as a card holder's bank does; a dispute names its charge, not the customer."""
    disputed = world.get("charge", charge, "charge")
    if disputed["disputed"]:
        raise invalid("This charge is already disputed.", "charge")
    disputed["disputed"] = True
    dispute = world.new(
        "dispute",
        "dp",
        omit=("intended_submission_method", "network_reason_code", "payment_method_details"),
        amount=disputed["amount"],
        charge=charge,
        created=world.now(disputed["_clock"]),
        currency=disputed["currency"],
        metadata={},
        payment_intent=disputed["payment_intent"],
        reason=reason,
        status="needs_response",
    )
    dispute["evidence_details"] |= {"due_by": dispute["created"] + WEEK, "submission_method": "not_submitted"}
    emit(world, "charge.dispute.created", dispute)
    emit(world, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(world: World, dispute: str, status: str) -> Obj:
    """Close a dispute as ``won`` or ``lost``."""
    found = world.get("dispute", dispute, "dispute")
    if status not in ("won", "lost"):
        raise invalid("A dispute ends won or lost.", "status")
    with Watch(world, "charge.dispute.closed", found):
        found["status"] = status
    if status == "won":
        world.get("charge", found["charge"])["disputed"] = False
        emit(world, "charge.dispute.funds_reinstated", found)
    return found


@route("GET /v1/disputes/{dispute}", "DisputeRetrieveParams")
def retrieve(world: World, p: Obj, dispute: str) -> Obj:
    """Return a dispute: https://docs.stripe.com/api/disputes/retrieve."""
    return world.get("dispute", dispute)


@route("GET /v1/disputes", "DisputeListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List disputes: https://docs.stripe.com/api/disputes/list."""
    same = {k: p[k] for k in ("charge", "payment_intent") if k in p}
    return world.page("dispute", p, lambda d: all(d[k] == v for k, v in same.items()))


@route("POST /v1/disputes/{dispute}/close", "DisputeCloseParams")
def give_in(world: World, p: Obj, dispute: str) -> Obj:
    """Accept a dispute; it counts as lost: https://docs.stripe.com/api/disputes/close."""
    return close(world, dispute, "lost")
