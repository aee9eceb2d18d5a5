"""Usage that is counted by meters and billed when a period ends: https://docs.stripe.com/billing/subscriptions/usage-based."""

from __future__ import annotations

from tests.stripe_double import amounts, lines
from tests.stripe_double.errors import invalid
from tests.stripe_double.fields import only
from tests.stripe_double.lines import Bill, Span
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

OLDEST = 35 * 86400
AHEAD = 300
DAY = 86400


@route("POST /v1/billing/meters", "billing.MeterCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a meter; one event name has one meter that is active: https://docs.stripe.com/api/billing/meter/create."""
    only(p, ("display_name", "event_name", "default_aggregation", "customer_mapping", "value_settings"))
    if p["default_aggregation"]["formula"] != "sum":
        raise invalid("The double knows meters that sum up only.", "default_aggregation[formula]")
    if next(world.all("billing.meter", event_name=p["event_name"], status="active"), None):
        raise invalid(f"A meter with the event name {p['event_name']} exists already.", "event_name")
    now = world.now()
    return world.new(
        "billing.meter",
        "mtr",
        created=now,
        updated=now,
        display_name=p["display_name"],
        event_name=p["event_name"],
        status="active",
        default_aggregation=dict(p["default_aggregation"]),
        customer_mapping={"event_payload_key": "stripe_customer_id", "type": "by_id"}
        | p.get("customer_mapping", {}),
        value_settings={"event_payload_key": "value"} | p.get("value_settings", {}),
        status_transitions={"deactivated_at": None},
        _events=[],
    )


@route("GET /v1/billing/meters", "billing.MeterListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List meters: https://docs.stripe.com/api/billing/meter/list."""
    return world.page("billing.meter", p, lambda o: p.get("status") in (None, o["status"]))


@route("GET /v1/billing/meters/{meter}", "billing.MeterRetrieveParams")
def retrieve(world: World, p: Obj, meter: str) -> Obj:
    """Return a meter: https://docs.stripe.com/api/billing/meter/retrieve."""
    return world.get("billing.meter", meter)


@route("POST /v1/billing/meter_events", "billing.MeterEventCreateParams")
def count(world: World, p: Obj) -> Obj:
    """Count something: https://docs.stripe.com/api/billing/meter-event/create.

    An identifier is taken once within a day, whole numbers only, no older than 35 days and no more than five minutes
    ahead: https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api.
    """
    only(p, ("event_name", "payload", "identifier", "timestamp"))
    meter = next(world.all("billing.meter", event_name=p["event_name"], status="active"), None)
    if meter is None:
        raise invalid(f"No active meter has the event name {p['event_name']}.", "event_name")
    payload = p["payload"]
    customer = world.get("customer", payload.get("stripe_customer_id"), "payload[stripe_customer_id]")
    value = str(payload.get("value", ""))
    if not value.lstrip("-").isdecimal():
        raise invalid("The value of a meter event is a whole number.", "payload[value]")
    now = world.now(customer)
    at = int(p.get("timestamp", now))
    if not now - OLDEST <= at <= now + AHEAD:
        raise invalid(
            "The timestamp must be within the past 35 days and at most 5 minutes ahead.", "timestamp"
        )
    identifier = p.get("identifier") or world.name("mevt")
    taken = [one for one in meter["_events"] if one["identifier"] == identifier and one["seen"] > now - DAY]
    if taken:
        raise invalid(f"An event already exists with identifier {identifier}.", "identifier")
    event = {"identifier": identifier, "customer": customer["id"], "value": int(value), "at": at, "seen": now}
    meter["_events"].append(event)
    return {
        "object": "billing.meter_event",
        "created": now,
        "event_name": p["event_name"],
        "identifier": identifier,
        "livemode": False,
        "payload": dict(payload),
        "timestamp": at,
    }


def metered(price: Obj) -> bool:
    """Tell whether a price is for usage: https://docs.stripe.com/api/prices/object#price_object-recurring-usage_type."""
    return bool(price["recurring"]) and price["recurring"]["usage_type"] == "metered"


def line(world: World, bill: Bill, item: Obj, price: Obj, span: Span) -> Obj:
    """Charge what was counted in a span, from the day on which the item was added.

    https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup (flexible billing mode).
    """
    meter = world.get("billing.meter", price["recurring"]["meter"], "meter")
    start = max(span.start, item.get("_since", span.start))
    used = sum(
        one["value"]
        for one in meter["_events"]
        if one["customer"] == bill.customer["id"] and start <= one["at"] < span.end
    )
    used = max(0, used)
    return lines.make(
        world,
        bill,
        amount=amounts.whole(amounts.exact(price, bill.currency, used)),
        text=lines.name_of(world, price, used),
        span=Span(start, span.end),
        price=price,
        quantity=used,
        parent=lines.item_parent(bill.subscription, item["id"], False),
        rates=list(item.get("_tax_rates") or []),
    )


def ended(world: World, bill: Bill, subscription: Obj, span: Span) -> list[Obj]:
    """Charge what all metered items counted in a period that has ended; nothing for a trial."""
    if subscription["status"] == "trialing":
        return []
    items = [world.objects[identifier] for identifier in subscription["_items"]]
    return [
        line(world, bill, item, world.objects[item["price"]], span)
        for item in items
        if metered(world.objects[item["price"]])
    ]
