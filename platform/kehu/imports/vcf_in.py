"""Reads the cards of a vCard file (2.1, 3.0, 4.0) as rows with fixed columns, in constant memory.

Lines are unfolded and cut by vobject; what a card says beyond the columns goes into the description, so that
nothing but pictures, sounds and keys is lost.
"""

from __future__ import annotations

import base64
import binascii
import io
import quopri
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from vobject.base import VObjectError, getLogicalLines, parseLine
from vobject.icalendar import stringToTextValues
from vobject.vcard import splitFields

from kehu.core.i18n import _
from kehu.imports.csv_in import text_of
from kehu.imports.files import ReadOptions, Row, checked, unusable
from kehu.imports.targets import PARTS

_LONGEST_LINE: Final = 200_000
_MOST_LINES: Final = 2_000
"""Lines of one card, without pictures."""

_NO_TEXT: Final = re.compile(r"(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:]", re.IGNORECASE)
_LEFT_OUT: Final = frozenset(
    ("VERSION", "N", "REV", "PRODID", "LABEL", "KIND", "CLASS", "MAILER", "SORT-STRING")
)
_LEFT_PREFIXES: Final = (
    "X-MS-OL",
    "X-FC",
    "X-PHONETIC",
    "X-ABLABEL",
    "X-ABADR",
    "X-ABSHOWAS",
    "X-ETAG",
    "X-ID",
)
_CALLED: Final = {"X-ABRELATEDNAMES": "Related", "X-ABDATE": "Date", "IMPP": "Chat", "X-MS-IMADDRESS": "Chat"}
_DAY: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T.*)?")
_LABEL: Final = re.compile(r"_\$!<(.*)>!\$_")
_ADDRESS: Final = ("street", "postcode", "city", "region", "country")
_COLUMNS: Final = (
    *("name", "kind", "company", "department", "job_title", "emails", "phones"),
    *_ADDRESS,
    *("website", "born_on", "tags", "description", "external_id"),
)


def is_vcf(head: bytes) -> bool:
    """Tell a vCard file by how it begins."""
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t ")
    return plain[:11].upper() == b"BEGIN:VCARD"


def vcf_columns() -> list[str]:
    """Return the names of the columns that cards become, in the language of who asks."""
    names = {
        "name": _("Name"),
        "kind": _("Kind"),
        "company": _("Company"),
        "department": _("Department"),
        "job_title": _("Job title"),
        "emails": _("E-mail"),
        "phones": _("Phone"),
        "website": _("Website"),
        "born_on": _("Date of birth"),
        "tags": _("Tags"),
        "description": _("Description"),
        "external_id": _("Number elsewhere"),
    }
    for part in _ADDRESS:
        names[part] = _("%(field)s: %(part)s", field=_("Address"), part=PARTS[part])
    return [names[key] for key in _COLUMNS]


class _CardError(Exception):
    """Raised for a card that can't be read; the text says why and what to do."""


@dataclass
class _Line:
    """One property of a card, decoded."""

    name: str
    types: set[str]
    value: str
    group: str


@dataclass
class _Card:
    """The lines of one card as they come."""

    number: int
    start: int
    lines: list[tuple[int, str]] = field(default_factory=list)
    inner: int = 0


def vcf_rows(raw: BinaryIO, options: ReadOptions) -> Generator[Row, None, None]:
    """Yield the names of the columns and then one row a card, numbered as the cards stand in the file."""
    yield Row(0, vcf_columns())
    file = text_of(raw, options.encoding)
    try:
        for card, problem in _cards(getLogicalLines(_Feeder(file))):
            yield _row(card, problem, options)
    finally:
        file.detach()


class _Feeder:
    """Hands the lines of a file to vobject, blank ones for pictures, which may be megabytes long."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self._number = self._length = 0
        self._skips = self._bare = False

    def readline(self) -> str:
        """Return the next line, or nothing at the end."""
        line = self._file.readline(_LONGEST_LINE)
        if line == "\r\n" and self._bare:
            # Files that went through two conversions end their lines with two returns.
            line = self._file.readline(_LONGEST_LINE)
        if not line:
            return ""
        self._bare = line[-1] == "\r"
        if not self._number:
            line = line.removeprefix("\ufeff")
        self._number += 1
        goes_on = line[0] in " \t" and bool(line.strip())
        self._skips = (self._skips and goes_on) or _NO_TEXT.match(line) is not None
        if self._skips:
            while len(line) >= _LONGEST_LINE and line[-1] not in "\r\n":
                line = self._file.readline(_LONGEST_LINE)
                if not line:
                    break
            return "\n"
        self._length = self._length + len(line) if goes_on else len(line)
        if self._length >= _LONGEST_LINE:
            raise unusable(
                _(
                    "Line %(line)s has more than %(most)s characters. Shorten it, and upload the file again.",
                    line=self._number,
                    most=_LONGEST_LINE,
                )
            )
        return line


def _cards(lines: Iterable[tuple[str, int]]) -> Iterator[tuple[_Card, str]]:
    """Part the lines into cards; with each comes what is wrong with it as a whole, or nothing."""
    card: _Card | None = None
    number = 0
    for text, place in lines:
        word = text.strip().upper()
        if word == "BEGIN:VCARD" and card is not None and not card.inner and not _opens_inner(card):
            yield card, _no_end(card)
            card = None
        if card is None:
            number += 1
            card = _Card(number, place)
            if word != "BEGIN:VCARD":
                yield card, _("Line %(line)s stands outside of any card. Take it out.", line=place)
                card = None
        elif word == "BEGIN:VCARD":
            card.inner += 1
        elif word == "END:VCARD" and card.inner:
            card.inner -= 1
        elif word == "END:VCARD":
            yield card, ""
            card = None
        elif not card.inner:
            card.lines.append((place, text))
            if len(card.lines) > _MOST_LINES:
                raise unusable(_no_end(card))
    if card is not None:
        yield card, _no_end(card)


def _opens_inner(card: _Card) -> bool:
    """Tell whether the line before announced a card within the card, as version 2.1 has it."""
    return bool(card.lines) and card.lines[-1][1].upper().startswith("AGENT")


def _no_end(card: _Card) -> str:
    return _(
        "The card that begins in line %(line)s has no end. Close it with a line END:VCARD.", line=card.start
    )


def _row(card: _Card, problem: str, options: ReadOptions) -> Row:
    cells = dict.fromkeys(_COLUMNS, "")
    try:
        lines = _read(card, options)
        cells.update(_told(lines))
    except _CardError as error:
        problem = problem or str(error)
        # It stands as it is among what was refused, so that it can be mended.
        cells["description"] = "\n".join(text for _place, text in card.lines)
    row = checked(card.number, [cells[key].strip() for key in _COLUMNS], len(_COLUMNS))
    return row._replace(problem=problem) if problem else row


# From lines to properties -------------------------------------------------------------------


def _read(card: _Card, options: ReadOptions) -> list[_Line]:
    parsed = []
    for place, text in card.lines:
        try:
            parsed.append((place, *parseLine(text, place)))
        except VObjectError as error:
            raise _CardError(
                _(
                    "Line %(line)s is no line of a card: “%(said)s”. Correct it, or begin it with a space "
                    "when it belongs to the line before.",
                    line=place,
                    said=text[:60],
                )
            ) from error
    old = any(name.upper() == "VERSION" and value.strip() == "2.1" for _at, name, _p, value, _g in parsed)
    return [
        _property(name, params, value, group, place, options.encoding, old)
        for place, name, params, value, group in parsed
    ]


def _property(
    name: str, params: list[list[str]], value: str, group: str | None, place: int, encoding: str, old: bool
) -> _Line:
    said: dict[str, list[str]] = {}
    types: set[str] = set()
    for key, *values in params:
        if not values:
            types.add(key.upper())
        said.setdefault(key.upper(), []).extend(one for text in values for one in text.split(","))
    types |= {one.upper() for one in said.get("TYPE", ())} | ({"PREF"} if "PREF" in said else set())
    codings = types | {one.upper() for one in said.get("ENCODING", ())}
    text = _decoded(value, codings, (said.get("CHARSET") or [""])[0], encoding, place)
    if old:
        # Version 2.1 knows one escape only; the library reads those of the later ones.
        text = text.replace("\\", "\\\\").replace("\\\\;", "\\;")
    return _Line(name.upper(), types, text, (group or "").upper())


def _decoded(value: str, codings: set[str], charset: str, encoding: str, place: int) -> str:
    if "QUOTED-PRINTABLE" in codings:
        raw = quopri.decodestring(value.encode("utf-8", "surrogateescape"))
    elif codings & {"B", "BASE64"}:
        try:
            raw = base64.b64decode(value)
        except (binascii.Error, ValueError):
            return value
    elif charset and not value.isascii() and not encoding.startswith("utf-"):
        raw = value.encode(encoding, "surrogateescape")
    elif charset and encoding == "utf-8" and any("\udc80" <= char <= "\udcff" for char in value):
        raw = value.encode("utf-8", "surrogateescape")
    else:
        return value
    for name in dict.fromkeys((charset or "utf-8", "utf-8", encoding)):
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    raise _CardError(
        _(
            "Line %(line)s is not in the encoding that it names (%(name)s). Save the card again as UTF-8.",
            line=place,
            name=charset or encoding,
        )
    )


# From properties to cells -------------------------------------------------------------------


def _text(value: str) -> str:
    return (
        str(stringToTextValues(value, listSeparator="\x00")[0])
        .replace("\r\n", "\n")
        .replace("\\:", ":")
        .strip()
    )


def _fields(value: str) -> list[str]:
    """Return the parts of a structured value, such as a name or an address."""
    return [
        (" ".join(one) if isinstance(one, list) else one).replace("\r\n", "\n").strip()
        for one in splitFields(value)
    ]


def _told(lines: list[_Line]) -> dict[str, str]:
    """Return the cells of a card."""
    lines = sorted(lines, key=lambda line: "PREF" not in line.types)
    labels = {line.group: _text(line.value) for line in lines if line.name == "X-ABLABEL" and line.group}
    cells: dict[str, str] = {}
    lists: dict[str, list[str]] = {"emails": [], "phones": [], "tags": []}
    notes: list[str] = []
    more: list[str] = []
    for line in lines:
        if line.name == "NOTE":
            notes.append(_text(line.value))
        elif not _taken(line, cells, lists):
            more.append(_said(line, labels))
    for key, values in lists.items():
        cells[key] = (";" if key != "tags" else ",").join(dict.fromkeys(values))
    _name(lines, cells, next((one for key in ("emails", "phones") for one in lists[key]), ""))
    paragraphs = [note for note in notes if note]
    further = "\n".join(dict.fromkeys(one for one in more if one))
    cells["description"] = "\n\n".join([*paragraphs, *([further] if further else [])])
    return cells


def _taken(line: _Line, cells: dict[str, str], lists: dict[str, list[str]]) -> bool:
    """Put what a line says into its cell; False when there is no place for it."""
    name = line.name
    if name == "EMAIL":
        lists["emails"].append(_text(line.value))
    elif name == "TEL" and not line.types & {"FAX", "PAGER"}:
        lists["phones"].append(_phone(line.value))
    elif name == "CATEGORIES":
        lists["tags"] += [one.strip() for one in stringToTextValues(line.value) if one.strip()]
    elif name == "ORG" and "company" not in cells:
        cells["company"], *units = _fields(line.value)
        cells["department"] = ", ".join(unit for unit in units if unit)
    elif name == "ADR" and not any(part in cells for part in _ADDRESS):
        cells.update(_address(line.value))
    elif name == "BDAY" and "born_on" not in cells and (day := _DAY.fullmatch(line.value.strip())):
        cells["born_on"] = "-".join(day.groups())
    elif name == "UID" and len(line.value) <= 100:
        cells["external_id"] = _text(line.value).removeprefix("urn:uuid:")
    elif (key := {"FN": "name", "TITLE": "job_title", "URL": "website"}.get(name)) and key not in cells:
        cells[key] = _text(line.value)
    else:
        return False
    return True


def _phone(value: str) -> str:
    text = _text(value)
    number, _mark, rest = text.removeprefix("tel:").partition(";")
    extension = rest.lower().removeprefix("ext=") if rest.lower().startswith("ext=") else ""
    return f"{number} ext {extension}" if extension else number


def _address(value: str) -> dict[str, str]:
    box, extra, street, city, region, code, country = (*_fields(value), *[""] * 7)[:7]
    lines = [part for text in (street, extra, box) for part in re.split(r"\s*\n\s*", text) if part.strip()]
    return {
        "street": ", ".join(line.strip(" ,") for line in lines),
        "postcode": code,
        "city": city,
        "region": region,
        "country": country,
    }


def _name(lines: list[_Line], cells: dict[str, str], instead: str) -> None:
    """Fill in what a card is called (`instead` when it has no name), and whether it is a firm or a person."""
    parts: list[str] = next((_fields(line.value) for line in lines if line.name == "N"), [])
    family, given, middle, before, after = (*parts, *[""] * 5)[:5]
    company = cells.get("company", "")
    full = cells.get("name") or " ".join(one for one in (before, given, middle, family, after) if one)
    cells["name"] = " ".join((full or company or instead).split())
    firm = any(
        (line.name, line.value.strip().upper()) in (("KIND", "ORG"), ("X-ABSHOWAS", "COMPANY"))
        for line in lines
    )
    cells["kind"] = "company" if firm or (company and cells["name"] == company) else "person"


def _said(line: _Line, labels: dict[str, str]) -> str:
    """Return a property that has no column as a line of text, or nothing for what says nothing to people."""
    name = line.name
    if name in _LEFT_OUT or name.startswith(_LEFT_PREFIXES):
        return ""
    if name in ("ADR", "ORG"):
        value = ", ".join(one for part in _fields(line.value) for one in part.split("\n") if one)
    else:
        value = " ".join(_text(line.value).replace(";", " ").split())
    label = _LABEL.sub(r"\1", labels.get(line.group, ""))
    if not label:
        plain = name.removeprefix("X-").removeprefix("MS-").replace("-", " ").capitalize()
        label = (
            "Fax" if "FAX" in line.types else "Pager" if "PAGER" in line.types else _CALLED.get(name, plain)
        )
    return f"{label}: {value}" if value else ""
