"""The agreement of a test drive as a PDF, in any of the languages."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from kehu.api import pdf_paragraph


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


def draw(paper: Paper) -> bytes:
    """Return the paper as a PDF of A4."""

    def text(content: str, size: float = 10, after: float = 4) -> Paragraph:
        return pdf_paragraph(content, paper.locale, size, after)

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
