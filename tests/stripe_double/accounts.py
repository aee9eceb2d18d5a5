"""The account that the key belongs to: https://docs.stripe.com/api/accounts."""

from __future__ import annotations

from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

ACCOUNT = "acct_1DoubleOfStripe000"


@route("GET /v1/account", "AccountRetrieveCurrentParams")
def retrieve(world: World, p: Obj) -> Obj:
    """Return the account; test mode is not a field of it: https://docs.stripe.com/api/accounts/retrieve."""
    return {
        "id": ACCOUNT,
        "object": "account",
        "charges_enabled": True,
        "country": "DE",
        "default_currency": "eur",
        "details_submitted": True,
        "email": "double@example.com",
        "payouts_enabled": True,
        "type": "standard",
    }
