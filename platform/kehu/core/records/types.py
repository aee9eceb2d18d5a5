"""The registry of record types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from kehu.core.records.fields import Field
from kehu.core.tables import RecordRow

if TYPE_CHECKING:
    from kehu.core.records.service import RecordService


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """A kind of record that people list, edit, import, export and undo.

    :param name: plural: URL, permission resource, table and API path.
    :param owner: the member column by which own and team scopes are decided.
    :param title: the field that names a record to people.
    :param customer: the column that puts its changes on a customer's time line ("id" for customers).
    :param follows: the pointer to the record with which it goes into the trash and back (a contact's customer).
    :param path: HTML address of one record, with `{id}`.
    """

    name: str
    singular: str
    label: Any
    plural: Any
    icon: str
    model: type[RecordRow]
    fields: tuple[Field, ...]
    service: Callable[[Session], RecordService[Any]]
    owner: str = "owner_id"
    title: str = "name"
    default_sort: str = "name"
    customer: str = ""
    follows: str = ""
    path: str = ""
    searchable: bool = True
    importable: bool = True
    sections: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> dict[str, Field]:
        """The fields by key."""
        return {one.key: one for one in self.fields}

    @cached_property
    def editable(self) -> dict[str, Field]:
        """The fields that people may set."""
        return {one.key: one for one in self.fields if not one.readonly}

    def url(self, record_id: Any) -> str:
        """Return the address of a record's page."""
        return (self.path or f"/{self.name}/{{id}}").format(id=record_id)


_types: dict[str, RecordType] = {}


def register(record_type: RecordType) -> RecordType:
    """Add a record type; registering the same name again replaces it (reload in tests)."""
    _types[record_type.name] = record_type
    return record_type


def get(name: str) -> RecordType:
    """Return a record type by its plural name.

    :raises KeyError: for an unknown name.
    """
    return _types[name]


def registered() -> dict[str, RecordType]:
    """Return all record types by name, in the order of registration."""
    return dict(_types)


def followers_of(name: str) -> list[RecordType]:
    """Return the types whose records go into the trash and back with records of a type."""
    return [one for one in _types.values() if one.follows and one.by_key[one.follows].ref == name]
