"""Values that plugins add to records: kept in the record's column `custom` under the plugin's slug, read by name."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from kehu.core.records.fields import Field
from kehu.core.records.kinds import dump_value

_SHAPES: dict[str, type] = {"number": int, "bool": bool}


def read(kind: str, kept: Any) -> Any:
    """Return a kept value, or None for one that the field can't hold any more, as after a change of its kind."""
    if kept is None:
        return None
    if kind == "date":
        try:
            return dt.date.fromisoformat(kept)
        except (TypeError, ValueError):
            return None
    fits = isinstance(kept, _SHAPES.get(kind, str)) and (kind == "bool" or not isinstance(kept, bool))
    return kept if fits else None


class _KeptValue(TypeDecorator[Any]):
    """A value as a select returns it."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """Return it as the record's attribute does."""
        return read(self.kind, value)


class CustomValue:
    """The attribute of a record's class for one value of a plugin; in a select it is a column of that name."""

    def __init__(self, slug: str, key: str, spec: Field) -> None:
        self.slug, self.key, self.spec = slug, key, spec

    def __get__(self, record: Any, owner: Any) -> Any:
        if record is None:
            kept = owner.custom[self.slug][self.key]
            return type_coerce(kept, _KeptValue(self.spec.kind)).label(self.spec.key)
        return read(self.spec.kind, ((record.custom or {}).get(self.slug) or {}).get(self.key))

    def __set__(self, record: Any, value: Any) -> None:
        mine = {**((record.custom or {}).get(self.slug) or {}), self.key: dump_value(self.spec, value)}
        mine = {key: kept for key, kept in mine.items() if kept is not None}
        # A new dictionary, so that the change is seen.
        record.custom = {**(record.custom or {}), self.slug: mine}
        if not mine:
            record.custom = {slug: kept for slug, kept in record.custom.items() if slug != self.slug}
