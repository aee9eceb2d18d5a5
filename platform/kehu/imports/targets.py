"""What a column of a file can become: the fields of a record type, and the parts of its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kehu.core import context
from kehu.core.i18n import _, _l
from kehu.core.records.fields import Field
from kehu.core.records.kinds import ADDRESS_PARTS
from kehu.core.records.types import RecordType, get, registered

LISTS = frozenset({"emails", "phones", "tags", "addresses"})
"""Kinds that take the values of several columns."""

PARTS = {
    "street": _l("Street"),
    "postcode": _l("Postcode"),
    "city": _l("City"),
    "region": _l("State or province"),
    "country": _l("Country"),
}


NAME_PARTS = {"given": _l("First name"), "family": _l("Last name")}
"""Two columns that make one name, in the order in which they are put together."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where the cells of a column go.

    :param part: the part of an address or of a name.
    :param match_only: the value finds a record and is never written (numbers that the product gives).
    """

    key: str
    field: Field
    label: str
    part: str = ""
    match_only: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether several columns may go here."""
        return self.field.kind in LISTS and not self.part


def targets(record_type: RecordType) -> dict[str, Target]:
    """Return what columns can be mapped to, in the order of the fields."""
    found: dict[str, Target] = {}
    for spec in record_type.fields:
        if spec.kind == "addresses":
            for part in ADDRESS_PARTS[1:]:
                label = _("%(field)s: %(part)s", field=spec.label, part=PARTS[part])
                found[f"{spec.key}.{part}"] = Target(
                    key=f"{spec.key}.{part}", field=spec, part=part, label=label
                )
        elif not spec.readonly:
            found[spec.key] = Target(key=spec.key, field=spec, label=str(spec.label))
            if has_name_parts(record_type) and spec.key == record_type.title:
                for part, name in NAME_PARTS.items():
                    key = f"{spec.key}.{part}"
                    found[key] = Target(key=key, field=spec, part=part, label=str(name))
        elif spec.key == "number":
            label = _("%(field)s (only to find records)", field=spec.label)
            found[spec.key] = Target(key=spec.key, field=spec, label=label, match_only=True)
    return found


def has_name_parts(record_type: RecordType) -> bool:
    """Tell whether records are called by the names of people, which files have in two columns."""
    return record_type.title == "name" and {"emails", "phones"} <= record_type.by_key.keys()


def all_targets(record_type: RecordType, parts: Sequence[str]) -> dict[str, Target]:
    """Return what columns can be mapped to when rows hold records of further types: `contacts:name`."""
    found = targets(record_type)
    for name in parts:
        other = get(name)
        for key, target in targets(other).items():
            label = _("%(field)s: %(part)s", field=str(other.label).capitalize(), part=target.label)
            found[f"{name}:{key}"] = replace(target, key=f"{name}:{key}", label=label)
    return found


def is_list_of_values(spec: Field) -> bool:
    """Tell whether a field has few values that a person maps one by one: choices, stages, queues."""
    return spec.kind == "choice" or (spec.kind == "ref" and not get(spec.ref).importable)


def is_reference(spec: Field) -> bool:
    """Tell whether a field points at a record that is found by its number or name."""
    return spec.kind == "ref" and get(spec.ref).importable


def own_parent(record_type: RecordType) -> str:
    """Return the key of the field by which records of a type point at each other, or nothing."""
    return next(
        (spec.key for spec in record_type.fields if spec.kind == "ref" and spec.ref == record_type.name), ""
    )


def may_clear(record_type: RecordType, key: str) -> bool:
    """Tell whether an empty cell may clear a field of a record: not what it can't be without."""
    spec = record_type.editable.get(key)
    if spec is None or spec.required or spec.default is not None or key == record_type.title:
        return False
    model: Any = record_type.model
    column = model.__table__.c.get(key)
    return column is None or column.nullable or spec.kind in LISTS


def importable_types(actor: context.Actor) -> list[RecordType]:
    """Return the record types that an actor may import."""
    return [found for found in registered().values() if found.importable and may_import(found, actor)]


def may_import(record_type: RecordType, actor: context.Actor) -> bool:
    """Tell whether an actor may import records of a type."""
    return actor.may(f"{record_type.name}:import") and actor.may(f"{record_type.name}:write")


def norm_column(model: Any, key: str) -> Any:
    """Return the column that holds the compared form of a field's values, or None."""
    special = {"emails": "email_norm", "phones": "phone_norm"}.get(key, f"{key}_norm")
    return getattr(model, special, None)
