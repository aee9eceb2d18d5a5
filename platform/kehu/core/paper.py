"""Text on paper: paragraphs of a PDF in Latin, Greek, Cyrillic and Chinese, whatever fonts a machine has."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from reportlab import rl_config
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph
from reportlab.platypus.tables import CellStyle

TEXT, CHINESE = "kehu-text", "kehu-chinese"
FONTS = {
    TEXT: ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
    CHINESE: ("paperang_p2_fonts_cjk", "fonts/wqy-microhei.ttc"),
}
"""Fonts that come as packages, of which only the files are used: Noto Sans, and WenQuanYi Micro Hei with simplified
and traditional characters. A paper embeds the characters of them that stand on it."""


def paragraph(
    text: str, locale: str, size: float = 10, after: float = 4, *, right: bool = False
) -> Paragraph:
    """Return a paragraph of a PDF.

    :param size: of the letters, in points; `after` is the space below.
    :param right: whether it ends at the right edge, as amounts do.
    """
    style = ParagraphStyle(
        "text",
        fontName=text_font(),
        fontSize=size,
        leading=size * 1.4,
        spaceAfter=after,
        alignment=TA_RIGHT if right else TA_LEFT,
        wordWrap="CJK" if locale.startswith("zh") else None,
    )
    return Paragraph(marked(text), style)


def marked(text: str) -> str:
    """Return a text as markup, each piece in a font that has its characters."""
    fonts = _embedded()
    parts = []
    for name, letters in groupby(text, lambda letter: _font_of(letter, fonts)):
        piece = escape("".join(letters)).replace("\n", "<br/>")
        parts.append(f'<font name="{name}">{piece}</font>')
    return "".join(parts)


def text_font() -> str:
    """Return the name of the font for what is drawn past paragraphs; Chinese needs a paragraph."""
    _embedded()
    return TEXT


def _font_of(letter: str, fonts: dict[str, frozenset[int]]) -> str:
    """Return the first font that has a letter; what none has is shown as a box."""
    return next((name for name, known in fonts.items() if ord(letter) in known), TEXT)


@cache
def _embedded() -> dict[str, frozenset[int]]:
    """Make the fonts known, and return the characters of each."""
    found = {}
    for name, (package, path) in FONTS.items():
        font = TTFont(name, str(_folder(package) / path))
        pdfmetrics.registerFont(font)
        found[name] = frozenset(font.face.charToGlyph)
    # Pages and cells of tables begin with a font even where nothing is written in it; the usual one is not embedded.
    rl_config.canvas_basefontname = CellStyle.fontname = TEXT
    return found


def _folder(package: str) -> Path:
    """Return where a package lies, without running anything of it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"The package {package.replace('_', '-')} is missing; run `make setup`.")
    return Path(spec.submodule_search_locations[0])
