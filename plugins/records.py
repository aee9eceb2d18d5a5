"""What is known of each installed plugin: where it stands, why, and what to do about it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from plugins.manifest import Manifest


class State(StrEnum):
    """How far a plugin has come in this installation."""

    DISCOVERED = "discovered"
    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"
    CONFLICT = "conflict"
    BROKEN = "broken"
    BLOCKED = "blocked"
    READY = "ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginRecord:
    """One plugin of the installation. `plugin` is its module once it is imported."""

    slug: str
    module: str
    distribution: str = ""
    version: str = ""
    system: bool = False
    builtin: bool = False
    manifest: Manifest | None = None
    state: State = State.DISCOVERED
    reason: str = ""
    remedy: str = ""
    plugin: Any = None

    @property
    def usable(self) -> bool:
        """Tell whether nothing has gone wrong so far."""
        return self.state in {State.DISCOVERED, State.COMPATIBLE, State.READY}

    def moved(self, state: State, reason: str = "", remedy: str = "", **changes: Any) -> "PluginRecord":
        """Return the record in another state."""
        return replace(self, state=state, reason=reason, remedy=remedy, **changes)


class Installed:
    """All plugins of the installation, the platform's parts first, then in dependency order."""

    def __init__(self, records: Iterable[PluginRecord] = ()) -> None:
        self._records = {record.slug: record for record in records}

    def __iter__(self) -> Iterator[PluginRecord]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def get(self, slug: str) -> PluginRecord | None:
        """Return the record of a plugin."""
        return self._records.get(slug)

    def put(self, record: PluginRecord) -> None:
        """Replace a record, keeping its place."""
        self._records[record.slug] = record

    @property
    def ready(self) -> list[PluginRecord]:
        """Return what is registered, in the order of calls."""
        return [record for record in self if record.state is State.READY]

    @property
    def problems(self) -> list[PluginRecord]:
        """Return what an operator should look at."""
        return [record for record in self if not record.usable]
