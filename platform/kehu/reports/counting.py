"""Figures that are counts of a list: the number and the list come from one query, so they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core.records import listing
from kehu.core.records.types import get as get_type
from kehu.web.records import query
from plugins.reporting import Cell, Period


def counted(session: Session, object_name: str, wanted: Sequence[Mapping[str, str]]) -> list[Cell]:
    """Count the records of a type by filters of its list, within what the reader may see; one statement for all.

    :param wanted: the filters of each figure as the address of the list has them: `{"status": "won"}`.
    :returns: a figure for each, which opens that list.
    """
    if not wanted:
        return []
    record_type = get_type(object_name)
    counts = [
        select(func.count()).select_from(listing.ids(record_type, args).subquery()).scalar_subquery()
        for args in wanted
    ]
    row = session.execute(select(*(one.label(f"n{at}") for at, one in enumerate(counts)))).one()
    return [
        Cell(value=int(value), url=query.list_url(object_name, args))
        for value, args in zip(row, wanted, strict=True)
    ]


def within(key: str, period: Period) -> dict[str, str]:
    """Return the filters of a list for a moment or day within a period."""
    return {f"{key}.gte": period.first.isoformat(), f"{key}.lte": period.last.isoformat()}


def share(part: Cell, whole: int | float | None) -> Cell:
    """Return which part of a number a figure is; it opens the rows of the part."""
    value = part.value / whole if part.value is not None and whole else None
    return Cell(value=value, kind="percent", url=part.url if value is not None else "")
