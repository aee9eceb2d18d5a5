"""Spans of days that are meant from today on: this-month, last-30-days, over-90-days-ago."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kehu.core import clock
from kehu.core.context import TenantInfo
from kehu.core.i18n import _, _l, _n
from kehu.core.records.fields import FieldError

MOST_DAYS = 36_500


@dataclass(frozen=True)
class Span:
    """Days from one to another, both within; None is open."""

    first: dt.date | None
    last: dt.date | None


def _day(shift: int) -> Callable[[dt.date], Span]:
    def span(today: dt.date) -> Span:
        day = today + dt.timedelta(days=shift)
        return Span(day, day)

    return span


def _week(shift: int) -> Callable[[dt.date], Span]:
    def span(today: dt.date) -> Span:
        first = today - dt.timedelta(days=today.weekday()) + dt.timedelta(weeks=shift)
        return Span(first, first + dt.timedelta(days=6))

    return span


def _months(length: int, shift: int) -> Callable[[dt.date], Span]:
    def first_of(today: dt.date, by: int) -> dt.date:
        number = today.year * 12 + today.month - 1
        number = number - number % length + by * length
        return dt.date(number // 12, number % 12 + 1, 1)

    def span(today: dt.date) -> Span:
        return Span(first_of(today, shift), first_of(today, shift + 1) - dt.timedelta(days=1))

    return span


_NAMED: dict[str, tuple[Any, Callable[[dt.date], Span]]] = {
    "today": (_l("today"), _day(0)),
    "yesterday": (_l("yesterday"), _day(-1)),
    "tomorrow": (_l("tomorrow"), _day(1)),
    "this-week": (_l("this week"), _week(0)),
    "last-week": (_l("last week"), _week(-1)),
    "next-week": (_l("next week"), _week(1)),
    "this-month": (_l("this month"), _months(1, 0)),
    "last-month": (_l("last month"), _months(1, -1)),
    "next-month": (_l("next month"), _months(1, 1)),
    "this-quarter": (_l("this quarter"), _months(3, 0)),
    "last-quarter": (_l("last quarter"), _months(3, -1)),
    "next-quarter": (_l("next quarter"), _months(3, 1)),
    "this-year": (_l("this year"), _months(12, 0)),
    "last-year": (_l("last year"), _months(12, -1)),
    "next-year": (_l("next year"), _months(12, 1)),
}
NAMED = tuple(_NAMED)
"""The words without a number, in the order in which they are offered."""

_COUNTED = {
    "last": re.compile(r"last-(\d+)-days"),
    "next": re.compile(r"next-(\d+)-days"),
    "ago": re.compile(r"over-(\d+)-days-ago"),
    "ahead": re.compile(r"over-(\d+)-days-ahead"),
}


def _counted(word: str) -> tuple[str, int] | None:
    for kind, form in _COUNTED.items():
        if found := form.fullmatch(word):
            days = int(found[1]) if len(found[1]) < 7 else MOST_DAYS + 1
            if days > MOST_DAYS:
                raise FieldError(
                    _(
                        "%(days)s days are too many; %(most)s are possible.",
                        days=found[1][:12],
                        most=f"{MOST_DAYS:,}",
                    )
                )
            return kind, days
    return None


def span_of(word: str, tenant: TenantInfo) -> Span | None:
    """Return the days that a word means, or None when it is no such word.

    :raises FieldError: for more days than make sense.
    """
    today = clock.today(tenant.tz)
    if word in _NAMED:
        return _NAMED[word][1](today)
    counted = _counted(word)
    if counted is None:
        return None
    kind, days = counted
    shift = dt.timedelta(days=days)
    if kind == "last":
        return Span(today - shift, today)
    if kind == "next":
        return Span(today, today + shift)
    day = dt.timedelta(days=1)
    return Span(None, today - shift - day) if kind == "ago" else Span(today + shift + day, None)


def text_of(word: str) -> str:
    """Return such a word as people read it; any other text as it is."""
    if word in _NAMED:
        return str(_NAMED[word][0])
    try:
        counted = _counted(word)
    except FieldError:
        return word
    if counted is None:
        return word
    kind, days = counted
    return {
        "last": lambda: _n("the last %(num)s day", "the last %(num)s days", days),
        "next": lambda: _n("the next %(num)s day", "the next %(num)s days", days),
        "ago": lambda: _n("more than %(num)s day ago", "more than %(num)s days ago", days),
        "ahead": lambda: _n("more than %(num)s day ahead", "more than %(num)s days ahead", days),
    }[kind]()
