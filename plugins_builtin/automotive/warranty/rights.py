"""Rights that follow: who may add a reading thereby changes when a coverage is expected to end."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from kehu.api import Actor

Scope = Literal["own", "team", "all"]


def able(who: Actor, *names: str) -> Actor:
    """Return an actor who may write further records on behalf of what he did."""
    more: dict[str, Scope] = {f"{name}:{action}": "all" for name in names for action in ("read", "write")}
    return replace(who, permissions={**who.permissions, **more})
