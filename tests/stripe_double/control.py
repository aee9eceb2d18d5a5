"""The control route ``/_control/…``: what tests order that no Stripe address could.

``GET state``; ``POST reset``, ``faults`` (see ``faults.py``), ``settings``, ``endpoint``, ``resend``, ``idle``,
``time`` (``skew`` in seconds for objects without a test clock), ``seed``, ``dispute``, ``card``, ``tax_id``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from tests.stripe_double import customers, disputes, payment_methods, subscriptions, tax_ids
from tests.stripe_double.delivery import Endpoint
from tests.stripe_double.errors import Refusal
from tests.stripe_double.routes import public
from tests.stripe_double.world import Obj

if TYPE_CHECKING:
    from tests.stripe_double.server import Double


def answer(double: Double, request: Request) -> Response:
    """Carry out one order."""
    order = request.path.removeprefix("/_control/")
    given = json.loads(request.get_data() or b"{}")
    try:
        done = ORDERS[order](double, given)
    except (KeyError, ValueError, Refusal) as error:
        return Response(json.dumps({"error": repr(error)}), 400, content_type="application/json")
    return Response(json.dumps(done), 200, content_type="application/json")


def state(double: Double, given: Obj) -> Any:
    """Count the objects and list what was delivered."""
    with double.world.lock:
        counts = {kind: len(ids) for kind, ids in double.world.families.items()}
    return {"objects": counts, "attempts": double.post.attempts[-1000:]}


def reset(double: Double, given: Obj) -> Any:
    """Begin anew; the endpoint that was given at the start stays."""
    with double.world.lock:
        double.world.reset()
    double.keys.clear()
    double.faults.clear()
    double.post.attempts.clear()
    double.world.skew, double.latency = 0, 0.0
    return {}


def faults(double: Double, given: Obj) -> Any:
    """Order a fault, or call all off with ``{"clear": true}``."""
    double.faults.clear() if given.get("clear") else double.faults.add(given)
    return {}


def settings(double: Double, given: Obj) -> Any:
    """Set the account's retry days, what follows them, webhook delays, latency."""
    if "webhook_delays" in given:
        double.post.delays = given.pop("webhook_delays")
    double.latency = given.pop("latency", double.latency)
    unknown = set(given) - set(double.world.settings)
    if unknown:
        raise ValueError(f"unknown settings {sorted(unknown)}")
    double.world.settings |= given
    return double.world.settings


def endpoint(double: Double, given: Obj) -> Any:
    """Point webhooks elsewhere or sign with other secrets (two while one is rolled)."""
    double.post.endpoints["we_given"] = Endpoint(given["url"], given["secrets"], given.get("kinds", ["*"]))
    return {}


def resend(double: Double, given: Obj) -> Any:
    """Deliver a recorded event again, as ``stripe events resend`` does."""
    event = double.world.get("event", given["event"])
    for target in double.post.endpoints.values():
        for _ in range(given.get("copies", 1)):
            double.post.queue(target, event)
    return {}


def idle(double: Double, given: Obj) -> Any:
    """Wait until every delivery is done."""
    return {"idle": double.post.idle(given.get("timeout", 10))}


def shift(double: Double, given: Obj) -> Any:
    """Move the time of everything that has no test clock and do what has become due."""
    with double.world.lock:
        double.world.skew = given["skew"]
        double.world.run_due(None, double.world.now())
    return {"now": double.world.now()}


def seed(double: Double, given: Obj) -> Any:
    """Make many customers, each with a card, a subscription to a price and its first invoice, without requests."""
    world, made = double.world, []
    with world.lock:
        world.on_event = None
        for _ in range(given["count"]):
            customer = customers.create(world, {})
            method = payment_methods.attach_to(world, payment_methods.make(world, "pm_card_visa"), customer)
            customer["invoice_settings"]["default_payment_method"] = method["id"]
            items = [{"price": given["price"], "quantity": given["seats"]}]
            done = subscriptions.create(world, {"customer": customer["id"], "items": items})
            made.append([customer["id"], done["id"], done["latest_invoice"]])
        world.on_event = double.post.send
    return made


def dispute(double: Double, given: Obj) -> Any:
    """Open a dispute on a charge, or close one as ``won`` or ``lost``."""
    with double.world.lock:
        if "dispute" in given:
            return public(double.world, disputes.close(double.world, given["dispute"], given["status"]))
        return public(double.world, disputes.open_dispute(double.world, given["charge"]))


def card(double: Double, given: Obj) -> Any:
    """Let a saved card behave as another test card from now on, as when a bank changes its mind."""
    with double.world.lock:
        method = double.world.get("payment_method", given["payment_method"])
        method["_behaviour"] = payment_methods.BEHAVIOUR[given["like"]]
    return {}


def tax_id(double: Double, given: Obj) -> Any:
    """End the verification of a tax id as ``verified``, ``unverified`` or ``unavailable``."""
    with double.world.lock:
        return public(double.world, tax_ids.verify(double.world, given["tax_id"], given["status"]))


ORDERS = {
    "state": state,
    "reset": reset,
    "faults": faults,
    "settings": settings,
    "endpoint": endpoint,
    "resend": resend,
    "idle": idle,
    "time": shift,
    "seed": seed,
    "dispute": dispute,
    "card": card,
    "tax_id": tax_id,
}
