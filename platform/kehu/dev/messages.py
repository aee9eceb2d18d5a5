"""Catalogues of translations: collect texts, update the languages, compile them."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[3]
LOCALE = ROOT / "platform" / "kehu" / "locale"
SOURCES = ("platform/kehu", "tenants", "plugins", "plugins_builtin", "billing")
LANGUAGES = ("zh_Hans", "zh_Hant", "ru")
KEYWORDS = ("_l", "_n:1,2")
MAPPING = """
[python: **.py]
[jinja2: **/templates/**.*]
encoding = utf-8
[jinja2: **/pwa/**.*]
encoding = utf-8
"""


def compile_all() -> int:
    """Compile every catalogue; return how many."""
    count = 0
    for path in sorted(_catalogues()):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parts[-3])
        half = path.with_suffix(".mo.new")
        with half.open("wb") as file:
            write_mo(file, catalogue)
        half.replace(path.with_suffix(".mo"))
        count += 1
    return count


def update() -> None:
    """Collect the texts of the sources and bring each language's catalogue up to date."""
    with tempfile.TemporaryDirectory() as scratch:
        mapping, template = Path(scratch) / "babel.cfg", Path(scratch) / "messages.pot"
        mapping.write_text(MAPPING)
        extract(mapping, template)
        for language in LANGUAGES:
            target = LOCALE / language / "LC_MESSAGES" / "messages.po"
            action = "update" if target.exists() else "init"
            options = (
                ["--no-fuzzy-matching", "--ignore-obsolete", "--omit-header"] if action == "update" else []
            )
            _babel(
                action, f"--input-file={template}", f"--output-dir={LOCALE}", f"--locale={language}", *options
            )


def extract(mapping: Path, template: Path) -> None:
    """Write the template of all texts in the sources."""
    present = [name for name in SOURCES if (ROOT / name).is_dir()]
    keywords = [f"--keyword={word}" for word in KEYWORDS]
    options = ["--sort-by-file", "--no-location", "--omit-header", "--add-comments=i18n:", "--project=Kehu"]
    _babel("extract", f"--mapping-file={mapping}", f"--output-file={template}", *keywords, *options, *present)


def _babel(*arguments: str) -> None:
    command = [sys.executable, "-m", "babel.messages.frontend", "--quiet", *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


def _catalogues() -> list[Path]:
    return [path for name in SOURCES for path in (ROOT / name).glob("**/locale/*/LC_MESSAGES/*.po")]


def main() -> None:
    """Compile, or update and compile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("compile", "update"))
    if parser.parse_args().action == "update":
        update()
    print(f"messages: {compile_all()} catalogues compiled")


if __name__ == "__main__":
    main()
