"""Reads Excel workbooks in constant memory, and refuses what would harm the machine before unpacking it."""

from __future__ import annotations

import datetime as dt
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Final
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException
from openpyxl.utils.datetime import from_excel

from kehu.core.errors import TooLarge
from kehu.core.i18n import _
from kehu.imports.csv_out import unguard
from kehu.imports.files import MAX_COLUMNS, Row, checked, unusable
from kehu.imports.xlsx_parts import Book, Strings, fed, local_name, new_parser, read_book, read_strings

_MB: Final = 1 << 20
MAX_ENTRIES: Final = 5_000
MAX_UNPACKED: Final = 600 * _MB
MAX_RATIO: Final = 150
MAX_STRINGS: Final = 48 * _MB
MAX_PART: Final = 16 * _MB
MAX_ROWS: Final = 1_048_576
MAX_PLACES: Final = 60_000_000
"""Cells in all rows together, those left out included: a row may claim 16,384 of them with one."""

_SMALL: Final = 20 * _MB
_STREAMED: Final = ("xl/worksheets/", "xl/media/", "xl/drawings/", "xl/embeddings/")
_FAULTS: Final = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!")
)
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    ExpatError,
    ParseError,
    DefusedXmlException,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
)
"""What the libraries raise for files that are damaged or made to do damage."""


def _damaged() -> Exception:
    return unusable(
        _(
            "The workbook is damaged. Open it in a spreadsheet, save it again as .xlsx or CSV, and upload that."
        )
    )


def _harmful() -> Exception:
    return unusable(
        _(
            "The workbook unpacks to far more data than it should, so it was not read. "
            "Save the sheet as CSV and upload that."
        ),
        TooLarge,
    )


def check_workbook(path: Path) -> None:
    """Check a workbook by what its directory declares, without unpacking it.

    What is declared binds: an entry is never unpacked beyond its declared size.

    :raises InvalidInput: when it is damaged, encrypted or no workbook.
    :raises TooLarge: when it would unpack to more than the bounds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except _DAMAGE as error:
        raise _damaged() from error
    _check_kind({entry.filename.lower() for entry in entries})
    if any(entry.flag_bits & 1 for entry in entries):
        raise unusable(
            _("The workbook is protected by a password. Take the password off and upload it again.")
        )
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or total > MAX_UNPACKED:
        raise _harmful()
    if total > _SMALL and total > MAX_RATIO * path.stat().st_size:
        raise _harmful()
    if any(_is_harmful(entry) for entry in entries):
        raise _harmful()


def _is_harmful(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.lower().lstrip("/")
    bound = (
        MAX_STRINGS if "sharedstrings" in name else MAX_UNPACKED if name.startswith(_STREAMED) else MAX_PART
    )
    size = entry.file_size
    return size > bound or (size > _SMALL and size > MAX_RATIO * max(entry.compress_size, 1))


def _check_kind(names: set[str]) -> None:
    if "xl/workbook.xml" in names:
        return
    if "xl/workbook.bin" in names or "content.xml" in names or "index/document.iwa" in names:
        raise unusable(_("This kind of spreadsheet is not read. Save it as .xlsx or CSV and upload that."))
    raise unusable(_("The file is an archive, not a workbook. Upload an .xlsx or CSV file."))


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets with cells, visible ones first."""
    try:
        with zipfile.ZipFile(path) as archive:
            return list(read_book(archive).sheets)
    except _DAMAGE as error:
        raise _damaged() from error


def xlsx_rows(source: BinaryIO, sheet: str, width: int) -> Generator[Row, None, None]:
    """Yield all rows of a sheet, the header included and blank ones left out."""
    try:
        with zipfile.ZipFile(source) as archive:
            book = read_book(archive)
            if sheet not in book.sheets:
                raise unusable(
                    _("There is no sheet “%(name)s”. Choose one of the sheets offered.", name=sheet)
                )
            cells = _SheetParser(book, read_strings(archive, book))
            for _block in fed(archive, book.sheets[sheet], cells.parser):
                for number, values in cells.taken():
                    yield _row(number, values, width)
    except _DAMAGE as error:
        raise _damaged() from error


class _SheetParser:
    """Turns the elements of a sheet into rows of text. Rows pile up until they are taken, after each block."""

    def __init__(self, book: Book, strings: Strings) -> None:
        self._book = book
        self._strings = strings
        self._rows: list[tuple[int, list[str]]] = []
        self._cells: dict[int, str] = {}
        self._number = self._column = self._places = 0
        self._kind = self._style = ""
        self._pieces: list[str] = []
        self._listening = self._reading = False
        self._tags: dict[str, str] = {}
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def taken(self) -> list[tuple[int, list[str]]]:
        """Return the rows that are complete, once."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = self._tags.get(name) or self._tags.setdefault(name, local_name(name))
        if tag == "c":
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._pieces.clear()
        elif tag in ("v", "t"):
            self._listening = not self._reading
        elif tag == "rPh":
            self._reading = True
        elif tag == "row":
            self._begin_row(int(attributes["r"]) if "r" in attributes else self._number + 1)

    def _begin_row(self, number: int) -> None:
        if not self._number < number <= MAX_ROWS:
            raise ValueError("Rows are out of order.")
        self._number, self._column = number, 0
        self._cells.clear()

    def _data(self, text: str) -> None:
        if self._listening:
            self._pieces.append(text)

    def _end(self, name: str) -> None:
        tag = self._tags[name]
        if tag in ("v", "t"):
            self._listening = False
        elif tag == "rPh":
            self._reading = False
        elif tag == "c":
            if self._pieces:
                self._cells[self._column] = self._text("".join(self._pieces))
        elif tag == "row":
            self._end_row()

    def _end_row(self) -> None:
        filled = [column for column, text in self._cells.items() if text]
        if not filled:
            return
        width = max(filled)
        self._places += width
        if self._places > MAX_PLACES:
            raise _harmful()
        get = self._cells.get
        self._rows.append((self._number, [get(column, "") for column in range(1, width + 1)]))

    def _text(self, raw: str) -> str:
        """Return a cell's value as it would stand in a CSV file."""
        match self._kind:
            case "s":
                return _cleaned(self._strings[int(raw)])
            case "n":
                return self._number_text(raw)
            case "b":
                return "TRUE" if raw.strip() in ("1", "true") else "FALSE"
            case "e":
                return raw
            case "d":
                return raw.replace("T00:00:00", "").rstrip("Z")
        return _cleaned(raw)

    def _number_text(self, raw: str) -> str:
        """Return dates in ISO form, and whole numbers without decimals."""
        number = float(raw)
        style = int(self._style or 0)
        if style in self._book.dates:
            try:
                return _date_text(from_excel(number, self._book.epoch, timedelta=style in self._book.spans))
            except (ValueError, OverflowError):
                # No such day: the spreadsheet itself shows an error or a row of hashes.
                return "#VALUE!"
        if number.is_integer() and abs(number) < 1e15:
            return str(int(number))
        return format(number, ".15g")


def _date_text(value: object) -> str:
    if isinstance(value, dt.datetime):
        value = value.replace(microsecond=0)
        return value.isoformat(" ") if value.time() != dt.time(0) else value.date().isoformat()
    return str(value)


def _cleaned(text: str) -> str:
    return unguard(text.replace("_x000D_", "").strip())


def _column(reference: str) -> int:
    """Return the column of a cell's reference: 1 for A7."""
    number = 0
    for char in reference:
        if not "A" <= char <= "Z":
            break
        number = number * 26 + ord(char) - 64
    if not 0 < number <= 16_384:
        raise ValueError("A cell lies outside of the sheet.")
    return number


def _row(number: int, cells: list[str], width: int) -> Row:
    if len(cells) > MAX_COLUMNS and not width:
        raise unusable(
            _(
                "The sheet has more than %(most)s columns. Take columns out, or save a part of it.",
                most=MAX_COLUMNS,
            )
        )
    row = checked(number, cells, width)
    if not row.problem:
        for index, cell in enumerate(row.cells):
            if cell in _FAULTS:
                return row._replace(problem=_fault(index, cell))
    return row


def _fault(index: int, cell: str) -> str:
    return _(
        "The cell in column %(column)s holds the spreadsheet's error %(error)s. "
        "Correct its formula or clear the cell.",
        column=index + 1,
        error=cell,
    )
