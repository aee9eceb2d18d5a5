"""Which roles see a field and which may change it, where a firm says so: part of its shape, asked nowhere else.

Types of records come without the fields that the actor's role may not see (`types.get`), so nothing that goes by a
type shows, finds, sorts or takes them. Services work on the whole type and refuse what the role may not set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from kehu.core import context, shape
from kehu.core.context import Actor
from kehu.core.errors import Forbidden
from kehu.core.i18n import _

if TYPE_CHECKING:
    from kehu.core.records.fields import Field
    from kehu.core.records.types import RecordType

PART: Final = "field_rights"
OWNER: Final = "owner"
"""The role that always sees and changes everything, so that a firm can't lock itself out."""

_FREE = frozenset({"system", "plugin"})
"""Kinds of actors to whom no role applies: the product itself, and code that the firm installed."""

_whole: ContextVar[bool] = ContextVar("kehu_whole_types", default=False)


@dataclass(frozen=True, kw_only=True)
class FieldRight:
    """Roles that see a field, and roles that may change it; None for all who see the record."""

    seen_by: frozenset[str] | None = None
    edited_by: frozenset[str] | None = None

    def sees(self, role: str) -> bool:
        """Tell whether a role sees the field."""
        return role == OWNER or self.seen_by is None or role in self.seen_by

    def edits(self, role: str) -> bool:
        """Tell whether a role may change the field; who does not see it does not."""
        return self.sees(role) and (role == OWNER or self.edited_by is None or role in self.edited_by)


Rights = Mapping[str, Mapping[str, FieldRight]]


def _all() -> Rights:
    found: Rights = shape.part(PART) or {}
    return found


def of(type_name: str) -> Mapping[str, FieldRight]:
    """Return what the present firm says about the fields of a type, by key."""
    return _all().get(type_name, {})


def role_of(actor: Actor | None) -> str | None:
    """Return the role by which somebody's rights go, or None for one who is free of them."""
    return None if actor is None or actor.kind in _FREE or actor.role == OWNER else actor.role


def whose() -> str | None:
    """Return the role by which types are cut down here, or None where they are whole."""
    now = context.current()
    # What a rule of the firm does, the firm does.
    if _whole.get() or now.source == "rule" or not _all():
        return None
    return role_of(now.actor)


@contextmanager
def unrestricted() -> Iterator[None]:
    """Let types be whole within the block, whoever acts."""
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


def structure(record_type: RecordType) -> frozenset[str]:
    """Return the fields without which a record has no name or no place: they are seen by all who see it."""
    return frozenset(
        {
            record_type.title,
            record_type.named_by,
            record_type.follows,
            record_type.customer,
            record_type.default_sort.removeprefix("-"),
        }
    )


def shaped(record_type: RecordType) -> RecordType:
    """Return a type as the present actor's role may see and change it."""
    role = whose()
    mine = of(record_type.name) if role is not None else {}
    if role is None or not mine:
        return record_type
    stay, fields = structure(record_type), []
    for one in record_type.fields:
        right = mine.get(one.key)
        if right is None or right.edits(role):
            fields.append(one)
        elif right.sees(role) or one.key in stay:
            fields.append(replace(one, readonly=True))
    return replace(record_type, fields=tuple(fields))


def closed(record_type: RecordType) -> frozenset[str]:
    """Return the fields of a whole type that the present actor may not set, although others may."""
    role = whose()
    mine = of(record_type.name) if role is not None else {}
    return frozenset(key for key, right in mine.items() if role is not None and not right.edits(role))


def editable(record_type: RecordType) -> dict[str, Field]:
    """Return the fields of a whole type that the present actor may set."""
    shut = closed(record_type)
    return {key: spec for key, spec in record_type.editable.items() if key not in shut}


def refusal(record_type: RecordType, key: str) -> str:
    """Return what to say of a field that the present actor may not set; one that he does not see is as good as none.

    Empty for a field that nobody sets.
    """
    seen = key in closed(record_type) and key not in hidden(record_type.name) - structure(record_type)
    spec = record_type.editable.get(key)
    if spec is not None and seen:
        return _("Your role may not change “%(name)s”.", name=spec.label)
    return _("There is no field “%(name)s” that can be set.", name=key) if key in closed(record_type) else ""


def hidden_from(type_name: str, role: str | None) -> frozenset[str]:
    """Return the fields of a type that a role does not see; None stands for who is free of rights."""
    if role is None:
        return frozenset()
    return frozenset(key for key, right in of(type_name).items() if not right.sees(role))


def hidden(type_name: str) -> frozenset[str]:
    """Return the fields of a type that the present actor does not see."""
    return hidden_from(type_name, whose())


def seen_changes(type_name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those changes of the trail that the present actor may see."""
    gone = hidden(type_name)
    return {key: pair for key, pair in changes.items() if key not in gone}


def require_all() -> None:
    """Ask that nothing is hidden from the present actor, for what hands out whole rows.

    :raises Forbidden: when his role does not see some field.
    """
    role = whose()
    if role is not None and any(not one.sees(role) for mine in _all().values() for one in mine.values()):
        raise Forbidden(_("This holds fields that your role does not see. Ask an owner for it."))


def for_all(type_name: str, key: str) -> bool:
    """Tell whether all who see a record see this field: others are no words by which it is found."""
    right = of(type_name).get(key)
    return right is None or right.seen_by is None
