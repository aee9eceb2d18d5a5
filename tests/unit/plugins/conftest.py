"""Plugins written to disk as packages of their own, found as if they were installed."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

MANIFEST = 'slug = "{slug}"\nname = "Name"\nversion = "{version}"\nsummary = "What it does"\napi = "0.1"\n'


class Shelf:
    """A folder of plugins."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: list[EntryPoint] = []

    def add(
        self,
        slug: str,
        code: str = "",
        *,
        version: str = "1.0",
        extra: str = "",
        manifest: str | None = None,
        package: str | None = None,
        dist: str | None = None,
    ) -> EntryPoint:
        """Write a plugin with a module `hooks` and claim an entry point for it."""
        name = package or f"shelf_{slug}"
        folder = self.root / Path(*name.split("."))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text("raise RuntimeError('imported')" if code == "!" else "")
        (folder / "hooks.py").write_text(
            f"from plugins.rules import hookimpl\n{code if code != '!' else ''}\n"
        )
        text = MANIFEST.format(slug=slug, version=version) + extra if manifest is None else manifest
        if text:
            (folder / "plugin.toml").write_text(text)
        return self.claim(slug, f"{name}.hooks", version=version, dist=dist or f"dist-{slug}")

    def claim(self, slug: str, value: str, *, version: str = "1.0", dist: str = "some-dist") -> EntryPoint:
        """Add an entry point."""
        entry = EntryPoint(name=slug, value=value, group="kehu.plugins")
        owner: Any = SimpleNamespace(name=dist, version=version)
        vars(entry).update(dist=owner)
        self.entries.append(entry)
        return entry

    def __call__(self) -> list[EntryPoint]:
        return self.entries


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Shelf(tmp_path)
    for name in set(sys.modules) - known:
        if name.startswith(("shelf_", "plugins_builtin.shelf")):
            del sys.modules[name]


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def code() -> Callable[..., str]:
    """Return source of a hook implementation."""

    def write(name: str, body: str = "return None", arguments: str = "", mark: str = "@hookimpl") -> str:
        return f"{mark}\ndef {name}({arguments}):\n    {body}\n"

    return write
