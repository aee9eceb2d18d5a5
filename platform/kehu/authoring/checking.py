"""`kehu plugin check`: everything that can be told of a plugin in a folder, step by step, in processes of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kehu.authoring import sources
from kehu.authoring.lend import entries_of, lend, project_of
from plugins.manifest import FILE_NAME, ManifestError, read_manifest

LARGEST_PICTURE = 300_000
_QUIET = (
    "-q",
    "--no-header",
    "--no-summary",
    "--tb=short",
    "-p",
    "no:cacheprovider",
    "-p",
    "kehu.testkit.brief",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was looked at; `problems` says what to mend."""

    title: str
    problems: tuple[str, ...] = ()


def check(folder: Path, *, tools: bool = True) -> Iterator[Step]:
    """Look at a plugin and give each step when it is done.

    :param tools: with ruff, mypy and the plugin's own tests; without, what needs no database and is quick.
    :raises NoPluginError: when the folder holds no plugin.
    """
    for slug, module in entries_of(project_of(folder)).items():
        package = folder.joinpath(*module.split("."))
        yield Step(title="manifest", problems=tuple(_manifest(package, slug, folder)))
        yield Step(title="imports", problems=tuple(sources.import_problems(package, module)))
        yield Step(title="templates", problems=tuple(sources.template_problems(package)))
    yield Step(title="contract", problems=tuple(_contract(folder)))
    with tempfile.TemporaryDirectory() as scratch:
        environment = lend([folder], Path(scratch) / "shelf")
        slugs = list(entries_of(project_of(folder)))
        declared = _run("declarations", ["kehu.authoring.declared", *slugs], folder, environment)
        yield declared
        if not tools:
            return
        yield _tool("format", ["ruff", "format", "--check", "."], folder, environment)
        yield _tool("style", ["ruff", "check", "."], folder, environment)
        packages = sorted({module.partition(".")[0] for module in entries_of(project_of(folder)).values()})
        yield _tool("types", ["mypy", *packages], folder, environment)
        if declared.problems:
            yield Step(title="tests", problems=("Not run: mend the declarations first.",))
        else:
            yield _tool("tests", ["pytest", *_QUIET], folder, environment)


def _manifest(package: Path, slug: str, folder: Path) -> Iterator[str]:
    try:
        manifest = read_manifest(package / FILE_NAME)
    except ManifestError as error:
        yield from str(error).splitlines()
        return
    for file in manifest.pictures:
        size = (package / file).stat().st_size if (package / file).is_file() else 0
        if not 0 < size <= LARGEST_PICTURE:
            yield f"pictures: {file} is missing or has more than 300 KB. Put a smaller file there."
    if manifest.slug != slug:
        yield f"slug: plugin.toml says {manifest.slug}, the entry point {slug}. Make them equal."
    version = project_of(folder).get("version")
    if version != manifest.version:
        yield f"version: plugin.toml says {manifest.version}, pyproject.toml {version}. Make them equal."


def _contract(folder: Path) -> Iterator[str]:
    tests = folder.rglob("test_*.py")
    if not any("PluginContract" in path.read_text(encoding="utf-8") for path in tests):
        yield "No test subclasses kehu.testkit.contract.PluginContract. See docs/plugins/tutorial.md."


def _tool(title: str, command: list[str], folder: Path, environment: Mapping[str, str]) -> Step:
    name = command[0]
    if find_spec(name) is None:
        return Step(
            title=title, problems=(f"{name} is not installed. Run `make setup-dev` in Kehu's sources.",)
        )
    return _run(title, command, folder, environment)


def _run(title: str, command: list[str], folder: Path, environment: Mapping[str, str]) -> Step:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return Step(title=title)
    return Step(title=title, problems=tuple((done.stdout + done.stderr).strip().splitlines()))
