"""The agreement of a test drive as a PDF, in any of the languages."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

CHINESE = {"zh_Hant": "MSung-Light"}
OTHER = "STSong-Light"
"""Fonts that every reader of PDF brings along; what the embedded ones lack is written in them."""
FOLDERS = (
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/dejavu-sans-fonts",
    "/usr/share/fonts/TTF",
    "/usr/local/share/fonts",
)
WIDE = "DejaVuSans.ttf"
"""Embedded where the system has it: Latin of all countries, Greek, Cyrillic."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What stands in an agreement.

    :param facts: pairs of label and value.
    :param terms: what the driver agrees to, a sentence each.
    :param signatures: who signs.
    """

    title: str
    firm: str
    facts: Sequence[tuple[str, str]]
    terms: Sequence[str]
    signatures: Sequence[str]
    foot: str
    locale: str = "en"


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


def marked(text: str, locale: str) -> str:
    """Return a text as markup, each piece in a font that has its characters."""
    name, known = _embedded()
    parts = []
    for has, letters in groupby(text, lambda letter: letter.isspace() or ord(letter) in known):
        piece = escape("".join(letters)).replace("\n", "<br/>")
        parts.append(piece if has else f'<font name="{_other(locale)}">{piece}</font>')
    return f'<font name="{name}">{"".join(parts)}</font>'


def _style(size: float, *, after: float = 4, chinese: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        "text",
        fontName=_embedded()[0],
        fontSize=size,
        leading=size * 1.4,
        spaceAfter=after,
        alignment=TA_LEFT,
        wordWrap="CJK" if chinese else None,
    )


def draw(paper: Paper) -> bytes:
    """Return the paper as a PDF of A4."""
    chinese = paper.locale.startswith("zh")

    def text(content: str, size: float = 10, after: float = 4) -> Paragraph:
        return Paragraph(marked(content, paper.locale), _style(size, after=after, chinese=chinese))

    story: list[Any] = [
        text(paper.firm, 10, 2),
        text(paper.title, 18, 10),
        _facts([[text(label, 9), text(value)] for label, value in paper.facts]),
        Spacer(1, 6 * mm),
        *(text(f"{number}. {term}") for number, term in enumerate(paper.terms, 1)),
        Spacer(1, 16 * mm),
        _lines([text(one, 9) for one in paper.signatures]),
        Spacer(1, 6 * mm),
        text(paper.foot, 8),
    ]
    kept = io.BytesIO()
    margin = 20 * mm
    document = SimpleDocTemplate(
        kept,
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=paper.title,
        author=paper.firm,
        lang=paper.locale.replace("_", "-"),
    )
    document.build(story)
    return kept.getvalue()


def _facts(rows: list[list[Paragraph]]) -> Table:
    table = Table(rows, colWidths=[50 * mm, 120 * mm])
    rule = ("LINEBELOW", (0, 0), (-1, -1), 0.3, "#bbbbbb")
    table.setStyle(
        TableStyle([rule, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)])
    )
    return table


def _lines(cells: Iterable[Paragraph]) -> Table:
    row = list(cells)
    table = Table([row], colWidths=[170 * mm / len(row)] * len(row))
    table.setStyle(
        TableStyle([("LINEABOVE", (index, 0), (index, 0), 0.6, "#000000") for index in range(len(row))])
    )
    return table
