"""The state of the double: objects by id, families in order of creation, time, timers."""

from __future__ import annotations

import heapq
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.stripe_double import sdk
from tests.stripe_double.errors import invalid, missing

Obj = dict[str, Any]
_ALPHABET = string.ascii_letters + string.digits
TIMERS: dict[str, Callable[[World, str], None]] = {}


def timer(function: Callable[[World, str], None]) -> Callable[[World, str], None]:
    """Register what happens to an object when its moment comes."""
    TIMERS[function.__name__] = function
    return function


def real_time() -> int:
    """Read the machine's clock in whole seconds, as Stripe's timestamps are."""
    return time.time_ns() // 10**9


class World:
    """One Stripe account in test mode; everything is reached under one lock."""

    def __init__(self, address: str = "http://127.0.0.1") -> None:
        self.lock = threading.RLock()
        self.address = address
        self.skew = 0
        self.settings: Obj = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything, as a new account."""
        self.objects: dict[str, Obj] = {}
        self.families: dict[str, list[str]] = {}
        self.places: dict[str, int] = {}
        self.agenda: list[tuple[int, int, str, str]] = []
        self.tick = 0
        self.request: Obj = {"id": None, "idempotency_key": None}
        self.settings = {"retries": [3, 5, 7], "after_retries": "cancel"}
        self.settings |= {"head_office": "DE", "registrations": {"DE": 19, "FR": 20, "FI": 25.5}}
        self.on_event: Callable[[Obj], None] | None = getattr(self, "on_event", None)

    # --- objects -------------------------------------------------------------------------------------------

    def new(
        self, kind: str, prefix: str, given: str | None = None, omit: tuple[str, ...] = (), **values: Any
    ) -> Obj:
        """Make and keep an object with every field of the SDK's class."""
        cls = sdk.class_of(kind)
        assert cls is not None, kind
        obj = sdk.blank(cls, omit) | {"id": given or self.name(prefix)} | values
        self.keep(obj)
        return obj

    def keep(self, obj: Obj) -> None:
        """Keep an object under its id, at the end of its family."""
        self.objects[obj["id"]] = obj
        family = self.families.setdefault(obj["object"], [])
        self.places[obj["id"]] = len(family)
        family.append(obj["id"])

    @staticmethod
    def name(prefix: str) -> str:
        """Make an id as Stripe's look: a prefix and random letters."""
        return prefix + "_" + "".join(secrets.choice(_ALPHABET) for _ in range(24))

    def get(self, kind: str, identifier: Any, param: str | None = None) -> Obj:
        """Find an object by id or refuse with ``resource_missing``."""
        obj = self.objects.get(identifier) if isinstance(identifier, str) else None
        if obj is None or obj["object"] != kind or (obj.get("deleted") and param):
            raise missing(kind.replace("_", " "), str(identifier), param)
        return obj

    def all(self, kind: str, **same: Any) -> Iterator[Obj]:
        """Go through a family, the newest first, deleted ones left out."""
        for identifier in reversed(self.families.get(kind, [])):
            obj = self.objects.get(identifier)
            if obj and not obj.get("deleted") and all(obj.get(k) == v for k, v in same.items()):
                yield obj

    def drop(self, obj: Obj) -> Obj:
        """Delete an object; a stub stays, as for customers: https://docs.stripe.com/api/customers/delete."""
        stub = {"id": obj["id"], "object": obj["object"], "deleted": True}
        self.objects[obj["id"]] = stub
        return stub

    # --- time ----------------------------------------------------------------------------------------------

    def now(self, clock: Obj | str | None = None) -> int:
        """Tell the time of a test clock or, without one, of the machine."""
        if isinstance(clock, dict):
            clock = clock.get("test_clock") or clock.get("_clock")
        if clock and clock in self.objects:
            return int(self.objects[clock].get("_now") or self.objects[clock]["frozen_time"])
        return real_time() + self.skew

    def at(self, when: int, what: str, identifier: str) -> None:
        """Do something to an object at a moment of its clock."""
        self.tick += 1
        heapq.heappush(self.agenda, (when, self.tick, what, identifier))

    def run_due(self, clock: str | None, until: int) -> None:
        """Do what is due on one clock up to a moment, in order of time."""
        later: list[tuple[int, int, str, str]] = []
        while self.agenda and self.agenda[0][0] <= until:
            entry = heapq.heappop(self.agenda)
            obj = self.objects.get(entry[3])
            if obj is None or obj.get("deleted"):
                continue
            if obj.get("test_clock") != clock:
                later.append(entry)
                continue
            if clock:
                holder = self.objects[clock]
                holder["_now"] = max(entry[0], self.now(clock))
            TIMERS[entry[2]](self, entry[3])
        for entry in later:
            heapq.heappush(self.agenda, entry)

    # --- lists ---------------------------------------------------------------------------------------------

    def page(self, kind: str, p: Obj, where: Callable[[Obj], bool] | None = None) -> Obj:
        """Answer a list, newest first, by cursor: https://docs.stripe.com/api/pagination."""
        limit = p.get("limit", 10)
        if not 1 <= limit <= 100:
            raise invalid("Invalid integer: limit must be between 1 and 100", "limit")
        family = self.families.get(kind, [])
        step, start = -1, len(family) - 1
        if p.get("starting_after") and p.get("ending_before"):
            raise invalid(
                "You cannot parameterize by both starting_after and ending_before.", "ending_before"
            )
        if after := p.get("starting_after"):
            start = self.places[self.get(kind, after, "starting_after")["id"]] - 1
        elif before := p.get("ending_before"):
            step, start = 1, self.places[self.get(kind, before, "ending_before")["id"]] + 1
        found: list[Obj] = []
        place = start
        while 0 <= place < len(family) and len(found) <= limit:
            obj = self.objects.get(family[place])
            place += step
            if (
                obj
                and not obj.get("deleted")
                and _created(obj, p.get("created"))
                and (not where or where(obj))
            ):
                found.append(obj)
        more = len(found) > limit
        found = found[:limit]
        return {"object": "list", "data": found if step < 0 else found[::-1], "has_more": more, "url": ""}


def _created(obj: Obj, span: Any) -> bool:
    """Compare ``created`` with the filter that lists take, a moment or gt/gte/lt/lte."""
    if span is None:
        return True
    if not isinstance(span, dict):
        return bool(obj["created"] == span)
    tests = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    return all(tests[name](obj["created"], value) for name, value in span.items())
