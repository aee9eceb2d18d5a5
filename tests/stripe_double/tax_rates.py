"""Tax rates: https://docs.stripe.com/api/tax_rates and https://docs.stripe.com/billing/taxes/tax-rates."""

from __future__ import annotations

from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import only, put, put_metadata
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

PLAIN = ("active", "country", "description", "display_name", "jurisdiction", "state", "tax_type")


@route("POST /v1/tax_rates", "TaxRateCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a rate: https://docs.stripe.com/api/tax_rates/create."""
    only(p, (*PLAIN, "inclusive", "percentage", "metadata"))
    made = world.new("tax_rate", "txr", active=True, created=world.now(), rate_type="percentage", metadata={})
    put(made, p, (*PLAIN, "inclusive", "percentage"))
    made["effective_percentage"] = made["percentage"]
    put_metadata(made, p)
    emit(world, "tax_rate.created", made)
    return made


@route("GET /v1/tax_rates/{tax_rate}", "TaxRateRetrieveParams")
def retrieve(world: World, p: Obj, tax_rate: str) -> Obj:
    """Return a rate: https://docs.stripe.com/api/tax_rates/retrieve."""
    return world.get("tax_rate", tax_rate)


@route("POST /v1/tax_rates/{tax_rate}", "TaxRateUpdateParams")
def update(world: World, p: Obj, tax_rate: str) -> Obj:
    """Change what may change; the percentage never does: https://docs.stripe.com/api/tax_rates/update."""
    only(p, (*PLAIN, "metadata"))
    found = world.get("tax_rate", tax_rate, "tax_rate")
    with Watch(world, "tax_rate.updated", found):
        put(found, p, PLAIN)
        put_metadata(found, p)
    return found


@route("GET /v1/tax_rates", "TaxRateListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List rates: https://docs.stripe.com/api/tax_rates/list."""
    same = {k: p[k] for k in ("active", "inclusive") if k in p}
    return world.page("tax_rate", p, lambda o: all(o[k] == v for k, v in same.items()))
