"""Cells that can't be read and need not refuse their row: they stay out, and a new record keeps their text."""

from __future__ import annotations

from typing import Any, Final

from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import load_value
from kehu.core.records.types import RecordType
from kehu.imports.rows import Planned, RowParser
from kehu.imports.targets import LISTS

NOTES: Final = "description"
"""The field in which a new record keeps what could not be read."""


def may_leave(record_type: RecordType) -> bool:
    """Tell whether records of a type have a place for cells that can't be read."""
    spec = record_type.editable.get(NOTES)
    return spec is not None and spec.kind == "long_text"


class Leaver:
    """Takes unreadable cells out of rows; names and what a record can't be without still refuse their row."""

    def __init__(self, record_type: RecordType, parser: RowParser) -> None:
        self.type, self.parser = record_type, parser
        self._fields: dict[str, Field] = {
            str(index): target.field for index, target, _reader in parser.columns
        }

    def _needed(self, spec: Field) -> bool:
        return spec.required or spec.key == self.type.title

    def unread(self, row: Planned) -> None:
        """Forget cells that no reader understood."""
        for column in list(row.errors):
            spec = self._fields.get(column)
            if spec is not None and not self._needed(spec):
                del row.errors[column]
                row.left[column] = row.row.cells[int(column)].strip()

    def unfit(self, row: Planned, ctx: LoadContext) -> None:
        """Forget values that the record type would refuse; of a list only the entries that are wrong."""
        for key in list(row.values):
            spec = self.type.by_key[key]
            if self._needed(spec) or self._fits(spec, row.values[key], ctx):
                continue
            entries = row.values[key] if spec.kind in LISTS else []
            sound = [entry for entry in entries if self._fits(spec, [entry], ctx)]
            column = self.parser.first_column[key]
            if sound:
                row.left[str(column)] = ", ".join(str(entry) for entry in entries if entry not in sound)
                row.values[key] = sound
            else:
                row.left[str(column)] = row.row.cells[column].strip()
                del row.values[key]

    @staticmethod
    def _fits(spec: Field, raw: Any, ctx: LoadContext) -> bool:
        try:
            load_value(spec, raw, ctx)
        except FieldError:
            return False
        return True

    def keep(self, row: Planned, values: dict[str, Any]) -> None:
        """Write the text of what was left out into the notes of a new record."""
        lines = [f"{self._fields[column].label}: {cell}" for column, cell in row.left.items() if column]
        if lines:
            values[NOTES] = "\n".join([*filter(None, [str(values.get(NOTES) or "")]), *lines])
