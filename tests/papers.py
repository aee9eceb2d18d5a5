"""Reading the papers that we draw: their words, and whether each font comes along."""

from __future__ import annotations

import io

import pypdf


def words_of(paper: bytes) -> str:
    """Return the text of a PDF, each line as it stands there."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper)).pages)


def fonts_of(paper: bytes) -> set[str]:
    """Return `embedded`, and the names of fonts that a reader would have to bring along."""
    found = set()
    for page in pypdf.PdfReader(io.BytesIO(paper)).pages:
        for given in page["/Resources"]["/Font"].values():
            font = given.get_object()
            inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            described = inner.get("/FontDescriptor")
            files = {"/FontFile", "/FontFile2", "/FontFile3"} & set(
                described.get_object() if described else ()
            )
            found.add("embedded" if files else str(font["/BaseFont"]))
    return found
