"""A firm's own fields: from their definitions to fields of its record types, and their values on records.

Values lie as JSON in the record's `custom` under `PLACE`, by slot. Index rows (`own_index`) find and order records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from babel.support import LazyProxy
from flask_babel import get_locale
from sqlalchemy import cast, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from kehu.core import shape
from kehu.core.i18n import LOCALES, _l, match_locale
from kehu.core.ids import parse_id
from kehu.core.records.fields import Field, Option, Own
from kehu.core.records.kinds import KINDS, dump_value
from kehu.core.records.own_tables import CustomField
from kehu.core.tables import OWN

PLACE: Final = "c"
"""Key of a record's `custom` under which the values of own fields lie; slugs of plugins are longer."""
SECTION: Final = "own"
HEADING: Final = _l("Further fields")
WORDS = frozenset({"text", "email", "phone", "link", "choice", "choices", "member", "ref"})
NUMBERS = frozenset({"number", "decimal", "percent", "money", "date", "datetime", "bool"})
SORTED = (WORDS | NUMBERS) - {"choices", "ref", "member", "link"}
SEARCHED = frozenset({"text", "long_text", "email", "phone", "link"})

Fields = Mapping[str, Sequence[Field]]


def load(session: Session) -> Fields:
    """Return the own fields of the present tenant that are in use, by type of record and in their order."""
    statement = (
        select(CustomField)
        .where(CustomField.deleted_at.is_(None), CustomField.state == "active")
        .order_by(CustomField.object, CustomField.position, CustomField.id)
    )
    found: dict[str, list[Field]] = {}
    for row in session.execute(statement).scalars():
        found.setdefault(row.object, []).append(field_from(row))
    return found


shape.add("own_fields", load)


def field_from(row: CustomField) -> Field:
    """Return the field that a definition describes."""
    indexed = "word" if row.kind in WORDS else "number" if row.kind in NUMBERS else ""
    return Field(
        key=row.key,
        label=label_of(row),
        kind=row.kind,
        required=row.required and not row.formula,
        readonly=bool(row.formula),
        sortable=row.kind in SORTED,
        filterable=bool(indexed) and bool(KINDS[row.kind].filters),
        column=row.in_list,
        quick=(row.at_create or row.required) and not row.formula,
        unique=row.only_one,
        ref=row.target,
        minimum=row.minimum,
        maximum=row.maximum,
        section=f"own:{row.section}" if row.section else SECTION,
        help=row.help,
        options=tuple(
            Option(value=one["value"], label=one["label"], tone=one.get("tone") or "neutral")
            for one in row.options
        ),
        default=row.initial or None,
        own=Own(
            id=row.id,
            slot=row.slot,
            indexed=indexed,
            currency=row.currency,
            searchable=row.searchable and row.kind in SEARCHED,
            formula=row.formula or "",
        ),
    )


def label_of(row: CustomField) -> Any:
    """Return a field's name, each time in the language of the reader where it has one there."""
    names = {code: named for code in LOCALES if (named := getattr(row, f"label_{code.lower()}"))}
    return LazyProxy(_in_language, row.label, names, enable_cache=False) if names else row.label


def _in_language(label: str, names: Mapping[str, str]) -> str:
    return names.get(match_locale(str(get_locale() or "")) or "", label)


def fields_of(type_name: str) -> Sequence[Field]:
    """Return the own fields that the present tenant gave a type of record."""
    found: Fields | None = shape.part("own_fields")
    return found.get(type_name, ()) if found else ()


def headings(fields: Sequence[Field]) -> dict[str, Any]:
    """Return the headings of the sections in which own fields stand."""
    return {
        one.section: HEADING if one.section == SECTION else one.section.removeprefix("own:")
        for one in fields
        if one.own is not None
    }


# Values -----------------------------------------------------------------------------------


def field_of(model: type[Any], key: str) -> Field:
    """Return the own field of a key on a class of records.

    :raises AttributeError: when the present tenant has none of that name.
    """
    for one in fields_of(_type_names().get(model, "")):
        if one.key == key:
            return one
    raise AttributeError(f"{model.__name__} have no field {key!r} in this firm.")


_names: dict[type[Any], str] = {}


def _type_names() -> Mapping[type[Any], str]:
    from kehu.core.records import types  # It widens its types by what is here.

    if len(_names) != types.how_many():
        _names.clear()
        _names.update(types.models())
    return _names


def read(kind: str, kept: Any) -> Any:
    """Return a kept value, or None for one that the kind can't hold any more."""
    if kept is None:
        return None
    try:
        return _READ[kind](kept) if kind in _READ else kept if isinstance(kept, str) else None
    except (TypeError, ValueError, InvalidOperation):
        return None


def _exactly(kind: type, kept: Any) -> Any:
    return kept if type(kept) is kind else None


_READ: dict[str, Any] = {
    "number": lambda kept: _exactly(int, kept),
    "money": lambda kept: _exactly(int, kept),
    "bool": lambda kept: _exactly(bool, kept),
    "decimal": Decimal,
    "percent": Decimal,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "choices": lambda kept: _exactly(list, kept),
    "member": parse_id,
    "ref": parse_id,
}


class _Kept(TypeDecorator[Any]):
    """A value as a select returns it."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """Return it as the record's attribute does."""
        found = read(self.kind, value)
        return [] if found is None and self.kind == "choices" else found


def column(entity: Any, spec: Field) -> Any:
    """Return what a select names to read an own field of a model or an alias of it."""
    assert spec.own is not None
    if spec.kind in ("member", "ref"):
        return cast(entity.custom[PLACE][spec.own.slot].astext, UUID(as_uuid=True)).label(spec.key)
    return type_coerce(entity.custom[PLACE][spec.own.slot], _Kept(spec.kind)).label(spec.key)


def value_of(record: Any, spec: Field) -> Any:
    """Return a record's value of an own field."""
    assert spec.own is not None
    found = read(spec.kind, ((record.custom or {}).get(PLACE) or {}).get(spec.own.slot))
    return [] if found is None and spec.kind == "choices" else found


def set_value(record: Any, spec: Field, value: Any) -> None:
    """Set a record's value of an own field; nothing takes it out."""
    assert spec.own is not None
    mine = dict((record.custom or {}).get(PLACE) or {})
    dumped = dump_value(spec, value)
    if dumped in (None, "", []):
        mine.pop(spec.own.slot, None)
    else:
        mine[spec.own.slot] = dumped
    # A new dictionary, so that the change is seen.
    record.custom = {**(record.custom or {}), PLACE: mine}
    if not mine:
        record.custom = {place: kept for place, kept in record.custom.items() if place != PLACE}


def is_own(key: str) -> bool:
    """Tell whether a key is one of a firm's own fields."""
    return key.startswith(OWN)


def search_texts(record: Any, fields: Sequence[Field]) -> list[tuple[str, str]]:
    """Return what a record is found by in its own fields: (how, text)."""
    return [
        (one.kind if one.kind in ("email", "phone") else "text", str(value))
        for one in fields
        if one.own is not None and one.own.searchable and (value := value_of(record, one))
    ]
