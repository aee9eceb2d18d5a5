"""From a cell's text to a value that the record's service reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from kehu.core.i18n import _
from kehu.imports.mapping import ColumnUse
from kehu.imports.targets import Target
from kehu.imports.values import DateOrder, DecimalMark, parse_bool, parse_date, parse_datetime, parse_number


class CellError(ValueError):
    """Raised for a cell that can't be used; the text says the remedy."""


Reader = Callable[[str], Any]
_ORDERS: dict[str, Any] = {"ymd": "2026-11-22", "dmy": "22.11.2026", "mdy": "11/22/2026"}


def reader_for(target: Target, use: ColumnUse, zone: dt.tzinfo) -> Reader:
    """Return the function that reads the cells of a column."""
    order: DateOrder = use.order  # type: ignore[assignment]
    mark: DecimalMark = use.mark  # type: ignore[assignment]

    def date(cell: str) -> dt.date:
        found = parse_date(cell, order)
        if found is None:
            raise CellError(_no_date(cell, order))
        return found

    def moment(cell: str) -> Any:
        timed = parse_datetime(cell, order)
        if timed is not None:
            return timed if timed.tzinfo else timed.replace(tzinfo=zone)
        return dt.datetime.combine(date(cell), dt.time(9), zone)

    def number(cell: str) -> str:
        found = parse_number(cell, mark)
        if found is None:
            raise CellError(
                _(
                    "“%(value)s” is no number as this column writes them (%(example)s).",
                    value=cell[:60],
                    example=f"1234{mark}50",
                )
            )
        return format(found, "f")

    def truth(cell: str) -> bool:
        found = parse_bool(cell)
        if found is None:
            raise CellError(_("“%(value)s” is neither yes nor no.", value=cell[:60]))
        return found

    readers: dict[str, Reader] = {
        "date": date,
        "datetime": moment,
        "number": number,
        "money": number,
        "bool": truth,
    }
    return readers.get(target.field.kind, str)


def _no_date(cell: str, order: str) -> str:
    if parse_date(cell, "dmy") or parse_date(cell, "mdy") or any(char.isdigit() for char in cell):
        return _(
            "“%(value)s” is no day of the calendar when it is read as %(example)s. "
            "Correct it, or choose another order for the column.",
            value=cell[:60],
            example=_ORDERS[order],
        )
    return _("“%(value)s” is no date; write it as %(example)s.", value=cell[:60], example=_ORDERS[order])
