"""Finds installed plugins and reads their manifests without running any of their code."""

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from plugins.manifest import FILE_NAME, SLUG, Manifest, ManifestError, read_manifest
from plugins.records import PluginRecord, State

GROUP: Final = "kehu.plugins"
"""The entry-point group; the name of an entry is the plugin's slug."""

BUILTIN_PACKAGE: Final = "plugins_builtin"


def installed_entry_points() -> list[EntryPoint]:
    """Return what is installed in the group, each distinct entry once."""
    found = {(one.name, one.value, _distribution(one)): one for one in entry_points(group=GROUP)}
    return sorted(found.values(), key=lambda one: (one.name, one.value))


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else ""


def folder_of(module: str) -> Path | None:
    """Return the folder in which a module lies, without importing it or the packages around it.

    `importlib` looks up only the first name: for a dotted one it would import the packages around it.
    """
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    if not rest:
        return places[0] if places else Path(spec.origin or "").parent
    *around, last = rest
    for part in around:
        places = [place / part for place in places]
    for place in places:
        if (place / last).is_dir():
            return place / last
        if any(place.glob(f"{last}.*")):
            return place
    return None


def manifest_path(module: str) -> Path:
    """Return where the manifest of a plugin's module lies: in the same folder.

    :raises ManifestError: when the module itself is not there.
    """
    try:
        folder = folder_of(module)
    except (ImportError, ValueError, AttributeError) as error:
        raise ManifestError(f"The module {module} can't be looked up: {error}. Install it again.") from error
    if folder is None:
        raise ManifestError(f"The module {module} is not there. Install the plugin again or take it out.")
    return folder / FILE_NAME


def _check_identity(record: PluginRecord, manifest: Manifest) -> None:
    if manifest.slug != record.slug:
        raise ManifestError(
            f"slug: the manifest says {manifest.slug!r}, the entry point {record.slug!r}. Make them equal."
        )


def _described(record: PluginRecord) -> PluginRecord:
    """Return the record with its manifest, or as broken with the reason."""
    try:
        if not SLUG.fullmatch(record.slug):
            raise ManifestError(
                f"slug: {record.slug!r} is not 3 to 31 small letters, digits and underscores."
            )
        manifest = read_manifest(manifest_path(record.module))
        _check_identity(record, manifest)
    except ManifestError as error:
        return record.moved(
            State.BROKEN, str(error), "Tell the plugin's author, or uninstall the distribution."
        )
    return record.moved(State.DISCOVERED, manifest=manifest, version=manifest.version)


def _record(entry: EntryPoint, system: frozenset[str]) -> PluginRecord:
    return PluginRecord(
        slug=entry.name,
        module=entry.module,
        distribution=_distribution(entry),
        version=entry.dist.version if entry.dist is not None else "",
        system=entry.name in system,
        builtin=entry.module.split(".")[0] == BUILTIN_PACKAGE,
    )


def discover(entries: Iterable[EntryPoint], system: Iterable[str] = ()) -> list[PluginRecord]:
    """Return a record for each plugin, with its manifest read.

    Two distributions that claim one name are both left out: which one would win depends on the disk. Against what
    comes with the platform nobody can claim a name.

    :param system: slugs of the platform's own parts, which need no manifest.
    """
    parts = frozenset(system)
    records: dict[str, PluginRecord] = {}
    for entry in entries:
        record = _record(entry, parts)
        known = records.get(entry.name)
        if known is not None and _ours(known) != _ours(record):
            ours, other = (known, record) if _ours(known) else (record, known)
            stays = known if ours is known else _settled(ours)
            records[entry.name] = replace(stays, warnings=(*stays.warnings, _intruder(other)))
        elif known is not None:
            owners = ", ".join(
                sorted({known.distribution or known.module, record.distribution or record.module})
            )
            records[entry.name] = known.moved(
                State.CONFLICT,
                f"The name is claimed more than once: {owners}.",
                "Uninstall all but one of them.",
            )
        else:
            records[entry.name] = _settled(record)
    return list(records.values())


def _settled(record: PluginRecord) -> PluginRecord:
    return record if record.system else _described(record)


def _ours(record: PluginRecord) -> bool:
    """Tell whether a record is that of a part of the platform or of a built-in plugin, by where its code lies."""
    return record.builtin or (record.system and record.module.split(".")[0] == record.slug)


def _intruder(record: PluginRecord) -> str:
    return f"{record.distribution or record.module} claims this name, too, and is left out. Uninstall it."
