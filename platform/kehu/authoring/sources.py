"""What can be told of a plugin from its files alone: imports, templates, texts."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from kehu.authoring import manifest_texts

_OURS = frozenset({"kehu", "plugins", "tenants", "billing", "plugins_builtin"})
_PUBLIC = ("kehu.api", "kehu.testkit")
_REFUSED = {
    "multiprocessing": "Background work is a job.",
    "subprocess": "A plugin starts no processes.",
    "threading": "Background work is a job.",
}
INLINE = {
    r"<script(?![^>]*\bsrc=)": "a script within the page",
    r"<style\b": "a style sheet within the page",
    r"\sstyle\s*=": "a style attribute",
    r"\shx-on|\son(click|load|error|submit|change|input|focus|blur)\s*=": "a handler within the page",
    r"\|\s*safe\b|autoescape\s+false": "text that is not escaped",
}
"""Pattern of what no template may hold, in words."""


def python_files(folder: Path) -> list[Path]:
    """Return the modules of a plugin, without its tests."""
    return sorted(path for path in folder.rglob("*.py") if "tests" not in path.relative_to(folder).parts)


def import_problems(folder: Path, package: str) -> list[str]:
    """Return imports that a plugin may not make, each with the remedy.

    :param package: the plugin's own package, as `kehu_dentist` or `plugins_builtin.automotive`.
    """
    found = []
    for path in python_files(folder):
        for line, name in _imports(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            top, place = name.partition(".")[0], f"{path.relative_to(folder)}:{line}"
            if top in _REFUSED:
                found.append(f"{place} imports {name}. {_REFUSED[top]}")
            elif top in _OURS and not _within(name, package, *_PUBLIC):
                found.append(f"{place} imports {name}. Use what kehu.api offers (docs/plugins/reference.md).")
    return found


def _within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from kehu import api` names the module last.
            alone = node.module in _OURS
            yield from (
                (node.lineno, f"{node.module}.{one.name}" if alone else node.module) for one in node.names
            )


def template_problems(folder: Path) -> list[str]:
    """Return what templates hold that the browser will refuse, or that is unsafe."""
    return [
        f"{path.relative_to(folder)}:{number}: {words}: {line.strip()[:60]}"
        for path in sorted(folder.rglob("templates/**/*.html"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for pattern, words in INLINE.items()
        if re.search(pattern, line)
    ]


# --- texts ------------------------------------------------------------------------------------------------

_MAPPING = """
[python: **.py]
[jinja2: **/templates/**.*]
encoding = utf-8
extensions = jinja2.ext.do
silent = false
"""


def texts(folder: Path, *, manifest: bool = True) -> Catalog:
    """Collect the texts of a plugin that are shown to people, with those of its manifest or without."""
    with tempfile.TemporaryDirectory() as scratch:
        mapping, template = Path(scratch) / "mapping.cfg", Path(scratch) / "messages.pot"
        mapping.write_text((manifest_texts.MAPPING if manifest else "") + _MAPPING)
        command = [
            *(sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract", "--no-location"),
            *("--keyword=_l", "--keyword=_n:1,2", f"--mapping-file={mapping}", f"--output-file={template}"),
            "--ignore-dirs=tests .* _*",
            str(folder),
        ]
        subprocess.run(command, check=True)
        with template.open("rb") as file:
            return read_po(file)


def untranslated(folder: Path, catalogue: Path, locale: str) -> list[str]:
    """Return the texts of code and pages that a catalogue does not hold; the manifest's may stay in English."""
    if not catalogue.exists():
        return [f"{catalogue} is missing. Write it with `kehu plugin texts`."]
    with catalogue.open("rb") as file:
        have = read_po(file, locale=locale)
    missing = []
    for message in texts(folder, manifest=False):
        if not message.id:
            continue
        found = have.get(message.id)
        said = found.string if found is not None and not found.fuzzy else ""
        if not all(said if isinstance(said, tuple) else (said,)):
            missing.append(str(message.id[0] if isinstance(message.id, tuple) else message.id))
    return missing
