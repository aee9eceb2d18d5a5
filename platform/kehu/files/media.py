"""What a file is, told by its first bytes, and a name that is safe to keep and to hand out."""

from __future__ import annotations

import mimetypes
import re
import unicodedata

from kehu.core.text import clean

PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
"""First bytes -> type of the raster pictures that may be shown within a page."""

FALLBACK = "application/octet-stream"
LONGEST = 150
_OUTSIDE = re.compile(r'[\\/:*?"<>|]+')


def picture_type(head: bytes) -> str:
    """Return the type of a raster picture by its first bytes, or an empty text. SVG is none: it may hold scripts."""
    for magic, media_type in PICTURES.items():
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return ""


def media_type(name: str, head: bytes) -> str:
    """Return the type to keep: by the bytes for pictures, by the name for the rest; never a picture by name alone."""
    found = picture_type(head)
    if found:
        return found
    guessed = mimetypes.guess_type(name)[0] or FALLBACK
    return FALLBACK if guessed in PICTURES.values() or guessed == "image/webp" else guessed


def shows_inline(kept_type: str) -> bool:
    """Tell whether a file of this type may be shown within a page."""
    return kept_type in (*PICTURES.values(), "image/webp")


def safe_name(raw: str) -> str:
    """Return a file's name without folders, control and direction marks, short, and never empty."""
    name = clean(unicodedata.normalize("NFC", raw.replace("\\", "/").rsplit("/", 1)[-1]))
    name = _OUTSIDE.sub("_", name).strip(" .") or "file"
    if len(name) <= LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: LONGEST - len(ending) - 1]}.{ending}"
    return name[:LONGEST]
