"""What plugins and the platform bring to the page of reports: tables of figures, each with the rows behind it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from plugins.contracts import Label
from plugins.results import check_permission

KINDS: Final = ("count", "percent", "money")

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """The days that a report is asked for, both included."""

    first: date
    last: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One figure. None stands for one that can't be told, as a share of nothing.

    :param url: where the rows stand that it counts or sums: a list of the platform or a page of the plugin.
    :param kind: `count`, `percent` (0.25 is 25 %) or `money` (whole minor units, with the currency).
    """

    value: int | float | None
    url: str = ""
    kind: str = "count"
    currency: str = ""

    def __post_init__(self) -> None:
        _require(self.kind in KINDS, f"A figure can't be {self.kind!r}. Use one of: {', '.join(KINDS)}.")
        _require(
            _is_number(self.value),
            f"{self.value!r} is no number.",
        )
        _require(
            self.value is None or self.kind == "percent" or isinstance(self.value, int),
            f"{self.value!r} is no whole number; counts and minor units of money are.",
        )
        _require(
            self.kind != "money" or re.fullmatch(r"[A-Z]{3}", self.currency) is not None,
            f"{self.currency!r} is no currency. Give the three letters of ISO 4217.",
        )
        _require(
            not self.url or (self.url.startswith("/") and not self.url.startswith("//")),
            f"{self.url!r} is no address of this installation. Make it with url_for.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureRow:
    """A line of a report: what it is about, and a figure for each column."""

    label: Label
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a report says.

    :param columns: headings of the figures.
    :param note: a sentence on how they were counted.
    """

    columns: tuple[Label, ...]
    rows: tuple[FigureRow, ...]
    note: Label = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            _require(
                len(row.cells) == len(self.columns),
                f"The line {str(row.label)!r} has {len(row.cells)} figures for {len(self.columns)} columns.",
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A page of figures under Reports.

    :param name: its address is `/reports/<slug>.<name>`.
    :param run: called as `run(ctx, period)` as the member who looks, returns `Figures`; it only reads.
    :param permission: what a member needs to see it.
    :param summary: a sentence on what it tells.
    :param chart: draw the first column as bars above the table.
    """

    name: str
    title: Label
    run: Callable[..., Any]
    permission: str
    summary: Label = ""
    chart: bool = False
    order: int = 100

    def __post_init__(self) -> None:
        _require(
            _NAME.fullmatch(self.name) is not None,
            f"The report {self.name!r} is not usable. Use small letters, digits and underscores, a letter first.",
        )
        check_permission(self.permission)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
