"""`python -m bench.relay`: what a call of a hook costs, by how many plugins are installed and how many are on.

The best of many short runs, so that other work on the machine does not count; the limit of each line is
1 µs + 1 µs for each plugin that is on.
"""

from __future__ import annotations

import sys
import timeit
from types import FunctionType, SimpleNamespace
from typing import Any

from pluggy import PluginManager

from plugins.relay import Relay
from plugins.rules import PROJECT, Mode, hookimpl, rules_of, spec

GRID = ((0, 0), (10, 0), (10, 5), (10, 10), (50, 0), (50, 5), (50, 50))
CALLS, RUNS = 100, 2_000


@spec(Mode.CONTRIBUTE, item=str)
def kehu_words(ctx: object, limit: int) -> list[str]:
    """Return words. Fires in this bench only. Mode C."""
    raise NotImplementedError


def words(ctx: object, limit: int) -> list[str]:
    """Answer as a trivial plugin does."""
    return ["word"]


def relay_with(installed: int) -> Relay:
    """Return a relay with so many plugins that implement the hook."""
    specs = SimpleNamespace(kehu_words=kehu_words)
    manager = PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    for number in range(installed):
        # A function of its own, because the marker is set on it.
        own = hookimpl(FunctionType(words.__code__, words.__globals__, "kehu_words"))
        manager.register(SimpleNamespace(kehu_words=own), name=slug(number))
    return Relay(manager, rules_of(specs), order=[slug(number) for number in range(installed)])


def slug(number: int) -> str:
    """Return the name of a plugin."""
    return f"plugin_{number:02}"


def microseconds(installed: int, on: int) -> float:
    """Return what one call costs."""
    relay, enabled = relay_with(installed), frozenset(slug(number) for number in range(on))
    context: Any = object()

    def call() -> None:
        relay.collect("kehu_words", enabled=enabled, tenant="t", ctx=context, limit=5)

    assert len(relay.collect("kehu_words", enabled=enabled, tenant="t", ctx=context, limit=5)) == on
    return min(timeit.repeat(call, number=CALLS, repeat=RUNS)) / CALLS * 1e6


def main() -> None:
    """Measure, print, and fail when a line is above its limit."""
    print("| installed | on | µs a call | limit µs |\n|---|---|---|---|")
    above = 0
    for installed, on in GRID:
        cost = microseconds(installed, on)
        above += cost > 1 + on
        print(f"| {installed} | {on} | {cost:.2f} | {1 + on} |")
    sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
