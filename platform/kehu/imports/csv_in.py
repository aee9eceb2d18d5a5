"""Reads delimited text of any size in constant memory, and goes on after rows that are damaged."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from kehu.core.i18n import _
from kehu.imports.csv_out import unguard
from kehu.imports.detect import detect_dialect
from kehu.imports.encodings import EncodingGuess, detect_encoding
from kehu.imports.files import MAX_COLUMNS, ReadOptions, Row, checked, unusable

_LONGEST_LINE: Final = 2_000_000
_LONGEST_CELL: Final = 1_000_000
_MOST_LINES_IN_ROW: Final = 5_000
_SNIFFED: Final = 256 * 1024


class _LineTooLongError(Exception):
    """Raised inside the line feeder; never leaves this module."""


class _Lines:
    """Feeds lines to the parser, bounded in length and in how many may belong to one row."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self.in_row = 0
        self._ended = False

    def has_ended(self) -> bool:
        """Tell whether the parser has asked for a line where there was none."""
        return self._ended

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_LONGEST_LINE)
        if not line:
            self._ended = True
            raise StopIteration
        self.in_row += 1
        if len(line) >= _LONGEST_LINE and not line.endswith(("\n", "\r")):
            self._skip_rest()
            raise _LineTooLongError
        if self.in_row > _MOST_LINES_IN_ROW:
            raise csv.Error("row without end")
        return line

    def _skip_rest(self) -> None:
        while True:
            rest = self._file.readline(_LONGEST_LINE)
            if not rest or rest.endswith(("\n", "\r")):
                return


def sniff_csv(path: Path) -> tuple[ReadOptions, EncodingGuess]:
    """Return how a text file is to be read, before header and width are known."""
    guess = detect_encoding(path)
    return with_dialect(path, ReadOptions(kind="csv", encoding=guess.name)), guess


def with_dialect(path: Path, options: ReadOptions) -> ReadOptions:
    """Return the options with the dialect found in the file's beginning."""
    with path.open("rb") as raw, text_of(raw, options.encoding) as file:
        dialect = detect_dialect(file.read(_SNIFFED))
    return ReadOptions(
        kind="csv",
        encoding=options.encoding,
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        spaces=dialect.spaces,
        skip=dialect.skip,
    )


def text_of(raw: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Return the text of a file; bytes that are no characters in its encoding do not stop it."""
    # Damaged bytes become lone surrogates, by which their rows are known. UTF-16 and 32 can't carry them.
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")


def csv_rows(raw: BinaryIO, options: ReadOptions) -> Generator[Row, None, None]:
    """Yield all rows, the header included and blank ones left out.

    :raises InvalidInput: when a quote is opened and never closed, because what follows is anybody's guess.
    """
    csv.field_size_limit(_LONGEST_CELL)
    file = text_of(raw, options.encoding)
    try:
        for _skipped in range(options.skip):
            file.readline(_LONGEST_LINE)
        yield from _parsed(file, options)
    finally:
        file.detach()


def _parsed(file: io.TextIOWrapper, options: ReadOptions) -> Iterator[Row]:
    lines = _Lines(file)
    parser = csv.reader(lines, **options.dialect.options())  # type: ignore[arg-type]
    number = 0
    while not lines.has_ended():
        number += 1
        lines.in_row = 0
        try:
            cells = next(parser)
        except StopIteration:
            return
        except _LineTooLongError:
            yield Row(number, [], _("The row is longer than 2 million characters. Shorten its cells."))
            continue
        except csv.Error as error:
            if lines.in_row > 1:
                raise _open_quote(number) from error
            yield Row(number, [], _("The row has a cell of more than a million characters. Shorten it."))
            continue
        if lines.has_ended() and lines.in_row:
            # It asked for a line to complete the row: the quote in it is still open.
            raise _open_quote(number)
        row = _cleaned(number, cells, options.width)
        if row is not None:
            yield row


def _open_quote(number: int) -> Exception:
    return unusable(
        _(
            "In row %(number)s a quote is opened and never closed. Close or remove it, or choose “no quotes”, "
            "and upload the file again.",
            number=number,
        )
    )


def _cleaned(number: int, cells: list[str], width: int) -> Row | None:
    """Return the row with its cells trimmed, or None when all are empty."""
    # Marks of the byte order stand within files that were put together of several.
    cells = [cell.strip() if cell.isascii() else cell.strip("\ufeff \t\r\n\v\f").strip() for cell in cells]
    if not any(cells):
        return None
    if len(cells) > MAX_COLUMNS and not width:
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MAX_COLUMNS:
            raise _too_wide()
    cells = [unguard(cell) if cell.startswith("'") else cell for cell in cells]
    return checked(number, cells, width)


def _too_wide() -> Exception:
    return unusable(
        _(
            "The file has more than %(most)s columns. Check the delimiter, or take columns out.",
            most=MAX_COLUMNS,
        )
    )
