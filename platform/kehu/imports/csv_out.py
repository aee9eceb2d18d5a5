"""Writes CSV that a spreadsheet opens without running anything that a stranger typed into a field.

A cell that begins like a formula gets an apostrophe before it, which spreadsheets show as text; our own
import takes it off again, so a round trip changes nothing. Numbers and telephone numbers stay as they are.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Final

_FORMULA: Final = re.compile(r"'*[\s\u200b\ufeff]*[=+\-@\t\r\n＝＋－＠]")
_HARMLESS: Final = re.compile(r"[+-]?[\d .,()/%-]*\d[\d .,()/%-]*")
_BATCH: Final = 500


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _HARMLESS.fullmatch(text) is None


def guard(text: str) -> str:
    """Return a text so that a spreadsheet takes it for a text."""
    return f"'{text}" if _is_formula(text) else text


def unguard(text: str) -> str:
    """Return what was guarded as it was before."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def cell(value: object) -> str:
    """Return any value as the text of a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return str(value)
        case Decimal():
            return format(value, "f")
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case Enum():
            return guard(str(value.value))
        case list() | tuple() | set() | frozenset():
            return guard("; ".join(str(entry) for entry in value))
    return guard(str(value).replace("\x00", ""))


def csv_blocks(header: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield a CSV file in blocks, in constant memory: UTF-8 with a mark, every cell in quotes.

    Quotes around every cell keep it whole in a spreadsheet that takes another delimiter for granted.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    buffer.write("\ufeff")
    writer.writerow([cell(name) for name in header])
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(value) for value in row])
        if number % _BATCH == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    # What can't be written as UTF-8 (a lone surrogate) is shown as a replacement rather than failing the
    # file.
    block = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return block


def write_csv(path: Path, header: Iterable[object], rows: Iterable[Iterable[object]]) -> int:
    """Write a CSV file and return its size in bytes."""
    with path.open("wb") as file:
        return sum(file.write(block) for block in csv_blocks(header, rows))
