"""What is known of each installed plugin: where it stands, why, and what to do about it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from plugins.manifest import Manifest


class State(StrEnum):
    """How far a plugin has come in this installation; only what is ready takes part."""

    DISCOVERED = "discovered"
    """Installed; its manifest could be read."""
    COMPATIBLE = "compatible"
    """It fits this release. Once its code is loaded it stays here as long as its tables are behind the code."""
    MIGRATED = "migrated"
    """Its tables are those of its code; it waits for a migration of the platform or for another plugin."""
    READY = "ready"
    """It takes part in every tenant that has it switched on."""
    INCOMPATIBLE = "incompatible"
    """It was written for another release, or lacks another plugin."""
    CONFLICT = "conflict"
    """Another plugin claims its name or can't run beside it."""
    BROKEN = "broken"
    """Its manifest, code, declarations or migration failed."""
    BLOCKED = "blocked"
    """The operator keeps it out."""
    ORPHAN = "orphan"
    """Its tables are in the database, its code is gone."""


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
    warnings: tuple[str, ...] = ()
    plugin: Any = None

    @property
    def name(self) -> str:
        """Return the plugin's name for people."""
        return self.manifest.name if self.manifest else self.slug

    @property
    def switchable(self) -> bool:
        """Tell whether tenants decide about it: no part of the platform, nor on for everybody."""
        return not self.system and (self.manifest is None or self.manifest.level == "tenant")

    @property
    def usable(self) -> bool:
        """Tell whether nothing has gone wrong so far."""
        return self.state in {State.DISCOVERED, State.COMPATIBLE, State.MIGRATED, State.READY}

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
