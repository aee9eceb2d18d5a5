"""The customer portal: https://docs.stripe.com/customer-management and /api/customer_portal/sessions.

The stand-in page offers the card and the tax id only; changing plan or quantity there is switched off in Kehu.
"""

from __future__ import annotations

import html

from werkzeug.wrappers import Response

from tests.stripe_double import tax_ids
from tests.stripe_double.errors import Refusal
from tests.stripe_double.events import Watch
from tests.stripe_double.fields import only
from tests.stripe_double.pages import Form, card_form, page, shown
from tests.stripe_double.payment_methods import attach_to, make
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World


@route("POST /v1/billing_portal/sessions", "billing_portal.SessionCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Open a portal session: https://docs.stripe.com/api/customer_portal/sessions/create."""
    only(p, ("customer", "return_url", "configuration", "locale"))
    customer = world.get("customer", p.get("customer"), "customer")
    identifier = world.name("bps")
    return world.new(
        "billing_portal.session",
        "bps",
        identifier,
        omit=("after_expiration",),
        configuration=p.get("configuration") or "bpc_double",
        created=world.now(),
        customer=customer["id"],
        locale=p.get("locale"),
        return_url=p.get("return_url"),
        url=f"{world.address}/p/session/{identifier}",
    )


@page("/p/session/{session}")
def portal_page(world: World, form: Form | None, session: str) -> Response:
    """Change the card or add a tax id, as a person at the portal does: https://docs.stripe.com/customer-management."""
    found = world.get("billing_portal.session", session)
    customer = world.get("customer", found["customer"], "customer")
    alert = ""
    try:
        if form and form.get("act") == "pay":
            method = attach_to(world, make(world, form["card"]), customer)
            with Watch(world, "customer.updated", customer):
                customer["invoice_settings"]["default_payment_method"] = method["id"]
        elif form and form.get("act") == "tax":
            tax_ids.add(world, customer, {"type": form["type"], "value": form["value"]})
    except Refusal as refusal:
        alert = str(refusal)
    back = f"<p><a href='{html.escape(found['return_url'])}'>Back</a></p>" if found["return_url"] else ""
    kinds = "".join(f"<option>{kind}</option>" for kind in tax_ids.FORMS)
    tax = f"<form method=post><label>Kind <select name=type>{kinds}</select></label>"
    tax += "<label>Number <input name=value></label>"
    tax += "<button name=act value=tax>Add tax id</button></form>"
    return shown("Customer portal", card_form("Use this card", alert) + tax + back)
