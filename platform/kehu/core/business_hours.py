"""Business time: weekly opening hours, holidays and the clock arithmetic over them.

Pure: it asks neither the database nor the clock. `kehu.calendars` reads a tenant's hours; whoever fixes a target
at its start keeps `as_json()` beside it, so that hours edited later rewrite no history.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from kehu.core.i18n import _

DAY = 24 * 60
HORIZON = dt.timedelta(days=1100)
"""How far ahead an open moment is looked for."""

_SPAN = re.compile(
    r"(?P<from>\d{1,2})(?:[:.h时](?P<from_minute>\d{2}))?\s*(?:-|–|—|~|to|до|至)\s*"
    r"(?P<to>\d{1,2})(?:[:.h时](?P<to_minute>\d{2}))?"
)
_CLOSED = frozenset({"", "-", "–", "closed", "休息", "закрыто"})

Span = tuple[int, int]
"""From and to, in minutes after midnight; a `to` past 24 hours lies in the night that follows."""

Moments = tuple[dt.datetime, dt.datetime]


class BadHours(ValueError):
    """Raised for a text that says no opening hours; the message says the remedy."""


class NeverOpen(ValueError):
    """Raised when business time is asked of hours that never open again."""


def parse_hours(text: str) -> tuple[Span, ...]:
    """Return the spans of a day that a person wrote: "9-12:30, 13:30-18:00"; empty for a closed day.

    :raises BadHours: says what is wrong with it.
    """
    written = text.strip().casefold()
    if written in _CLOSED:
        return ()
    spans = [_span(part.strip()) for part in re.split(r"[,;，；、\n]", written) if part.strip()]
    spans.sort()
    for (_start, end), (start, _end) in pairwise(spans):
        if start < end:
            raise BadHours(_("These hours overlap: %(hours)s.", hours=write_hours(spans)))
    return _joined(spans)


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    found: list[Span] = []
    for start, end in spans:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise BadHours(_("“%(value)s” says no opening hours; write them as 09:00–18:00.", value=text[:40]))
    start = int(match["from"]) * 60 + int(match["from_minute"] or 0)
    end = int(match["to"]) * 60 + int(match["to_minute"] or 0)
    if start >= DAY or end > DAY or int(match["from_minute"] or 0) > 59 or int(match["to_minute"] or 0) > 59:
        raise BadHours(_("“%(value)s” says no opening hours; write them as 09:00–18:00.", value=text[:40]))
    return (start, end if end > start else end + DAY)


def write_hours(spans: Sequence[Span]) -> str:
    """Return spans as people read them: "09:00–12:30, 13:30–18:00"; empty for a closed day."""
    return ", ".join(f"{_time(start)}–{_time(end)}" for start, end in spans)


def _time(minute: int) -> str:
    if minute > DAY:
        minute -= DAY
    return f"{minute // 60:02}:{minute % 60:02}"


@dataclass(frozen=True, kw_only=True)
class BusinessHours:
    """Opening hours in a time zone.

    :param week: spans by weekday, Monday first.
    :param days: what holds on single days instead; no span for a holiday.
    """

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    days: Mapping[dt.date, tuple[Span, ...]] = field(default_factory=dict)

    # A day ------------------------------------------------------------------------------

    def spans_of(self, day: dt.date) -> tuple[Span, ...]:
        """Return the spans of a day, in minutes of its wall clock."""
        special = self.days.get(day)
        return self.week[day.weekday()] if special is None else special

    def open_on(self, day: dt.date) -> list[Moments]:
        """Return when it is open by the hours of a day, in UTC; a night's end lies in the next day."""
        return [
            (self._moment(day, start, fold=0), self._moment(day, end, fold=1))
            for start, end in self.spans_of(day)
        ]

    def _moment(self, day: dt.date, minute: int, *, fold: int) -> dt.datetime:
        shift, minute = divmod(minute, DAY)
        wall = dt.datetime.combine(day + dt.timedelta(days=shift), dt.time(minute // 60, minute % 60))
        # An hour that the clock shows twice opens with the first and closes with the second; what it leaves out
        # comes as much later.
        moment = wall.replace(tzinfo=self.zone, fold=fold).astimezone(dt.UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) != wall:
            moment = wall.replace(tzinfo=self.zone, fold=0).astimezone(dt.UTC)
        return moment

    # Moments ----------------------------------------------------------------------------

    def spans(self, after: dt.datetime, before: dt.datetime | None = None) -> Iterator[Moments]:
        """Yield the open spans from a moment on, joined where they touch, in UTC and cut to the bounds.

        :param before: up to here; without it, up to `HORIZON` after the start.
        """
        after = after.astimezone(dt.UTC)
        end = before.astimezone(dt.UTC) if before is not None else after + HORIZON
        held: Moments | None = None
        for whole in self._raw(after, end):
            opens, closes = max(whole[0], after), min(whole[1], end)
            if opens >= closes:
                continue
            if held is not None and opens <= held[1]:
                held = (held[0], max(held[1], closes))
                continue
            if held is not None:
                yield held
            held = (opens, closes)
        if held is not None:
            yield held

    def _raw(self, after: dt.datetime, before: dt.datetime) -> Iterator[Moments]:
        # The night before may reach into the first day.
        day = after.astimezone(self.zone).date() - dt.timedelta(days=1)
        last = before.astimezone(self.zone).date()
        while day <= last:
            yield from self.open_on(day)
            day += dt.timedelta(days=1)

    def is_open(self, at: dt.datetime) -> bool:
        """Tell whether it is open at a moment; the closing minute is closed."""
        at = at.astimezone(dt.UTC)
        return any(True for _span in self.spans(at, at + dt.timedelta(microseconds=1)))

    def covers(self, start: dt.datetime, end: dt.datetime) -> bool:
        """Tell whether it is open without a break from one moment to another."""
        start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
        return next(iter(self.spans(start, end)), None) == (start, end)

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """Return the first open moment from `at` on; None when there is none within `HORIZON`."""
        first = next(self.spans(at), None)
        return first[0] if first is not None else None

    def add(self, start: dt.datetime, span: dt.timedelta) -> dt.datetime:
        """Return the moment at which so much business time has passed since `start`, in UTC.

        :raises NeverOpen: when the hours do not hold that much.
        """
        left = span
        for opens, closes in self.spans(start):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise NeverOpen(_("The opening hours leave no time for this. Check them under Settings."))

    def between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """Return the business time from one moment to another; none when `end` comes first."""
        if end <= start:
            return dt.timedelta(0)
        return sum((closes - opens for opens, closes in self.spans(start, end)), dt.timedelta(0))

    # Keeping ----------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """Return the hours as JSON, to be kept beside what was counted by them."""
        return {
            "zone": self.zone.key,
            "week": [write_hours(spans) for spans in self.week],
            "days": {day.isoformat(): write_hours(spans) for day, spans in sorted(self.days.items())},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> BusinessHours:
        """Return the hours that `as_json` kept."""
        return cls(
            zone=ZoneInfo(kept["zone"]),
            week=tuple(parse_hours(text) for text in kept["week"]),
            days={dt.date.fromisoformat(day): parse_hours(text) for day, text in kept["days"].items()},
        )


def usual(zone: ZoneInfo) -> BusinessHours:
    """Return the hours that hold until a firm says its own: Monday to Friday, nine to six."""
    day: tuple[Span, ...] = ((9 * 60, 18 * 60),)
    return BusinessHours(zone=zone, week=(day,) * 5 + ((), ()))
