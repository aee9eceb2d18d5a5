"""Reads the events and tasks of an iCalendar file as rows with fixed columns, one at a time, by icalendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from icalendar import Calendar

from kehu.core.i18n import _
from kehu.imports.csv_in import text_of
from kehu.imports.files import ReadOptions, Row, checked, unusable

_KINDS: Final = {"VEVENT": "meeting", "VTODO": "task"}
_LONGEST_LINE: Final = 200_000
_MOST_LINES: Final = 5_000
_MOST_ZONES: Final = 200
"""Lines of one entry, and time zones of one file."""

_KEPT: Final = (("LOCATION", "Location"), ("RRULE", "Repeats"), ("RDATE", "Also on"), ("EXDATE", "Not on"))
_WIDTH: Final = 6


def is_ics(head: bytes) -> bool:
    """Tell an iCalendar file by how it begins."""
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t ")
    return plain[:15].upper() == b"BEGIN:VCALENDAR"


def ics_columns() -> list[str]:
    """Return the names of the columns that entries become, in the language of who asks."""
    return [_("Subject"), _("Kind"), _("Due"), _("Done"), _("Minutes"), _("Text")]


@dataclass
class _Entry:
    """The lines of one entry as they come."""

    number: int
    start: int
    lines: list[str] = field(default_factory=list)


def ics_rows(raw: BinaryIO, options: ReadOptions) -> Generator[Row, None, None]:
    """Yield the names of the columns and then one row an entry, numbered as the entries stand in the file."""
    yield Row(0, ics_columns())
    file = text_of(raw, options.encoding)
    zones: list[str] = []
    try:
        for entry, whole in _entries(iter(lambda: file.readline(_LONGEST_LINE), ""), zones):
            yield _row(entry, zones, whole=whole)
    finally:
        file.detach()


def _entries(lines: Iterator[str], zones: list[str]) -> Iterator[tuple[_Entry, bool]]:
    """Part the lines into entries; time zones go into `zones`. With each comes whether it has an end."""
    entry: _Entry | None = None
    zone: list[str] = []
    number = 0
    for place, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if len(line) >= _LONGEST_LINE:
            raise unusable(
                _(
                    "Line %(line)s has more than %(most)s characters. Shorten it, and upload the file again.",
                    line=place,
                    most=_LONGEST_LINE,
                )
            )
        word, _colon, name = text.strip().lstrip("\ufeff").upper().partition(":")
        if word == "BEGIN" and name in _KINDS:
            if entry is not None:
                yield entry, False
            number += 1
            entry = _Entry(number, place)
        elif word == "BEGIN" and name == "VTIMEZONE":
            zone = ["BEGIN:VTIMEZONE"]
            continue
        if entry is not None:
            entry.lines.append(text)
            if len(entry.lines) > _MOST_LINES:
                raise unusable(_no_end(entry))
            if word == "END" and name in _KINDS:
                yield entry, True
                entry = None
        elif zone:
            zone.append(text)
            if word == "END" and name == "VTIMEZONE":
                zones += zone if len(zones) < _MOST_ZONES * 20 else []
                zone = []
    if entry is not None:
        yield entry, False


def _no_end(entry: _Entry) -> str:
    return _(
        "The entry that begins in line %(line)s has no end. Close it with its END line.", line=entry.start
    )


def _row(entry: _Entry, zones: list[str], *, whole: bool) -> Row:
    cells, problem = [""] * _WIDTH, "" if whole else _no_end(entry)
    if whole:
        text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *zones, *entry.lines, "END:VCALENDAR", ""])
        try:
            [found] = [one for one in Calendar.from_ical(text).walk() if one.name in _KINDS]
            wrong = ", ".join(sorted({str(name or "?") for name, _said in found.errors}))
            cells = cells if wrong else _cells(found)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            wrong = "?"
        if wrong:
            problem = _(
                "In the entry that begins in line %(line)s this can't be read: %(names)s. Correct it.",
                line=entry.start,
                names=wrong,
            )
    if problem:
        # It stands as it is among what was refused, so that it can be mended.
        cells[-1] = "\n".join(entry.lines)
    row = checked(entry.number, [cell.strip() for cell in cells], _WIDTH)
    return row._replace(problem=problem) if problem else row


def _cells(found: Any) -> list[str]:
    task = found.name == "VTODO"
    start = _moment(found, "DTSTART")
    due = (_moment(found, "DUE") or start) if task else start
    notes = [str(found.get("DESCRIPTION") or "").strip()]
    for name, label in _KEPT:
        if name in found:
            values = found[name] if isinstance(found[name], list) else [found[name]]
            text = "; ".join(
                value.to_ical().decode() if hasattr(value, "to_ical") else str(value) for value in values
            )
            notes.append(f"{label}: {str(found[name]) if name == 'LOCATION' else text}")
    guests = found.get("ATTENDEE", [])
    people = [str(one).removeprefix("mailto:") for one in (guests if isinstance(guests, list) else [guests])]
    if people:
        notes.append(f"With: {', '.join(people)}")
    return [
        str(found.get("SUMMARY") or ""),
        _KINDS[found.name],
        _written(due),
        _written(_moment(found, "COMPLETED")) if task else "",
        _minutes(found, start),
        "\n".join(note for note in notes if note),
    ]


def _moment(found: Any, name: str) -> dt.date | None:
    value = found.get(name)
    moment = value.dt if value is not None else None
    return moment if isinstance(moment, dt.date) else None


def _written(moment: dt.date | None) -> str:
    """Return a moment as imports read it: with its zone in UTC, else as the clock of the firm says it."""
    if isinstance(moment, dt.datetime):
        zoned = moment.astimezone(dt.UTC) if moment.tzinfo else moment
        return zoned.strftime("%Y-%m-%d %H:%M:%S") + ("Z" if moment.tzinfo else "")
    return moment.isoformat() if moment else ""


def _minutes(found: Any, start: dt.date | None) -> str:
    """Return how long it takes, nothing for whole days."""
    if not isinstance(start, dt.datetime):
        return ""
    end, length = _moment(found, "DTEND"), found.get("DURATION")
    if length is not None and isinstance(length.dt, dt.timedelta):
        span = length.dt
    elif isinstance(end, dt.datetime) and (end.tzinfo is None) == (start.tzinfo is None):
        span = end - start
    else:
        return ""
    return str(int(span.total_seconds() // 60)) if span.total_seconds() >= 0 else ""
