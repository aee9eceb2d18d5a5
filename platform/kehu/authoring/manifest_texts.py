"""The texts of a `plugin.toml` that people read, for the catalogues: a method of Babel's."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any, BinaryIO

Found = tuple[int, str, str, list[str]]
MAPPING = """
[extractors]
manifest = kehu.authoring.manifest_texts:extract
[manifest: **/plugin.toml]
"""
"""What a mapping file says to have manifests read."""


def extract(file: BinaryIO, _keywords: Any, _tags: Any, options: Any) -> Iterator[Found]:
    """Give name, summary, what is kept of people and by which right, what pictures show and meters count."""
    for text in texts_of(tomllib.loads(file.read().decode())):
        yield 1, "_", text, []


def texts_of(manifest: dict[str, Any]) -> Iterator[str]:
    """Give the texts of a manifest as it was read from the file."""
    personal = manifest.get("personal_data", {})
    texts = [
        manifest.get("name"),
        manifest.get("summary"),
        *personal.get("categories", ()),
        personal.get("basis"),
    ]
    texts += manifest.get("pictures", {}).values()
    pricing = manifest.get("pricing")
    texts += [one.get("label") for one in pricing.get("meters", ())] if isinstance(pricing, dict) else []
    yield from (text for text in texts if text)
