"""Catalogues of a plugin's texts: collected from its sources, translated by people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from kehu.authoring import sources
from kehu.authoring.lend import entries_of, project_of
from kehu.dev.messages import write_catalogue
from plugins.manifest import FILE_NAME, read_manifest


def update(folder: Path) -> Iterator[tuple[Path, int]]:
    """Bring the catalogues of a plugin up to date; give each file and the number of texts to be translated.

    :raises NoPluginError: when the folder holds no plugin.
    """
    for slug, module in entries_of(project_of(folder)).items():
        package = folder.joinpath(*module.split("."))
        template = sources.texts(package)
        for locale in read_manifest(package / FILE_NAME).locales:
            if locale == "en":
                continue
            file = package / "locale" / locale / "LC_MESSAGES" / f"{slug}.po"
            catalogue = Catalog(locale=locale)
            if file.exists():
                with file.open("rb") as source:
                    catalogue = read_po(source, locale=locale)
            # A guess by likeness would be shown to people as if somebody had translated it.
            catalogue.update(template, no_fuzzy_matching=True)
            write_catalogue(file, catalogue, locale, slug, "kehu plugin texts")
            yield file, len(sources.untranslated(package, file, locale))
