"""Catalogues of translations: collect texts, update the languages, compile them."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from kehu.authoring import manifest_texts

ROOT = Path(__file__).resolve().parents[3]
LOCALE = ROOT / "platform" / "kehu" / "locale"
SOURCES = ("platform/kehu", "tenants", "plugins", "plugins_builtin", "billing")
LANGUAGES = ("zh_Hans", "zh_Hant", "ru")
KEYWORDS = ("_l", "_n:1,2")
MAPPING = """
[python: **.py]
[jinja2: **/templates/**.*]
encoding = utf-8
extensions = jinja2.ext.do
silent = false
[jinja2: **/pwa/**.*]
encoding = utf-8
"""
# Dates and names stay out: they would make every two updates collide, and Git knows them.
HEADER = """# {name} translations of {whose}; `{command}` keeps the list of texts.
msgid ""
msgstr ""
"Language: {code}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def compile_all() -> int:
    """Compile every catalogue; return how many."""
    count = 0
    for path in sorted(_catalogues()):
        half = path.with_suffix(".mo.new")
        with half.open("wb") as file:
            write_mo(file, _read(path))
        half.replace(path.with_suffix(".mo"))
        count += 1
    return count


def update() -> None:
    """Collect the texts of the sources and bring each language's catalogue up to date."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "messages.pot"
        extract(path)
        with path.open("rb") as file:
            template = read_po(file)
    for language in LANGUAGES:
        target = LOCALE / language / "LC_MESSAGES" / "messages.po"
        catalogue = _read(target) if target.exists() else Catalog(locale=language)
        # A guess by likeness would be shown to people as if somebody had translated it.
        catalogue.update(template, no_fuzzy_matching=True)
        write_catalogue(target, catalogue, language)


def extract(template: Path) -> None:
    """Write the template of all texts in the sources."""
    mapping = template.with_suffix(".cfg")
    mapping.write_text(manifest_texts.MAPPING + MAPPING)
    present = [name for name in SOURCES if (ROOT / name).is_dir()]
    options = [f"--mapping-file={mapping}", f"--output-file={template}", "--no-location", "--sort-by-file"]
    options += [f"--keyword={word}" for word in KEYWORDS]
    options += ["--add-comments=i18n:", "--omit-header"]
    command = [sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract", *options, *present]
    subprocess.run(command, cwd=ROOT, check=True)


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def write_catalogue(
    target: Path, catalogue: Catalog, language: str, whose: str = "Kehu", command: str = "make messages"
) -> None:
    """Write a catalogue without what would make every two updates collide."""
    body = io.BytesIO()
    write_po(body, catalogue, width=110, no_location=True, omit_header=True, ignore_obsolete=True)
    locale = Locale.parse(language)
    plurals = get_plural(locale)
    header = HEADER.format(
        name=locale.english_name, whose=whose, command=command, code=language, plurals=plurals.plural_forms
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(header + body.getvalue().decode().lstrip("\n"), encoding="utf-8")


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
