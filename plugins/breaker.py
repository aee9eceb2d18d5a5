"""A circuit breaker per tenant, plugin and hook: what fails again and again is left alone for a while.

Pure counting; the clock is handed in. Counters live in one process: what must be known everywhere (`Trip`) is
returned to the caller, who stores it.
"""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import NamedTuple


class Key(NamedTuple):
    """Where faults are counted."""

    tenant: Hashable
    plugin: str
    hook: str


class Trip(StrEnum):
    """What a fault brought about."""

    OPENED = "opened"
    """This hook of the plugin rests for this tenant."""
    EVERYWHERE = "everywhere"
    """Several tenants tripped: the plugin rests for all."""
    QUARANTINED = "quarantined"
    """It kept failing after each rest: the platform should hold the plugin for this tenant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When the breaker opens, and for how long. Times are in seconds."""

    faults: int = 5
    window: float = 60.0
    cooldown: float = 30.0
    tenants: int = 3
    reopens: int = 3
    reopen_window: float = 3600.0
    keys: int = 10_000


@dataclass(slots=True)
class _Circuit:
    faults: deque[float] = field(default_factory=deque)
    reopened: deque[float] = field(default_factory=deque)
    until: float = 0.0
    open: bool = False
    alone: bool = False


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] < before:
        times.popleft()


class Breaker:
    """Counts faults and says whether a call may go ahead.

    After the rest calls go ahead again; the next one decides: a fault opens the circuit at once, a success
    closes it.
    """

    def __init__(self, clock: Callable[[], float], limits: Limits | None = None) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._circuits: dict[Key, _Circuit] = {}
        self._everywhere: dict[str, float] = {}
        self._open = 0
        self._lock = Lock()

    @property
    def quiet(self) -> bool:
        """Tell whether no circuit is open, so that calls need no look-up."""
        return not self._open and not self._everywhere

    def allows(self, key: Key) -> bool:
        """Tell whether a call may go ahead."""
        if self.quiet:
            return True
        now = self._clock()
        if self._everywhere.get(key.plugin, 0.0) > now:
            return False
        circuit = self._circuits.get(key)
        return circuit is None or not circuit.open or circuit.until <= now

    def succeeded(self, key: Key) -> None:
        """Close the circuit after a call that went well."""
        if self.quiet:
            return
        with self._lock:
            now = self._clock()
            if self._everywhere.get(key.plugin, now + 1) <= now:
                del self._everywhere[key.plugin]
            circuit = self._circuits.get(key)
            if circuit is not None and circuit.open:
                circuit.open = False
                circuit.faults.clear()
                self._open -= 1

    def failed(self, key: Key, *, alone: bool = False) -> Trip | None:
        """Count a fault and return what it brought about, if anything.

        :param alone: it speaks for its own tenant only: what people send may be at fault, and nobody must be able to
            take a plugin from other firms by it.
        """
        with self._lock:
            now = self._clock()
            circuit = self._circuit(key, now)
            circuit.alone = alone
            _forget(circuit.faults, now - self._limits.window)
            circuit.faults.append(now)
            if circuit.open:
                return self._reopen(circuit, now) if circuit.until <= now else None
            if len(circuit.faults) < self._limits.faults:
                return None
            self._rest(circuit, now)
            circuit.open = True
            self._open += 1
            return Trip.OPENED if alone else self._trip(key.plugin, now)

    def _reopen(self, circuit: _Circuit, now: float) -> Trip:
        self._rest(circuit, now)
        _forget(circuit.reopened, now - self._limits.reopen_window)
        circuit.reopened.append(now)
        return Trip.QUARANTINED if len(circuit.reopened) >= self._limits.reopens else Trip.OPENED

    def _rest(self, circuit: _Circuit, now: float) -> None:
        circuit.until = now + self._limits.cooldown
        circuit.faults.clear()

    def _trip(self, plugin: str, now: float) -> Trip:
        resting = {
            key.tenant
            for key, circuit in self._circuits.items()
            if key.plugin == plugin
            and key.tenant is not None
            and circuit.open
            and circuit.until > now
            and not circuit.alone
        }
        if len(resting) < self._limits.tenants:
            return Trip.OPENED
        self._everywhere[plugin] = now + self._limits.cooldown
        return Trip.EVERYWHERE

    def _circuit(self, key: Key, now: float) -> _Circuit:
        circuit = self._circuits.get(key)
        if circuit is None:
            if len(self._circuits) >= self._limits.keys:
                self._prune(now)
            circuit = self._circuits[key] = _Circuit()
        return circuit

    def _prune(self, now: float) -> None:
        """Drop what no longer counts; with everything fresh, drop the closed ones: memory stays bounded."""
        floor = now - self._limits.window
        stale = [
            key for key, c in self._circuits.items() if not c.open and (not c.faults or c.faults[-1] < floor)
        ]
        for key in stale or [key for key, c in self._circuits.items() if not c.open]:
            del self._circuits[key]
