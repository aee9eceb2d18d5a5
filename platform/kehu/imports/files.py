"""What the readers of all formats share: options, rows, bounds and the errors they raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, NamedTuple

from kehu.core.errors import InvalidInput, KehuError
from kehu.core.i18n import _
from kehu.imports.detect import DELIMITERS, QUOTES, Dialect
from kehu.imports.encodings import ENCODINGS

FileKind = Literal["csv", "xlsx", "vcf", "ics"]
NAMED: Final = frozenset({"vcf", "ics"})
"""Kinds of files whose columns are known without a look at their first row."""

MAX_COLUMNS: Final = 500
MAX_CELL: Final = 100_000
"""Characters in a cell; a longer one refuses its row."""

MOST_ABOVE: Final = 1_000
"""The last row in which a table may begin."""

_MARKED: Final = frozenset(("utf-16-le", "utf-16-be", "utf-32"))


class Row(NamedTuple):
    """One row: its number as a spreadsheet counts, its cells as text, and why it can't be used (or nothing)."""

    number: int
    cells: list[str]
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOptions:
    """How a file is read. Found out once, then kept with the import, so that every pass reads the same rows.

    `width` is the number of columns; `top` is the row, as a spreadsheet counts, in which the table begins, and
    `header` says that this row names the columns.
    """

    kind: FileKind
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    spaces: bool = False
    skip: int = 0
    top: int = 1
    header: bool = True
    sheet: str = ""
    width: int = 0

    @property
    def named(self) -> bool:
        """Whether the columns are known from the kind of the file."""
        return self.kind in NAMED

    @property
    def dialect(self) -> Dialect:
        """Return how lines are cut into cells."""
        return Dialect(delimiter=self.delimiter, quote=self.quote, spaces=self.spaces, skip=self.skip)

    def as_json(self) -> dict[str, Any]:
        """Return the options as they are stored with the import."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ReadOptions:
        """Return stored options."""
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})

    def changed(self, wishes: Mapping[str, Any]) -> ReadOptions:
        """Return the options with what a person chose instead.

        :raises InvalidInput: naming the option that is not one of the choices.
        """
        allowed: dict[str, tuple[Any, ...]] = {
            "encoding": (*ENCODINGS, *_MARKED),
            "delimiter": tuple(DELIMITERS),
            "quote": QUOTES,
            "header": (True, False),
        }
        for name, choices in allowed.items():
            if name in wishes and wishes[name] not in choices:
                message = _("Choose one of the offered values for “%(name)s”.", name=name)
                raise InvalidInput(message, fields={name: [message]})
        if not 1 <= int(wishes.get("top", 1)) <= MOST_ABOVE:
            message = _("The table begins in one of the first %(num)s rows.", num=MOST_ABOVE)
            raise InvalidInput(message, fields={"top": [message]})
        return replace(self, **{name: wishes[name] for name in (*allowed, "sheet", "top") if name in wishes})


def unusable(message: str, kind: type[KehuError] = InvalidInput) -> KehuError:
    """Return the error for a file as a whole. The message says what to do."""
    return kind(message, fields={"file": [message]})


def fitted(cells: list[str], width: int) -> tuple[list[str], int]:
    """Return the cells of a row brought to the width of the file, and how many filled ones were too many."""
    if not width or len(cells) == width:
        return cells, 0
    if len(cells) < width:
        return cells + [""] * (width - len(cells)), 0
    return cells, sum(1 for cell in cells[width:] if cell)


def checked(number: int, cells: list[str], width: int, names: Mapping[int, str] | None = None) -> Row:
    """Return a row with what is wrong with it as a whole, if anything."""
    cells, surplus = fitted(cells, width)
    if surplus:
        message = _(
            "The row has %(found)s cells, the file has %(wanted)s columns. Put quotes around cells "
            "that contain the delimiter, or correct the row.",
            found=len(cells),
            wanted=width,
        )
        return Row(number, cells[:MAX_COLUMNS], message)
    cells = cells[:width] if width else cells
    joined = "".join(cells)
    if len(joined) > MAX_CELL:
        for index, cell in enumerate(cells):
            if len(cell) > MAX_CELL:
                return Row(number, [one[:200] for one in cells], _too_long(index))
    if "\x00" in joined:
        index = next(place for place, cell in enumerate(cells) if "\x00" in cell)
        return Row(number, [cell.replace("\x00", "") for cell in cells], _zero(index))
    if not joined.isascii() and not _is_writable(joined):
        index = next(place for place, cell in enumerate(cells) if not _is_writable(cell))
        return Row(number, [cell.encode("utf-8", "replace").decode() for cell in cells], _undecodable(index))
    return Row(number, cells)


def _is_writable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _too_long(index: int) -> str:
    return _(
        "The cell in column %(column)s has more than %(most)s characters. Shorten it.",
        column=index + 1,
        most=MAX_CELL,
    )


def _zero(index: int) -> str:
    return _(
        "The cell in column %(column)s contains an invisible zero character. Clear the cell and type "
        "it anew.",
        column=index + 1,
    )


def _undecodable(index: int) -> str:
    return _(
        "The cell in column %(column)s has bytes that are no characters in the chosen encoding. "
        "Choose another encoding, or correct the cell.",
        column=index + 1,
    )
