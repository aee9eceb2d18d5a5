"""The small parts of a workbook: which sheets it has, which styles are dates, its shared strings.

openpyxl holds rows' properties and shared strings as objects and reads a sheet without a stated size twice, so large
sheets are streamed by our own parser (`kehu.imports.xlsx_in`); its rules for dates are used as they are.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element
from xml.parsers.expat import ParserCreate, XMLParserType

from defusedxml.ElementTree import fromstring
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

_BLOCK: Final = 64 * 1024
_LOCALIZED_DATES: Final = frozenset((*range(27, 37), *range(50, 59)))
"""Formats that are dates in East Asian editions and have no code in the file."""


class DeclarationError(ValueError):
    """Raised for a document type declaration: workbooks have none, attacks by entities need them."""


@dataclass(slots=True)
class Book:
    """What is needed of a workbook to read one of its sheets."""

    sheets: dict[str, str] = field(default_factory=dict)
    dates: frozenset[int] = frozenset()
    spans: frozenset[int] = frozenset()
    epoch: dt.datetime = CALENDAR_WINDOWS_1900
    strings_part: str | None = None


def local_name(name: str) -> str:
    """Return a tag without its prefix or namespace."""
    return name.rpartition("}")[2].rpartition(":")[2]


def new_parser() -> XMLParserType:
    """Return an XML parser that knows no declarations and therefore no entities."""
    parser = ParserCreate()

    def refuse(*_details: object) -> None:
        raise DeclarationError("A workbook has no declarations.")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    return parser


def fed(archive: zipfile.ZipFile, part: str, parser: XMLParserType) -> Iterator[None]:
    """Feed a part to a parser in blocks, and yield after each of them."""
    with archive.open(part) as source:
        while block := source.read(_BLOCK):
            parser.Parse(block, False)
            yield
    parser.Parse(b"", True)
    yield


def _tree(archive: zipfile.ZipFile, part: str) -> Element:
    root: Element = fromstring(archive.read(part), forbid_dtd=True)
    return root


def _children(root: Element, name: str) -> Iterator[Element]:
    return (node for node in root.iter() if local_name(node.tag) == name)


def _attribute(node: Element, name: str) -> str:
    for key, value in node.attrib.items():
        if local_name(key) == name:
            return value
    return ""


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Return the relations of a part: id to kind and target."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in archive.namelist():
        return {}
    found = {}
    for node in _children(_tree(archive, path), "Relationship"):
        target = node.get("Target", "")
        whole = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[node.get("Id", "")] = (node.get("Type", "").rpartition("/")[2], whole)
    return found


def read_book(archive: zipfile.ZipFile) -> Book:
    """Read what describes the sheets. Visible sheets come first, chart sheets not at all."""
    targets = dict(_relations(archive, "").values())
    part = targets.get("officeDocument", "xl/workbook.xml")
    root = _tree(archive, part)
    relations = _relations(archive, part)
    parts = dict(relations.values())
    book = Book(strings_part=parts.get("sharedStrings"))
    if any(_attribute(node, "date1904") in ("1", "true") for node in _children(root, "workbookPr")):
        book.epoch = CALENDAR_MAC_1904
    listed = sorted(
        _children(root, "sheet"), key=lambda node: _attribute(node, "state") not in ("", "visible")
    )
    for node in listed:
        kind, target = relations.get(_attribute(node, "id"), ("", ""))
        if kind == "worksheet" and target in archive.namelist():
            book.sheets[_attribute(node, "name")] = target
    if "styles" in parts and parts["styles"] in archive.namelist():
        book.dates, book.spans = _date_styles(_tree(archive, parts["styles"]))
    return book


def _date_styles(root: Element) -> tuple[frozenset[int], frozenset[int]]:
    """Return the numbers of the cell styles that show dates, and of those that show spans of time."""
    own = {node.get("numFmtId", ""): node.get("formatCode", "") for node in _children(root, "numFmt")}
    dates, spans = set(), set()
    for group in _children(root, "cellXfs"):
        for number, node in enumerate(_children(group, "xf")):
            code = node.get("numFmtId", "0")
            shape = own.get(code) or BUILTIN_FORMATS.get(int(code), "")
            if int(code) in _LOCALIZED_DATES or is_date_format(shape):
                dates.add(number)
            if is_timedelta_format(shape):
                spans.add(number)
    return frozenset(dates), frozenset(spans)


class Strings:
    """The strings that cells refer to by number: one block of bytes, a fifth of what a list of texts takes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        """Add a string under the next number."""
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError("There is no such string.")
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()


def read_strings(archive: zipfile.ZipFile, book: Book) -> Strings:
    """Return the strings that cells refer to by number, without readings (furigana)."""
    if book.strings_part is None or book.strings_part not in archive.namelist():
        return Strings()
    strings = _StringsParser()
    for _block in fed(archive, book.strings_part, strings.parser):
        pass
    return strings.found


class _StringsParser:
    """Collects the text of each string item."""

    def __init__(self) -> None:
        self.found = Strings()
        self._pieces: list[str] = []
        self._listening = self._reading = False
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        tag = local_name(name)
        if tag == "t":
            self._listening = not self._reading
        elif tag == "rPh":
            self._reading = True
        elif tag == "si":
            self._pieces.clear()

    def _end(self, name: str) -> None:
        tag = local_name(name)
        if tag == "t":
            self._listening = False
        elif tag == "rPh":
            self._reading = False
        elif tag == "si":
            self.found.append("".join(self._pieces))

    def _data(self, text: str) -> None:
        if self._listening:
            self._pieces.append(text)
