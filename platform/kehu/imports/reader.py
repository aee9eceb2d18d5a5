"""Opens an uploaded file: says what it is and how it can be read, and then reads its rows.

`inspect_file` looks at the beginning and proposes; `RowReader` reads everything in constant memory, the same
way each time, so that a dry run, the import and its resumption after a crash see the same rows under the same
numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from kehu.core.i18n import _
from kehu.imports.columns import Column, guess_columns
from kehu.imports.csv_in import csv_rows, sniff_csv, with_dialect
from kehu.imports.detect import detect_header
from kehu.imports.encodings import EncodingGuess, detect_encoding
from kehu.imports.files import NAMED, FileKind, ReadOptions, Row, checked, unusable
from kehu.imports.ics_in import ics_rows, is_ics
from kehu.imports.vcf_in import is_vcf, vcf_rows
from kehu.imports.xlsx_in import check_workbook, sheet_names, xlsx_rows

SAMPLE_ROWS: Final = 1_000
"""Rows that are looked at to propose columns."""

PREVIEW_ROWS: Final = 20

MOST_TITLES: Final = 10
"""Rows with titles that are looked for above a table."""

_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"SQLite format",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileInfo:
    """What was found out about a file, for a person to confirm or change.

    `encoding_sure` is False when other encodings (`encoding_others`) would give readable text as well.
    """

    options: ReadOptions
    columns: tuple[Column, ...]
    preview: tuple[Row, ...]
    size: int
    sheets: tuple[str, ...] = ()
    encoding_sure: bool = True
    encoding_others: tuple[str, ...] = ()


def file_kind(path: Path) -> FileKind:
    """Tell `csv`, `xlsx`, `vcf` and `ics` by the content, whatever the name says.

    :raises InvalidInput: for other files, with what to save them as.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise unusable(_("The file is empty. Upload a file with at least one row."))
    if head.startswith((_ZIP, _EMPTY_ZIP)):
        return "xlsx"
    if is_vcf(head):
        return "vcf"
    if is_ics(head):
        return "ics"
    if head.startswith(_OLE):
        raise unusable(
            _(
                "Old .xls workbooks and those with a password are not read. Save it as .xlsx or CSV "
                "and upload that."
            )
        )
    if head.startswith(_OTHERS):
        raise unusable(
            _("No rows can be read from this kind of file. Upload a .csv, .xlsx, .vcf or .ics file.")
        )
    if (
        head.lstrip(b"\xef\xbb\xbf\r\n\t ")[:64]
        .lower()
        .startswith((b"<html", b"<!doctype", b"<?xml", b"<table"))
    ):
        raise unusable(
            _("The file is a web page, whatever its name says. Save it as .xlsx or CSV and upload that.")
        )
    return "csv"


class RowReader:
    """Reads the rows of a file, one at a time, without the header and blank rows."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        self._size = max(path.stat().st_size, 1)
        self._read = 0

    @property
    def fraction(self) -> float:
        """Return how much of the file has been read, from 0 to 1, for a progress bar."""
        return min(self._read / self._size, 1.0)

    def __iter__(self) -> Iterator[Row]:
        with closing(self._all_rows()) as rows:
            if self._options.header:
                next(rows, None)
            yield from rows

    def _all_rows(self) -> Generator[Row, None, None]:
        with self._path.open("rb") as raw:
            if self._options.kind == "xlsx":
                check_workbook(self._path)
                rows = xlsx_rows(raw, self._options.sheet, self._options.width)
            elif self._options.kind == "vcf":
                rows = vcf_rows(raw, self._options)
            elif self._options.kind == "ics":
                rows = ics_rows(raw, self._options)
            else:
                rows = csv_rows(raw, self._options)
            with closing(rows):
                for row in rows:
                    self._read = raw.tell()
                    if self._options.named or row.number >= self._options.top:
                        yield row
        self._read = self._size

    def first(self, count: int) -> list[Row]:
        """Return the first rows, the header included."""
        with closing(self._all_rows()) as rows:
            return list(islice(rows, count))


def inspect_file(path: Path, wishes: Mapping[str, Any] | None = None) -> FileInfo:
    """Find out how a file is to be read and what its columns hold.

    :param wishes: what a person chose instead of the proposal: encoding, delimiter, quote, header, sheet.
    :raises InvalidInput: when the file can't be used, with the remedy.
    """
    wishes = dict(wishes or {})
    if file_kind(path) in NAMED:
        wishes = {name: wishes[name] for name in ("encoding",) if name in wishes} | {"header": True, "top": 1}
    options, guess, sheets = _opened(path, wishes)
    sample = RowReader(path, replace(options, width=0)).first(SAMPLE_ROWS)
    if not sample:
        raise unusable(_("The file has no rows. Upload a file with at least one row."))
    if "top" not in wishes and (top := _first_of_table(sample)) > 1:
        options = replace(options, top=top)
        sample = [row for row in sample if row.number >= top]
    cells = [row.cells for row in sample]
    header = bool(wishes["header"]) if "header" in wishes else detect_header(cells)
    width = _width(cells, header)
    names = cells[0][:width] if header else []
    body = [row[:width] for row in cells[1 if header else 0 :]]
    options = replace(options, header=header, width=width)
    return FileInfo(
        options=options,
        columns=tuple(guess_columns(names, body or [[""] * width])),
        preview=tuple(
            checked(row.number, row.cells, width) for row in sample[1 if header else 0 :][:PREVIEW_ROWS]
        ),
        size=path.stat().st_size,
        sheets=tuple(sheets),
        encoding_sure=guess.sure or "encoding" in wishes,
        encoding_others=guess.others,
    )


def _opened(path: Path, wishes: Mapping[str, Any]) -> tuple[ReadOptions, EncodingGuess, list[str]]:
    kind = file_kind(path)
    if kind in NAMED:
        guess = detect_encoding(path)
        return ReadOptions(kind=kind, encoding=guess.name).changed(wishes), guess, []
    if kind == "xlsx":
        check_workbook(path)
        sheets = sheet_names(path)
        if not sheets:
            raise unusable(_("The workbook has no sheet with cells. Upload one that has."))
        guess = EncodingGuess(name="utf-8", sure=True)
        return ReadOptions(kind="xlsx", sheet=sheets[0]).changed(wishes), guess, sheets
    options, guess = sniff_csv(path)
    if wishes.get("encoding", options.encoding) != options.encoding:
        options = with_dialect(path, options.changed({"encoding": wishes["encoding"]}))
    return options.changed(wishes), guess, []


def _first_of_table(sample: Sequence[Row]) -> int:
    """Return the row in which the table begins, behind titles that people write above it.

    A title is a row with one cell; the table begins with names of columns, and has three columns or more.
    """
    titles = 0
    while titles < min(len(sample), MOST_TITLES) and _filled(sample[titles]) == 1:
        titles += 1
    rest = sample[titles:]
    if not titles or not rest or _filled(rest[0]) < 3:
        return 1
    return rest[0].number if detect_header([row.cells for row in rest]) else 1


def _filled(row: Row) -> int:
    return sum(1 for cell in row.cells if cell.strip())


def _width(rows: Sequence[Sequence[str]], header: bool) -> int:
    """Return how many columns the file has.

    That is what the header names; one longer row is a mistake in that row, but when most are longer, the
    header is short. Without a header it is what most rows have.
    """
    lengths = [_filled_length(row) for row in rows]
    body = lengths[1:] if header else lengths
    usual = Counter(body).most_common(1)[0][0] if body else 0
    if not header:
        longest = max(body)
        return longest if sum(1 for length in body if length > usual) * 10 > len(body) else usual
    longer = sum(1 for length in body if length > lengths[0])
    return max(usual, lengths[0]) if longer * 2 > len(body) else max(lengths[0], 1)


def _filled_length(row: Sequence[str]) -> int:
    length = len(row)
    while length and not row[length - 1]:
        length -= 1
    return length
