"""Charges, made by payment intents: https://docs.stripe.com/api/charges."""

from __future__ import annotations

from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World


@route("GET /v1/charges/{charge}", "ChargeRetrieveParams")
def retrieve_charge(world: World, p: Obj, charge: str) -> Obj:
    """Return a charge: https://docs.stripe.com/api/charges/retrieve."""
    return world.get("charge", charge)


@route("GET /v1/charges", "ChargeListParams")
def list_charges(world: World, p: Obj) -> Obj:
    """List charges: https://docs.stripe.com/api/charges/list."""
    same = {k: p[k] for k in ("customer", "payment_intent") if k in p}
    return world.page("charge", p, lambda c: all(c[k] == v for k, v in same.items()))
