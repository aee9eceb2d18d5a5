"""Reads numbers, dates and truth values in the ways people write them.

The way (which of day and month comes first, which mark starts the decimals) is a property of the column,
found once and shown to the person; a cell is never read in two ways.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cache
from typing import Final, Literal

from babel.numbers import list_currencies

DateOrder = Literal["ymd", "dmy", "mdy"]
DecimalMark = Literal[".", ","]

_TRUE: Final = frozenset(
    ("true", "yes", "y", "1", "x", "✓", "да", "д", "是", "对", "對", "ja", "oui", "si", "sí", "t")
)
_FALSE: Final = frozenset(("false", "no", "n", "0", "-", "нет", "н", "否", "不", "nein", "non", "f"))

_MONTHS: Final[dict[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "jan january январь января янв",
            "feb february февраль февраля фев",
            "mar march март марта мар",
            "apr april апрель апреля апр",
            "may май мая",
            "jun june июнь июня июн",
            "jul july июль июля июл",
            "aug august август августа авг",
            "sep sept september сентябрь сентября сен",
            "oct october октябрь октября окт",
            "nov november ноябрь ноября ноя",
            "dec december декабрь декабря дек",
        ),
        start=1,
    )
    for name in names.split()
}

_NUMERIC: Final = re.compile(r"(\d{1,4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,4})\s*(?:日|г\.?)?")
_PACKED: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NAMED: Final = re.compile(r"(\d{1,2})[. -]+([^\W\d_]{3,})[.,]?[ -]+(\d{4}|\d{2})\s*(?:г\.?)?")
_NAMED_FIRST: Final = re.compile(r"([^\W\d_]{3,})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_TIME: Final = re.compile(
    r"[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*([AaPp][Mm])?\s*(Z|UTC|[+-]\d{2}:?\d{2})?\Z"
)
_SIGN: Final = r"[$€£¥₽₴₸₩₹₺元圆]|руб\.?|р\."
_CURRENCY: Final = re.compile(rf"^(-?)\s*(?:{_SIGN}|([A-Z]{{3}}))\s*|\s*(?:{_SIGN}|([A-Z]{{3}}))\s*$")
_SPACES: Final = re.compile(r"[\s\u00a0\u2009\u202f']")
_NUMBER: Final = {
    ".": re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?"),
    ",": re.compile(r"-?(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d*)?"),
}
_LONGEST: Final = 60


def parse_bool(text: str) -> bool | None:
    """Read yes or no in our languages, or return None."""
    word = text.strip().casefold()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def split_time(text: str) -> tuple[str, tuple[int, int, int] | None]:
    """Part a date from a time of day behind it; the time is None when there is none or it is impossible."""
    match = _TIME.search(text)
    if match is None:
        return text.strip(), None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4]:
        hour = hour % 12 + (12 if match[4].lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return text.strip(), None
    return text[: match.start()].strip(), (hour, minute, second)


def date_parts(text: str) -> tuple[int, int, int] | None:
    """Return the three numbers of a numeric date as they stand, or None."""
    if len(text) > _LONGEST:
        return None
    match = _NUMERIC.fullmatch(text) or _PACKED.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def parse_date(text: str, order: DateOrder = "ymd") -> dt.date | None:
    """Read a date, or return None when it is none or does not exist (30 February).

    A four-digit year first is read as year, month, day whatever the order, and a month's name needs none.
    """
    day, _time = split_time(text.strip()[:_LONGEST]) if ":" in text else (text.strip(), None)
    parts = date_parts(day)
    if parts is None:
        return _named_date(day)
    one, two, three = parts
    if one > 31 or order == "ymd":
        return _date(one, two, three)
    return _date(three, two, one) if order == "dmy" else _date(three, one, two)


def parse_datetime(text: str, order: DateOrder = "ymd") -> dt.datetime | None:
    """Read a date with a time of day, in UTC when it says its zone and without a zone otherwise."""
    _day, time = split_time(text.strip()[:_LONGEST])
    day = parse_date(text, order)
    if day is None or time is None:
        return None
    moment = dt.datetime(day.year, day.month, day.day, *time)  # noqa: DTZ001 - the tenant's zone is added later
    match = _TIME.search(text.strip())
    zone = match[5] if match else None
    if not zone:
        return moment
    if zone in ("Z", "UTC"):
        return moment.replace(tzinfo=dt.UTC)
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return moment.replace(tzinfo=dt.UTC) - dt.timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def _named_date(text: str) -> dt.date | None:
    if len(text) > _LONGEST:
        return None
    if match := _NAMED.fullmatch(text):
        day, name, year = match[1], match[2], match[3]
    elif match := _NAMED_FIRST.fullmatch(text):
        name, day, year = match[1], match[2], match[3]
    else:
        return None
    month = _MONTHS.get(name.casefold())
    return _date(int(year), month, int(day)) if month else None


def _date(year: int, month: int, day: int) -> dt.date | None:
    if year < 100:
        # Two digits: from 1970 on, as people write them; birthdays before are written in full.
        year += 1900 if year >= 70 else 2000
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def parse_number(text: str, mark: DecimalMark = ".") -> Decimal | None:
    """Read a number with thousands parted and a currency beside it, or return None."""
    if len(text) > _LONGEST:
        return None
    bare = _SPACES.sub("", without_currency(text)).replace("\u2212", "-")
    if bare.endswith("-") or (bare.startswith("(") and bare.endswith(")")):
        bare = "-" + bare.strip("()-")
    bare = bare.removesuffix("%")
    bare = bare.removeprefix("+")
    if not any(char.isdigit() for char in bare) or not _NUMBER[mark].fullmatch(bare):
        return None
    plain = bare.replace("," if mark == "." else ".", "").replace(",", ".")
    return Decimal(plain)


def without_currency(text: str) -> str:
    """Return the text without a currency's sign or code before or after it."""
    match = _CURRENCY.search(text.strip())
    if match is None:
        return text
    code = match[2] or match[3]
    if code and code not in _codes():
        return text
    return f"{match[1] or ''}{_CURRENCY.sub('', text.strip(), count=1)}"


@cache
def _codes() -> frozenset[str]:
    return frozenset(list_currencies())


def has_currency(text: str) -> bool:
    """Tell whether a currency stands beside a number."""
    return len(text) <= _LONGEST and without_currency(text) != text
