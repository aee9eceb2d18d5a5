"""Which function answers which address, and the answers' shape: rendering, expansion."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.stripe_double.errors import invalid
from tests.stripe_double.world import Obj, World

Handler = Callable[..., Obj]


@dataclass(frozen=True)
class Route:
    """One address of the API, with the SDK's name of its parameters."""

    method: str
    path: str
    pattern: re.Pattern[str]
    params: str
    handler: Handler


ROUTES: list[Route] = []
RENDER: dict[str, Callable[[World, Obj], Obj]] = {}
INCLUDE: dict[tuple[str, str], Callable[[World, Obj], Any]] = {}


def route(address: str, params: str) -> Callable[[Handler], Handler]:
    """Give an address to a function: ``POST /v1/customers/{customer}``."""
    method, path = address.split(" ")
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"\Z")

    def add(handler: Handler) -> Handler:
        ROUTES.append(Route(method, path, pattern, params, handler))
        return handler

    return add


def render(kind: str) -> Callable[[Callable[[World, Obj], Obj]], Callable[[World, Obj], Obj]]:
    """Say how a kind of object looks in an answer when that is more than its fields."""

    def add(function: Callable[[World, Obj], Obj]) -> Callable[[World, Obj], Obj]:
        RENDER[kind] = function
        return function

    return add


def includable(kind: str, field: str) -> Callable[[Callable[[World, Obj], Any]], Callable[[World, Obj], Any]]:
    """Declare a field that answers have only when asked: https://docs.stripe.com/api/expanding_objects."""

    def add(function: Callable[[World, Obj], Any]) -> Callable[[World, Obj], Any]:
        INCLUDE[kind, field] = function
        return function

    return add


def public(world: World, obj: Obj) -> Obj:
    """Show an object as an answer shows it: a copy without what the double keeps for itself."""
    if obj.get("object") == "list":
        return {**obj, "data": [public(world, one) for one in obj["data"]]}
    shown = {k: _copy(v) for k, v in obj.items() if not k.startswith("_")}
    more = RENDER.get(obj.get("object", ""))
    return more(world, shown | {"_of": obj}) if more and not obj.get("deleted") else shown


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    return [_copy(v) for v in value] if isinstance(value, list) else value


def listing(items: list[Obj], url: str) -> Obj:
    """Wrap objects that another object contains as a list."""
    return {"object": "list", "data": items, "has_more": False, "url": url}


def expand(world: World, shown: Obj, paths: list[str]) -> None:
    """Replace ids by objects, four levels deep at most: https://docs.stripe.com/api/expanding_objects."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > (5 if parts[0] == "data" else 4):
            raise invalid(f"You cannot expand more than 4 levels of a property. Property: {path}", "expand")
        _expand(world, shown, parts, path)


def _expand(world: World, here: Any, parts: list[str], path: str) -> None:
    if isinstance(here, list):
        for one in here:
            _expand(world, one, parts, path)
        return
    if here is None or not parts:
        return
    name, rest = parts[0], parts[1:]
    include = INCLUDE.get((here.get("object", ""), name))
    if here.get(name) is None and include:
        here[name] = include(world, here)
    elif name not in here:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    value = here[name]
    if isinstance(value, str):
        if value not in world.objects:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        here[name] = public(world, world.objects[value])
    elif isinstance(value, list):
        here[name] = [public(world, world.objects[v]) if isinstance(v, str) else v for v in value]
    _expand(world, here[name], rest, path)
