"""What a firm's own fields hold of a person, under the names that the firm gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core.records.own import PLACE
from kehu.core.records.own_tables import CustomField


def name_own(session: Session, tables: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Write own values out of `custom` into the rows: those of retired fields are kept, so they are told as well."""
    statement = select(CustomField).where(CustomField.object.in_(list(tables)))
    known = {(one.object, one.slot): one for one in session.execute(statement.limit(5_000)).scalars()}
    for name, rows in tables.items():
        for row in rows:
            custom = row.pop("custom", None) or {}
            for slot, value in (custom.pop(PLACE, None) or {}).items():
                spec = known.get((name, slot))
                label = spec.label if spec is not None else slot
                row[label if label not in row else f"{label} ({slot})"] = _said(spec, value)
            if custom:
                row["custom"] = custom


def _said(spec: CustomField | None, value: Any) -> Any:
    options = {one["value"]: one["label"] for one in spec.options} if spec is not None else {}
    if isinstance(value, list):
        return [options.get(one, one) if isinstance(one, str) else one for one in value]
    return options.get(value, value) if isinstance(value, str) else value
