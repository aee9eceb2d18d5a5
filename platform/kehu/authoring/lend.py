"""Makes plugins that lie in folders known to a Python process, without installing them."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from plugins.finder import GROUP

SOURCES = Path(__file__).parents[2]
"""The folder of Kehu's own packages, for tools that read sources and know no installed ones."""


class NoPluginError(ValueError):
    """Raised when a folder holds no plugin; the message says what was looked for."""


def project_of(folder: Path) -> Mapping[str, Any]:
    """Return what `pyproject.toml` says of a plugin's distribution.

    :raises NoPluginError: when the file is missing or claims no entry point.
    """
    file = folder / "pyproject.toml"
    if not file.is_file():
        raise NoPluginError(f"There is no {file}. Name the folder that `kehu plugin new` made.")
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise NoPluginError(f"{file} can't be read: {error}.") from error
    if not entries_of(project):
        raise NoPluginError(f'{file} claims no entry point. Add [project.entry-points."{GROUP}"].')
    return dict(project)


def entries_of(project: Mapping[str, Any]) -> dict[str, str]:
    """Return slug to module of the plugins in a distribution."""
    return dict(project.get("entry-points", {}).get(GROUP, {}))


def lend(folders: Iterable[Path], shelf: Path) -> dict[str, str]:
    """Write what an installation would know of the plugins, and return the environment of a process that has them.

    :param shelf: a folder for that.
    """
    paths = []
    for folder in folders:
        project = project_of(folder)
        name = str(project["name"]).replace("-", "_")
        facts = shelf / f"{name}-{project['version']}.dist-info"
        facts.mkdir(parents=True)
        (facts / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        lines = [f"{slug} = {module}" for slug, module in entries_of(project).items()]
        (facts / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
        paths.append(str(folder.resolve()))
    kept = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(shelf), *paths, *kept]),
        "MYPYPATH": os.pathsep.join([*paths, *tool_paths()]),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }


def tool_paths() -> list[str]:
    """Return where type checkers find the sources of Kehu."""
    return [str(SOURCES), str(SOURCES.parent)]
