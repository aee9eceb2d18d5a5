"""Test clocks: https://docs.stripe.com/billing/testing/test-clocks and /api/test_clocks."""

from __future__ import annotations

from tests.stripe_double.dates import add_interval
from tests.stripe_double.errors import invalid
from tests.stripe_double.events import emit
from tests.stripe_double.routes import render, route
from tests.stripe_double.world import Obj, World

KIND = "test_helpers.test_clock"
MONTH = 30 * 86400


@route("POST /v1/test_helpers/test_clocks", "test_helpers.TestClockCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a clock: https://docs.stripe.com/api/test_clocks/create."""
    now = world.now()
    clock = world.new(
        KIND,
        "clock",
        created=now,
        deletes_after=now + MONTH,
        frozen_time=p["frozen_time"],
        name=p.get("name"),
        status="ready",
        status_details={},
    )
    emit(world, "test_helpers.test_clock.created", clock)
    return clock


@render(KIND)
def _render(world: World, shown: Obj) -> Obj:
    shown.pop("_of")
    return shown


@route("GET /v1/test_helpers/test_clocks/{clock}", "test_helpers.TestClockRetrieveParams")
def retrieve(world: World, p: Obj, clock: str) -> Obj:
    """Return a clock: https://docs.stripe.com/api/test_clocks/retrieve."""
    return world.get(KIND, clock)


@route("GET /v1/test_helpers/test_clocks", "test_helpers.TestClockListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List clocks: https://docs.stripe.com/api/test_clocks/list."""
    return world.page(KIND, p)


@route("POST /v1/test_helpers/test_clocks/{clock}/advance", "test_helpers.TestClockAdvanceParams")
def advance(world: World, p: Obj, clock: str) -> Obj:
    """Go forward, at most two intervals of the shortest subscription: https://docs.stripe.com/api/test_clocks/advance.

    Everything due until then happens in its order. The answer says ``advancing``; the clock is ``ready`` when asked
    again.
    """
    found, target = world.get(KIND, clock, "clock"), p["frozen_time"]
    start = found["frozen_time"]
    if target <= start:
        message = "Test clock's frozen_time must be a time after its current frozen time."
        raise invalid(message, "frozen_time")
    if target > _limit(world, clock, start):
        message = "You can advance a test clock at most two intervals of its shortest subscription at a time."
        raise invalid(message, "frozen_time")
    advancing = dict(found, status="advancing", status_details={"advancing": {"target_frozen_time": target}})
    emit(world, "test_helpers.test_clock.advancing", advancing)
    world.run_due(clock, target)
    found["frozen_time"] = target
    found.pop("_now", None)
    emit(world, "test_helpers.test_clock.ready", found)
    return advancing


def _limit(world: World, clock: str, start: int) -> int:
    ends = []
    for subscription in world.all("subscription", test_clock=clock):
        if subscription["status"] in ("canceled", "incomplete_expired"):
            continue
        for item in subscription["_items"]:
            recurring = world.objects[world.objects[item]["price"]]["recurring"]
            ends.append(add_interval(start, recurring["interval"], 2 * recurring["interval_count"], None))
    return min(ends, default=add_interval(start, "year", 2, None))


@route("DELETE /v1/test_helpers/test_clocks/{clock}", "test_helpers.TestClockDeleteParams")
def delete(world: World, p: Obj, clock: str) -> Obj:
    """Delete a clock with its customers and all that is theirs: https://docs.stripe.com/api/test_clocks/delete."""
    found = world.get(KIND, clock, "clock")
    emit(world, "test_helpers.test_clock.deleted", found)
    for obj in list(world.objects.values()):
        if clock in (obj.get("test_clock"), obj.get("_clock")) and obj["object"] not in ("event", KIND):
            world.drop(obj)
    return world.drop(found)
