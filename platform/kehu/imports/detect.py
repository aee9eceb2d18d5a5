"""How a text file is cut into cells: delimiter, quotes, spaces after delimiters, and whether it has a header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

DELIMITERS: Final[dict[str, str]] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
"""The delimiters a person may choose. On a tie the earlier is taken."""

QUOTES: Final = ('"', "'", "")
"""The quote characters a person may choose; the empty one means that quotes are ordinary characters."""

_ROWS: Final = 200
_HINT: Final = re.compile(r"sep=([,;\t|])\r?\n?", re.IGNORECASE)
_LONGEST_QUOTED: Final = 50
_PLAIN_VALUE: Final = re.compile(
    r"[-+(]?[\d.,:/ %()-]*\d[\d.,:/ %()-]*|\S+@\S+\.\S+|https?://\S+|(?i:true|false|yes|no)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How lines are cut into cells. `skip` is the number of lines before the first row."""

    delimiter: str = ","
    quote: str = '"'
    spaces: bool = False
    skip: int = 0

    def options(self) -> dict[str, object]:
        """Return the arguments of `csv.reader`."""
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote or None,
            "quoting": quoting,
            "skipinitialspace": self.spaces,
        }


def detect_dialect(text: str) -> Dialect:
    """Guess the dialect from the beginning of a file, which may end within a line."""
    lines = _whole_lines(text)
    if not lines:
        return Dialect()
    hint = _HINT.fullmatch(lines[0].lstrip("\ufeff"))
    if hint:
        return Dialect(delimiter=hint[1], quote=_quote(lines[1:], hint[1]), skip=1)
    scored = [(_score(lines, delimiter), -place, delimiter) for place, delimiter in enumerate(DELIMITERS)]
    score, _, delimiter = max(scored)
    if not score:
        delimiter = ","
    return Dialect(delimiter=delimiter, quote=_quote(lines, delimiter), spaces=_has_spaces(lines, delimiter))


def _whole_lines(text: str) -> list[str]:
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    whole = [line for line in lines if line]
    if len(whole) > 1 and not whole[-1].endswith(("\n", "\r")):
        whole.pop()
    return whole


def _cut(lines: Sequence[str], dialect: Dialect) -> list[list[str]]:
    try:
        return [row for row in islice(csv.reader(lines, **dialect.options()), _ROWS) if row]  # type: ignore[arg-type]
    except csv.Error:
        return []


def _score(lines: Sequence[str], delimiter: str) -> float:
    """Return how well a delimiter cuts the lines into equally many cells; 0 when it does not cut at all."""
    rows = _cut(lines, Dialect(delimiter=delimiter, quote=_quote(lines, delimiter)))
    if not rows:
        # One cell longer than the parser takes, or nothing but line ends.
        return 0.0
    width, times = Counter(len(row) for row in rows).most_common(1)[0]
    if width == 1:
        return 0.0
    return times / len(rows) + min(width, 20) / 100


def _quote(lines: Sequence[str], delimiter: str) -> str:
    """Return the quote character: one that opens cells and is closed again soon after."""
    near = re.escape(delimiter)
    for quote in QUOTES[:2]:
        cell = re.compile(
            rf"(?:^|{near}) ?{quote}(?:[^{quote}]|{quote}{quote})*{quote} *(?:{near}|\r|\n|$)", re.MULTILINE
        )
        if not cell.search("".join(lines)):
            continue
        rows = _cut(lines, Dialect(delimiter=delimiter, quote=quote))
        if all(entry.count("\n") <= _LONGEST_QUOTED for row in rows for entry in row):
            return quote
    opened = re.compile(rf'(?:^|{near}) ?"', re.MULTILINE)
    # A quote that opens a cell and is never closed would swallow the rest of the file.
    return "" if opened.search("".join(lines)) else '"'


def _has_spaces(lines: Sequence[str], delimiter: str) -> bool:
    cuts = sum(line.count(delimiter) for line in lines)
    spaced = sum(line.count(f"{delimiter} ") for line in lines)
    return cuts > 0 and spaced / cuts > 0.8


def detect_header(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row names the columns: words where values follow, none empty, none twice."""
    if not rows:
        return False
    first, rest = [cell.strip() for cell in rows[0]], rows[1:]
    names = [cell for cell in first if cell]
    if not names or any(_PLAIN_VALUE.fullmatch(name) for name in names):
        return False
    if not rest:
        return True
    return _differs(first, rest) or (len(set(names)) == len(names) and len(names) * 2 >= len(first))


def _differs(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Tell whether a column holds plain values below a first cell that is none."""
    for place, name in enumerate(first):
        below = [row[place].strip() for row in rest if len(row) > place and row[place].strip()]
        if name and below and sum(1 for cell in below if _PLAIN_VALUE.fullmatch(cell)) > 0.8 * len(below):
            return True
    return False
