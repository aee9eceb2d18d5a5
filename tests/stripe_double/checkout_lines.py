"""The lines of a Checkout session: https://docs.stripe.com/api/checkout/sessions/line_items."""

from __future__ import annotations

from tests.stripe_double.routes import includable, listing, public, route
from tests.stripe_double.world import Obj, World


@includable("checkout.session", "line_items")
def line_items(world: World, shown: Obj) -> Obj:
    """Show the lines when asked: https://docs.stripe.com/api/checkout/sessions/object."""
    return listing(
        _lines(world, world.objects[shown["id"]]), f"/v1/checkout/sessions/{shown['id']}/line_items"
    )


def _lines(world: World, session: Obj) -> list[Obj]:
    done = []
    for line in session["_lines"]:
        price = world.objects[line["pricing"]["price_details"]["price"]]
        added = sum(t["amount"] for t in line["taxes"] if t["tax_behavior"] == "exclusive")
        done.append(
            {
                "id": line["id"].replace("il_", "li_"),
                "object": "item",
                "adjustable_quantity": None,
                "amount_discount": 0,
                "amount_subtotal": line["amount"],
                "amount_tax": sum(t["amount"] for t in line["taxes"]),
                "amount_total": line["amount"] + added,
                "currency": line["currency"],
                "description": world.objects[price["product"]]["name"],
                "metadata": {},
                "price": public(world, price),
                "quantity": line["quantity"],
            }
        )
    return done


@route("GET /v1/checkout/sessions/{session}/line_items", "checkout.SessionListLineItemsParams")
def list_items(world: World, p: Obj, session: str) -> Obj:
    """List the lines: https://docs.stripe.com/api/checkout/sessions/line_items."""
    found = _lines(world, world.get("checkout.session", session))
    return listing(found, f"/v1/checkout/sessions/{session}/line_items")
