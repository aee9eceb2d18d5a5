"""How many requests of one plugin run at once in a process, so that a slow one never takes all its threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic

SLOW = 1.0
"""Seconds after which whoever holds a seat is taken to be slow; nobody waits behind such a one."""

PATIENCE = 0.25
"""Seconds to wait for a seat while those before are quick."""


class SeatsTaken(Exception):
    """Raised when no seat came free in time."""


class Seats:
    """Seats by name; `most` of them for each."""

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self._since: dict[str, list[float]] = defaultdict(list)
        self._change = Condition()

    @contextmanager
    def taken(self, name: str) -> Iterator[None]:
        """Hold a seat for the block.

        :raises SeatsTaken: when all are held by slow ones, or none came free.
        """
        start = self._take(name)
        try:
            yield
        finally:
            with self._change:
                self._since[name].remove(start)
                self._change.notify()

    def _take(self, name: str) -> float:
        with self._change:
            held = self._since[name]
            deadline = monotonic() + PATIENCE
            while len(held) >= self.most:
                now = monotonic()
                if now >= deadline or max(held) < now - SLOW:
                    raise SeatsTaken(name)
                self._change.wait(deadline - now)
            start = monotonic()
            held.append(start)
            return start
