"""Text on paper: paragraphs of a PDF in Latin, Cyrillic and Chinese."""

from __future__ import annotations

from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path

from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Paragraph

FOLDERS = (
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/dejavu-sans-fonts",
    "/usr/share/fonts/TTF",
    "/usr/local/share/fonts",
)
WIDE = "DejaVuSans.ttf"
"""Embedded where the system has it: Latin of all countries, Greek, Cyrillic."""
CHINESE = {"zh_Hant": "MSung-Light"}
OTHER = "STSong-Light"
"""Fonts that every reader of PDF brings along; what the embedded one lacks is written in them."""


def paragraph(text: str, locale: str, size: float = 10, after: float = 4) -> Paragraph:
    """Return a paragraph of a PDF.

    :param size: of the letters, in points; `after` is the space below.
    """
    style = ParagraphStyle(
        "text",
        fontName=_embedded()[0],
        fontSize=size,
        leading=size * 1.4,
        spaceAfter=after,
        wordWrap="CJK" if locale.startswith("zh") else None,
    )
    return Paragraph(marked(text, locale), style)


def marked(text: str, locale: str) -> str:
    """Return a text as markup, each piece in a font that has its characters."""
    name, known = _embedded()
    parts = []
    for has, letters in groupby(text, lambda letter: letter.isspace() or ord(letter) in known):
        piece = escape("".join(letters)).replace("\n", "<br/>")
        parts.append(piece if has else f'<font name="{_other(locale)}">{piece}</font>')
    return f'<font name="{name}">{"".join(parts)}</font>'


@cache
def _embedded() -> tuple[str, frozenset[int]]:
    """Return the font that is embedded, with the characters that it has."""
    for path in (*(Path(folder) / WIDE for folder in FOLDERS), Path("Vera.ttf")):
        if path.name == WIDE and not path.is_file():
            continue
        try:
            font = TTFont("kehu-text", str(path))
        except TTFError:
            continue
        pdfmetrics.registerFont(font)
        return "kehu-text", frozenset(font.face.charToGlyph)
    return "Helvetica", frozenset(range(32, 127))


@cache
def _other(locale: str) -> str:
    name = CHINESE.get(locale, OTHER)
    pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name
