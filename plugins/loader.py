"""Brings installed plugins to the point where their hooks may be called. A bad plugin never stops the boot.

The steps: find and read manifests (`plugins.finder`), leave out what is blocked, does not fit or lacks what
it needs, import each of the rest by itself, check its hooks, register it. What is wrong stands in the record
with a remedy.
"""

import logging
import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from typing import Any, Final

from pluggy import PluginManager, PluginValidationError

from plugins.api_version import API_VERSION, ApiVersion, misfit
from plugins.deprecation import noted, of_manifest
from plugins.finder import discover, installed_entry_points
from plugins.implementations import faults_of
from plugins.records import Installed, PluginRecord, State
from plugins.rules import HookRule

log = logging.getLogger(__name__)

_IMPORT_FAILURES: Final = (Exception, SystemExit)


def find_plugins(
    *,
    system: Iterable[str] = (),
    safe_mode: bool = False,
    blocked: Iterable[str] = (),
    entries: Callable[[], Iterable[Any]] = installed_entry_points,
    api: ApiVersion = API_VERSION,
) -> Installed:
    """Return all installed plugins, those that may be imported in state `compatible`, in the order of calls.

    :param system: the platform's own parts, in their order; they are always compatible.
    :param safe_mode: boot without plugins that are not built in.
    :param blocked: slugs that the operator keeps out.
    """
    parts = list(system)
    records = {record.slug: record for record in discover(entries(), parts)}
    closed = frozenset(blocked)
    for slug, record in records.items():
        if record.usable and not record.system:
            records[slug] = _admitted(record, closed, safe_mode, api)
    _check_neighbours(records)
    ordered = _in_order(records)
    for slug in parts:
        if slug in records and records[slug].usable:
            records[slug] = records[slug].moved(State.COMPATIBLE)
    first = [slug for slug in parts if slug in records]
    return Installed(records[slug] for slug in [*first, *(slug for slug in ordered if slug not in first)])


def _admitted(record: PluginRecord, closed: frozenset[str], safe_mode: bool, api: ApiVersion) -> PluginRecord:
    if record.slug in closed:
        return record.moved(
            State.BLOCKED,
            "The operator has blocked it.",
            "Take its name out of KEHU_PLUGINS_BLOCK and restart.",
        )
    if safe_mode and not record.builtin:
        return record.moved(
            State.BLOCKED, "Safe mode starts built-in plugins only.", "Unset KEHU_SAFE_MODE and restart."
        )
    manifest = record.manifest
    reason = misfit(manifest.api, api) if manifest else "It has no manifest."
    if reason:
        return record.moved(
            State.INCOMPATIBLE, reason, "Install a version of the plugin that fits this release."
        )
    return record.moved(State.COMPATIBLE)


def _version_clash(records: Mapping[str, PluginRecord], record: PluginRecord) -> PluginRecord | None:
    """Return the record as in conflict, when a neighbour it names as incompatible with it is here."""
    for slug, versions in (record.manifest.conflicts if record.manifest else {}).items():
        other = records.get(slug)
        if (
            other is not None
            and other.state is State.COMPATIBLE
            and versions.contains(other.version, prereleases=True)
        ):
            return record.moved(
                State.CONFLICT,
                f"It can't run beside {slug} {other.version}.",
                f"Block or uninstall {record.slug} or {slug}.",
            )
    return None


def _missing_need(records: Mapping[str, PluginRecord], record: PluginRecord) -> PluginRecord | None:
    """Return the record as incompatible, when something it requires is not here in the right version."""
    for slug, versions in (record.manifest.requires if record.manifest else {}).items():
        other = records.get(slug)
        wanted = f"{slug} {versions}".strip()
        if other is None or other.state is not State.COMPATIBLE:
            reason = f"It needs {wanted}, which is {'not installed' if other is None else other.state.value}."
        elif not versions.contains(other.version, prereleases=True):
            reason = f"It needs {wanted}, but {other.version} is installed."
        else:
            continue
        return record.moved(State.INCOMPATIBLE, reason, f"Install {wanted} and see that it starts.")
    return None


def _check_neighbours(records: dict[str, PluginRecord]) -> None:
    """Take out what clashes or lacks something; each loss may bring down who needs it."""
    for slug in sorted(records):
        if records[slug].state is State.COMPATIBLE:
            records[slug] = _version_clash(records, records[slug]) or records[slug]
    changed = True
    while changed:
        changed = False
        for slug in sorted(records):
            if records[slug].state is not State.COMPATIBLE:
                continue
            lost = _missing_need(records, records[slug])
            if lost is not None:
                records[slug], changed = lost, True


def _in_order(records: dict[str, PluginRecord]) -> list[str]:
    """Return the slugs, what others need first, else by name.

    A circle of needs makes its members incompatible.
    """
    while True:
        graph = {slug: sorted(_needs(records, slug)) for slug in sorted(records)}
        try:
            sorter = TopologicalSorter(graph)
            sorter.prepare()
        except CycleError as error:
            circle = sorted(set(error.args[1]))
            for slug in circle:
                records[slug] = records[slug].moved(
                    State.INCOMPATIBLE,
                    f"It stands in a circle of requirements: {', '.join(circle)}.",
                    "Tell the plugins' authors; block one of them to use the rest.",
                )
            _check_neighbours(records)
            continue
        ordered: list[str] = []
        while sorter.is_active():
            layer = sorted(sorter.get_ready())
            ordered += layer
            sorter.done(*layer)
        return ordered


def _needs(records: Mapping[str, PluginRecord], slug: str) -> set[str]:
    record = records[slug]
    if record.manifest is None or record.state is not State.COMPATIBLE:
        return set()
    return {other for other in (*record.manifest.requires, *record.manifest.optional) if other in records}


def load_plugins(
    installed: Installed,
    manager: PluginManager,
    rules: Mapping[str, HookRule],
    *,
    importer: Callable[[str], Any] = import_module,
) -> None:
    """Import and register each compatible plugin; it becomes `ready` or `broken`.

    :raises Exception: whatever a part of the platform itself raises: without it there is no product.
    """
    for record in list(installed):
        if record.state is State.COMPATIBLE:
            installed.put(_load(installed, record, manager, rules, importer))


def _load(
    installed: Installed,
    record: PluginRecord,
    manager: PluginManager,
    rules: Mapping[str, HookRule],
    importer: Callable[[str], Any],
) -> PluginRecord:
    broken_need = _broken_need(installed, record)
    if broken_need:
        return record.moved(
            State.BROKEN, f"It needs {broken_need}, which is broken.", f"Mend {broken_need} first."
        )
    old = of_manifest(record.manifest)
    try:
        with noted(old):
            plugin = importer(record.module)
        guard = record.manifest is not None and "guard" in record.manifest.capabilities
        faults = faults_of(plugin, manager, rules, system=record.system, guard=guard)
        if faults:
            return _broken(record, " ".join(faults))
        with noted(old):
            manager.register(plugin, name=record.slug)
    except PluginValidationError as error:
        manager.unregister(name=record.slug)
        return _broken(record, str(error))
    except _IMPORT_FAILURES as error:
        if record.system:
            raise
        log.error("plugin %s can't be loaded", record.slug, exc_info=error)
        place = _own_line(error, record.module)
        return _broken(record, f"Its code failed while loading: {type(error).__name__}: {error}{place}")
    return record.moved(State.READY, plugin=plugin, warnings=(*record.warnings, *old))


def _own_line(error: BaseException, module: str) -> str:
    """Return file and line where a plugin's own code failed, in brackets."""
    folder = f"{os.sep}{module.replace('.', os.sep)}{os.sep}"
    lines = [one for one in traceback.extract_tb(error.__traceback__) if folder in one.filename]
    return f" ({lines[-1].filename.rpartition(folder)[2]}:{lines[-1].lineno})" if lines else ""


def _broken_need(installed: Installed, record: PluginRecord) -> str | None:
    for slug in record.manifest.requires if record.manifest else ():
        other = installed.get(slug)
        if other is None or other.state is not State.READY:
            return slug
    return None


def _broken(record: PluginRecord, reason: str) -> PluginRecord:
    if record.system:
        raise ImportError(f"The part {record.slug!r} of the platform can't be used: {reason}")
    return record.moved(State.BROKEN, reason, "Tell the plugin's author, or block it in KEHU_PLUGINS_BLOCK.")
