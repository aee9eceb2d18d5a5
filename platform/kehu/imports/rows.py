"""Rows of a file on their way into records: what each says, and what became of a batch."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kehu.core.records.types import RecordType
from kehu.imports.cells import CellError, Reader, reader_for
from kehu.imports.files import Row
from kehu.imports.keys import Value
from kehu.imports.mapping import Plan
from kehu.imports.targets import (
    LISTS,
    NAME_PARTS,
    Target,
    is_list_of_values,
    is_reference,
    own_parent,
    targets,
)

SEPARATORS: Final = {"emails": ";, \n", "phones": ";\n", "tags": ",;\n，；"}
DATES: Final = frozenset({"date", "datetime"})


@dataclass
class Planned:
    """One row: the values for the service, the names it refers to, and what is wrong with it.

    :param values: field key -> raw value, as a service's `create` takes it.
    :param names: field key -> text that stands for a record, a member or an option.
    :param pieces: field key -> the parts of a name.
    :param blank: fields with a column whose cell is empty.
    :param errors: column index (or "" for the row) -> message.
    :param left: column index -> text of a cell that stays out because it can't be read.
    """

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, dict[str, str]] = field(default_factory=dict)
    blank: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Value] = field(default_factory=dict)
    number: str = ""


@dataclass
class Result:
    """What became of a batch of rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[Planned] = field(default_factory=list)
    repairs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    made_names: dict[str, list[str]] = field(default_factory=dict)
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    doubles: Counter[tuple[str, str]] = field(default_factory=Counter)
    records: dict[int, uuid.UUID] = field(default_factory=dict)
    """Row -> the record that it made, changed or found as it was."""

    by_type: dict[str, list[int]] = field(default_factory=dict)
    """Record type -> how many of it were created, changed and left as they were."""

    def add(self, type_name: str, part: Result, prefix: str = "") -> None:
        """Take in what became of the records of one type; `prefix` stands before the names of its fields."""
        self.created += part.created
        self.updated += part.updated
        self.unchanged += part.unchanged
        self.by_type[type_name] = [part.created, part.updated, part.unchanged]
        self.refused += part.refused
        for mine, theirs in (
            (self.repairs, part.repairs),
            (self.left, part.left),
            (self.doubles, part.doubles),
        ):
            mine.update(theirs)  # type: ignore[arg-type]
        self.unmapped.update({(prefix + key, text): count for (key, text), count in part.unmapped.items()})
        for made, names in part.made_names.items():
            self.note_made(made, names)

    def note_made(self, type_name: str, names: Iterable[str]) -> None:
        """Remember that records or members were made for names."""
        listed = list(names)
        self.made[type_name] += len(listed)
        self.made_names.setdefault(type_name, []).extend(listed)


class RowParser:
    """Reads rows by a plan."""

    def __init__(self, record_type: RecordType, plan: Plan, zone: Any) -> None:
        known = targets(record_type)
        self.parent = own_parent(record_type)
        self.columns: list[tuple[int, Target, Reader]] = [
            (index, known[use.target], reader_for(known[use.target], use, zone))
            for index, use in sorted(plan.columns.items())
            if use.target in known
        ]
        self.first_column = {target.key: index for index, target, _reader in reversed(self.columns)}
        for index, target, _reader in reversed(self.columns):
            self.first_column[target.field.key] = index
        self.parent_mapped = self.parent in self.first_column

    def parse(self, row: Row) -> Planned:
        """Read one row; nothing is looked up yet."""
        planned = Planned(row=row)
        if row.problem:
            planned.errors[""] = row.problem
            return planned
        for index, target, reader in self.columns:
            cell = row.cells[index].strip() if index < len(row.cells) else ""
            if not cell:
                planned.blank.add(target.field.key)
                continue
            try:
                self._take(planned, target, reader, cell)
            except CellError as error:
                planned.errors[str(index)] = str(error)
        for key, pieces in planned.pieces.items():
            # A column with the whole name says more than its parts.
            planned.values.setdefault(key, " ".join(pieces[part] for part in NAME_PARTS if part in pieces))
        planned.blank -= planned.values.keys() | planned.names.keys()
        return planned

    @staticmethod
    def _take(planned: Planned, target: Target, reader: Reader, cell: str) -> None:
        spec, values = target.field, planned.values
        if target.match_only:
            planned.number = cell
        elif target.part in NAME_PARTS:
            planned.pieces.setdefault(spec.key, {})[target.part] = cell
        elif target.part:
            values.setdefault(spec.key, [{}])[0][target.part] = cell
        elif spec.kind in LISTS:
            values.setdefault(spec.key, []).extend(_split(cell, SEPARATORS[spec.kind]))
        elif spec.kind == "member" or is_reference(spec) or is_list_of_values(spec):
            planned.names[spec.key] = cell
        else:
            values[spec.key] = reader(cell)

    def place(self, errors: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return messages by field as messages by column."""
        found: dict[str, str] = {}
        for key, messages in errors.items():
            column = str(self.first_column.get(key, ""))
            text = " ".join(str(message) for message in messages)
            found[column] = f"{found[column]} {text}" if column in found else text
        return found


def _split(cell: str, separators: str) -> list[str]:
    for mark in separators[1:]:
        cell = cell.replace(mark, separators[0])
    return [part.strip() for part in cell.split(separators[0]) if part.strip()]


def distinct(rows: Iterable[Planned], key: str) -> set[str]:
    """Return the texts that sound rows have for a reference."""
    return {row.names[key] for row in rows if key in row.names and not row.errors}
