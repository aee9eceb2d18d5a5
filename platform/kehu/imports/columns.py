"""What the columns of a file hold, guessed from its first rows: a proposal that a person sees and may change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from kehu.imports.values import (
    DateOrder,
    DecimalMark,
    date_parts,
    has_currency,
    parse_bool,
    parse_date,
    parse_number,
    split_time,
)

Kind = Literal[
    "empty", "text", "integer", "number", "money", "date", "datetime", "bool", "email", "phone", "url"
]

_MOST: Final = 0.95
_MANY: Final = 0.6
"""Nothing but an address has the form of one: a few slips in a hand-kept list do not make it another column."""

_EXAMPLES: Final = 3
MOST_VALUES: Final = 40
"""A column with more distinct values in the sample holds free text, not choices."""

_SMALL_CHANGE: Final = re.compile(r"[.,]\d\d$")
_EXAMPLE_LENGTH: Final = 80
_NAME_LENGTH: Final = 200
_ONE_EMAIL: Final = r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]{2,}"
_EMAIL: Final = re.compile(rf"{_ONE_EMAIL}(?:\s*[;,]\s*{_ONE_EMAIL})*")
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PHONE: Final = re.compile(r"\+?[\d ()./-]{6,24}(?:\s*(?:ext|x|доб)\.?\s*\d{1,6})?", re.IGNORECASE)
_PHONE_NAME: Final = re.compile(r"phone|tel|mobile|cell|fax|тел|моб|电话|手机|電話|手機", re.IGNORECASE)
_MONEY_NAME: Final = re.compile(
    r"price|amount|value|revenue|total|cost|charge|sum\b|budget|цена|сумма|выручка|стоимость|价|金额|金額|價",
    re.IGNORECASE,
)
_CODE_NAME: Final = re.compile(
    r"\bid\b|_id$|code|number|zip|post|vin|sku|код|номер|индекс|编号|代码|邮编", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column: its name as shown, what it holds, and how its cells are to be read.

    `unclear` says that dates in it could be read in two ways, so that the person has to choose; `values` are the
    distinct ones of a column with few, none for others.
    """

    index: int
    name: str
    kind: Kind
    date_order: DateOrder | None = None
    decimal_mark: DecimalMark | None = None
    unclear: bool = False
    filled: float = 0.0
    examples: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    """In how many rows each of the values stands."""

    def as_json(self) -> dict[str, Any]:
        """Return the column as it is stored with the import."""
        return {
            "index": self.index,
            "name": self.name,
            "kind": self.kind,
            "date_order": self.date_order,
            "decimal_mark": self.decimal_mark,
            "unclear": self.unclear,
            "filled": round(self.filled, 3),
            "examples": list(self.examples),
            "values": list(self.values),
            "counts": list(self.counts),
        }


def column_letter(index: int) -> str:
    """Return a column's letters as a spreadsheet shows them: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_names(header: Sequence[str], width: int) -> list[str]:
    """Return a distinct name for each column: empty ones are called by their letter, repeated ones are counted."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    taken = {" ".join(cell.split()).casefold() for cell in header}
    for index in range(width):
        name = " ".join(header[index].split())[:_NAME_LENGTH] if index < len(header) else ""
        name = name or column_letter(index)
        seen[name.casefold()] += 1
        count, shown = seen[name.casefold()], name
        while count > 1:
            shown = f"{name} ({count})"
            if shown.casefold() not in taken:
                break
            count += 1
        taken.add(shown.casefold())
        names.append(shown)
    return names


def guess_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Return the columns of a file.

    :param header: the names in the first row, empty when the file has none.
    :param rows: a sample of the rows below.
    """
    width = max([len(header), *(len(row) for row in rows)], default=0)
    names = column_names(header, width)
    return [
        _column(index, names[index], [row[index] if index < len(row) else "" for row in rows])
        for index in range(width)
    ]


def _column(index: int, name: str, cells: Sequence[str]) -> Column:
    values = [cell for cell in cells if cell]
    all_distinct = tuple(dict.fromkeys(value[:_EXAMPLE_LENGTH] for value in values))
    distinct = all_distinct[:_EXAMPLES]
    few = all_distinct if len(all_distinct) <= MOST_VALUES else ()
    found: dict[str, Any] = {"kind": "empty"} if not values else _held(name, values)
    return Column(
        index=index,
        name=name,
        filled=len(values) / len(cells) if cells else 0.0,
        examples=distinct,
        values=few,
        **found,
    )


def _mostly(values: Sequence[str], test: Callable[[str], Any], share: float = _MOST) -> bool:
    return sum(1 for value in values if test(value)) >= share * len(values)


def _held(name: str, values: Sequence[str]) -> dict[str, Any]:
    """Return the kind of a column and how it is read, the most particular first."""
    if _mostly(values, _EMAIL.fullmatch, _MANY):
        return {"kind": "email"}
    if _mostly(values, _URL.match):
        return {"kind": "url"}
    dates = _dates(name, values)
    if dates:
        return dates
    if _PHONE_NAME.search(name) and _mostly(values, _PHONE.fullmatch, _MANY):
        return {"kind": "phone"}
    if _mostly(values, lambda value: parse_bool(value) is not None) and not _only_digits(values):
        return {"kind": "bool"}
    number = _numbers(name, values)
    if number:
        return number
    if _mostly(values, lambda value: value.startswith(("+", "8 (", "8-")) and _PHONE.fullmatch(value)):
        return {"kind": "phone"}
    return {"kind": "text"}


def _only_digits(values: Sequence[str]) -> bool:
    return all(value.isdigit() for value in values)


def _dates(name: str, values: Sequence[str]) -> dict[str, Any] | None:
    days = [split_time(value)[0] for value in values]
    if _only_digits(days) and _CODE_NAME.search(name):
        return None
    order, unclear = date_order(days)
    if not _mostly(days, lambda day: parse_date(day, order)):
        return None
    if _only_digits(days) and not all(len(day) == 8 and "1900" <= day[:4] <= "2100" for day in days):
        return None
    timed = any(split_time(value)[1] for value in values)
    return {"kind": "datetime" if timed else "date", "date_order": order, "unclear": unclear}


def date_order(days: Sequence[str]) -> tuple[DateOrder, bool]:
    """Return in which order numeric dates are written, and whether the other order would do as well."""
    parts = [found for found in map(date_parts, days) if found]
    if not parts or sum(1 for one, _, _ in parts if one > 31) * 2 > len(parts):
        return "ymd", False
    first_big = sum(1 for one, _, _ in parts if one > 12)
    second_big = sum(1 for _, two, _ in parts if two > 12)
    if first_big == second_big:
        return "dmy", True
    return ("dmy" if first_big > second_big else "mdy"), False


def _numbers(name: str, values: Sequence[str]) -> dict[str, Any] | None:
    mark = decimal_mark(values)
    if not _mostly(values, lambda value: parse_number(value, mark) is not None):
        return None
    if any(_zero_led(value) for value in values):
        # 007 is a code: as a number it would lose its zeros.
        return None
    if any(has_currency(value) for value in values):
        return {"kind": "money", "decimal_mark": mark}
    numbers = [number for number in (parse_number(value, mark) for value in values) if number is not None]
    # A customer number that went through a data frame is written 12923.0; it is whole all the same.
    whole = all(number == number.to_integral_value() for number in numbers)
    plain: Kind = (
        "integer" if whole and not any(_SMALL_CHANGE.search(value) for value in values) else "number"
    )
    kind: Kind = "money" if _MONEY_NAME.search(name) else plain
    return {"kind": kind, "decimal_mark": mark}


def _zero_led(value: str) -> bool:
    return len(value) > 1 and value[0] == "0" and value.isdigit()


def decimal_mark(values: Sequence[str]) -> DecimalMark:
    """Return whether a point or a comma starts the decimals, from cells that can be read in one way only."""
    point = comma = 0
    for value in values:
        last_point, last_comma = value.rfind("."), value.rfind(",")
        if last_point >= 0 and last_comma >= 0:
            point, comma = point + (last_point > last_comma), comma + (last_comma > last_point)
        elif last_point >= 0 and (len(value) - last_point != 4 or value.count(".") > 1):
            point, comma = point + (value.count(".") == 1), comma + (value.count(".") > 1)
        elif last_comma >= 0 and (len(value) - last_comma != 4 or value.count(",") > 1):
            comma, point = comma + (value.count(",") == 1), point + (value.count(",") > 1)
    return "," if comma > point else "."
