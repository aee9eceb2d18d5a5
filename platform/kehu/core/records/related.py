"""How records of one type lead to records of another: by their own pointers, and by pointers at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_

from kehu.core.context import Actor
from kehu.core.records import scope
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType, get, key_of, registered


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A way from a type to another.

    :param name: as it is written in filters: `customer` for a pointer, `deals` for what points here.
    :param target: the type it leads to.
    :param key: the pointer's field.
    :param back: the pointer stands on the other side, and there may be many records.
    """

    name: str
    label: str
    target: str
    key: str
    back: bool

    @property
    def type(self) -> RecordType:
        """The type it leads to, as the present tenant and actor have it."""
        return get(self.target)

    def joined(self, entity: Any, other: Any, actor: Actor) -> ColumnElement[bool]:
        """Return the condition that a related record is one of a record's, and one that the actor may see."""
        mine, theirs = (
            (entity.id, getattr(other, self.key)) if self.back else (getattr(entity, self.key), other.id)
        )
        return and_(
            other.tenant_id == entity.tenant_id,
            theirs == mine,
            other.deleted_at.is_(None),
            scope.seen(self.target, other, actor),
        )


def of(record_type: RecordType, actor: Actor) -> dict[str, Relation]:
    """Return the relations of a type to types that the actor may see, by name."""
    found: dict[str, Relation] = {}
    for field in record_type.fields:
        if _pointer(field) and field.ref in registered() and actor.may(f"{field.ref}:read"):
            name = field.key.removesuffix("_id")
            found[name] = Relation(
                name=name, label=str(field.label), target=field.ref, key=field.key, back=False
            )
    for other in registered().values():
        if not actor.may(f"{other.name}:read"):
            continue
        pointers = [one for one in other.fields if _pointer(one) and one.ref == record_type.name]
        for at, field in enumerate(pointers):
            name = key_of(other.name) if not at else f"{key_of(other.name)}.{field.key.removesuffix('_id')}"
            label = str(other.plural) if len(pointers) == 1 else f"{other.plural} ({field.label})"
            found.setdefault(
                name, Relation(name=name, label=label, target=other.name, key=field.key, back=True)
            )
    return found


def _pointer(field: Field) -> bool:
    # Without an index on the pointer a question would read the whole table of a firm.
    return field.kind == "ref" and bool(field.ref) and field.filterable
