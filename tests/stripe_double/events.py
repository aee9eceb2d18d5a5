"""Events: https://docs.stripe.com/api/events and https://docs.stripe.com/event-destinations."""

from __future__ import annotations

from typing import Any

from tests.stripe_double import sdk
from tests.stripe_double.routes import public, route
from tests.stripe_double.world import Obj, World, real_time


def emit(world: World, kind: str, obj: Obj, before: Obj | None = None) -> Obj | None:
    """Record that something happened; ``before`` is how the object was shown until now.

    ``previous_attributes`` holds the old values of what changed (https://docs.stripe.com/api/events/object). Events are
    dated with real time, also for objects on a test clock.
    """
    shown = public(world, obj)
    data: Obj = {"object": shown}
    if before is not None:
        data["previous_attributes"] = changed(before, shown)
        if not data["previous_attributes"] and kind.endswith(".updated"):
            return None
    event = world.new(
        "event",
        "evt",
        omit=("account", "context"),
        api_version=sdk.API_VERSION,
        created=real_time(),
        data=data,
        livemode=False,
        pending_webhooks=0,
        request=dict(world.request),
        type=kind,
    )
    if world.on_event:
        world.on_event(event)
    return event


def changed(before: Obj, after: Obj) -> Obj:
    """Return the old values of the fields that differ, into nested records but not into lists."""
    old: Obj = {}
    for name, value in before.items():
        now: Any = after.get(name)
        if value == now:
            continue
        both = isinstance(value, dict) and isinstance(now, dict) and value.get("object") != "list"
        old[name] = changed(value, now) if both else value
    return old | {name: None for name in after if name not in before}


class Watch:
    """Emit an ``updated`` event when the block has changed an object."""

    def __init__(self, world: World, kind: str, obj: Obj) -> None:
        self.world, self.kind, self.obj = world, kind, obj
        self.before = public(world, obj)

    def __enter__(self) -> Obj:
        return self.obj

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if not failed:
            emit(self.world, self.kind, self.obj, self.before)


@route("GET /v1/events", "EventListParams")
def list_events(world: World, p: Obj) -> Obj:
    """List events: https://docs.stripe.com/api/events/list."""
    kinds = set(p.get("types") or ([p["type"]] if p.get("type") else []))
    return world.page("event", p, lambda e: not kinds or e["type"] in kinds)


@route("GET /v1/events/{event}", "EventRetrieveParams")
def retrieve_event(world: World, p: Obj, event: str) -> Obj:
    """Return one event: https://docs.stripe.com/api/events/retrieve."""
    return world.get("event", event)
