"""The registry of record types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from kehu.core import hooks, shape
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.records import rights
from kehu.core.records.fields import Field
from kehu.core.tables import RecordRow
from plugins.relay import running

if TYPE_CHECKING:
    from kehu.core.records.service import RecordService


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """A kind of record that people list, edit, import, export and undo.

    :param name: plural: URL, permission resource, table and API path; a plugin's is `<slug>.<plural>`.
    :param singular: name of one record in events; a plugin's is `<slug>.<singular>`.
    :param owner: the member column by which own and team scopes are decided.
    :param title: the field that names a record to people.
    :param customer: the column that puts its changes on a customer's time line ("id" for customers).
    :param follows: the pointer to the record with which it goes into the trash and back (a contact's customer).
    :param named_by: the pointer to the record whose name it bears: who may not see that one does not see it either.
    :param own_fields: firms may add fields of their own to it.
    :param path: HTML address of one record, with `{id}`.
    :param coded: the text field in which its records get codes by the firm's rule (`K-2026-00042`).
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
    named_by: str = ""
    path: str = ""
    coded: str = ""
    searchable: bool = True
    importable: bool = True
    own_fields: bool = False
    sections: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> dict[str, Field]:
        """The fields by key."""
        return {one.key: one for one in self.fields}

    @cached_property
    def editable(self) -> dict[str, Field]:
        """The fields that people may set."""
        return {one.key: one for one in self.fields if not one.readonly}

    @property
    def list_path(self) -> str:
        """The address of the list."""
        return list_path(self.name)

    @property
    def key(self) -> str:
        """The name in places that allow no dot: endpoints, names of schemas."""
        return key_of(self.name)

    def url(self, record_id: Any) -> str:
        """Return the address of a record's page."""
        return (self.path or f"{self.list_path}/{{id}}").format(id=record_id)


class NoSuchType(NotFound, KeyError):
    """Raised for a record type that is unknown, or whose plugin is off for the present tenant."""


_types: dict[str, RecordType] = {}
_owners: dict[str, str] = {}
"""The plugin that a record type belongs to, by the type's name; types of the platform are not in it."""


_added: dict[str, dict[str, tuple[Any, tuple[Field, ...]]]] = {}
"""Fields that plugins add to types of the platform: type -> slug -> heading and fields."""

_widened: dict[tuple[Any, ...], tuple[RecordType, RecordType]] = {}
"""Type, plugins that are on, plugin that runs, shape of the firm -> the type as declared, and as it is here."""

_here: dict[tuple[Any, ...], dict[str, RecordType]] = {}
"""Plugins that are on, plugin that runs, shape of the firm -> the types that are there."""

Shaper = Callable[[RecordType], RecordType]

_shapers: list[tuple[Shaper, Callable[[], Any]]] = []
"""What changes types further, each with what its answer depends on besides the shape. The last is `rights`."""

MOST_KEPT = 2_000


def list_path(name: str) -> str:
    """Return the address of a record type's list: `/deals`, or `/x/<slug>/<plural>` for a plugin's."""
    return f"/x/{name.replace('.', '/', 1)}" if "." in name else f"/{name}"


def key_of(name: str) -> str:
    """Return a record type's name for places that allow no dot."""
    return name.replace(".", "_")


def register(record_type: RecordType, plugin: str = "") -> RecordType:
    """Add a record type; registering the same name again replaces it (reload in tests).

    :param plugin: whose it is; other tenants than those that have the plugin on don't see it.
    """
    _types[record_type.name] = record_type
    _here.clear()
    if plugin:
        _owners[record_type.name] = plugin
    return record_type


def forget(name: str) -> None:
    """Take a record type of a plugin out, as when the plugins are started anew."""
    if _owners.pop(name, None) is not None:
        del _types[name]
        _here.clear()


def of_plugins() -> dict[str, tuple[str, RecordType]]:
    """Return the record types of all plugins with the slug of each, whoever has them on."""
    return {name: (slug, _types[name]) for name, slug in _owners.items()}


def add_fields(name: str, slug: str, heading: Any, fields: Sequence[Field]) -> None:
    """Add a plugin's fields to a type of the platform, for tenants that have the plugin on."""
    _added.setdefault(name, {})[slug] = heading, tuple(fields)
    _widened.clear()
    _here.clear()


def add_shaper(shaper: Shaper, depends_on: Callable[[], Any] = lambda: None) -> None:
    """Add a function that changes types for the present tenant and actor, once the firm has shaped anything.

    :param depends_on: what its answer depends on besides the tenant's shape (a role): a value that can be a key.
    """
    _shapers.append((shaper, depends_on))


def how_many() -> int:
    """Return the number of types that are registered."""
    return len(_types)


def models() -> dict[type[RecordRow], str]:
    """Return the names of the types of all records by their classes."""
    return {one.model: name for name, one in _types.items()}


def _state() -> tuple[Any, ...]:
    """Return what the types of the present tenant and actor depend on."""
    shaped = shape.present()
    more = tuple(depends_on() for _shaper, depends_on in _shapers) if shaped else ()
    return hooks.enabled() if _owners or _added else frozenset(), running.get(), shaped, more


def forget_fields() -> None:
    """Take the fields of all plugins out, as when the plugins are started anew."""
    _added.clear()
    _widened.clear()
    _here.clear()


def added_fields() -> dict[str, dict[str, tuple[Any, tuple[Field, ...]]]]:
    """Return the fields of all plugins, whoever has them on: type -> slug -> heading and fields."""
    return _added


def widened(record_type: RecordType) -> RecordType:
    """Return a type with the fields that plugins and the firm itself add to it for the present tenant."""
    added = _added.get(record_type.name, {})
    state = _state()
    if not added and not state[2]:
        return record_type
    key = record_type.name, *state
    base, found = _widened.get(key, (None, None))
    if found is None or base is not record_type:
        found = _widen(
            record_type, [(slug, *added[slug]) for slug in added if slug in state[0] or slug == state[1]]
        )
        if state[2]:
            for shaper, _depends_on in _shapers:
                found = shaper(found)
        if len(_widened) >= MOST_KEPT:
            _widened.clear()
        _widened[key] = record_type, found
    return found


def _widen(record_type: RecordType, parts: Sequence[tuple[str, Any, Sequence[Field]]]) -> RecordType:
    from kehu.core.records import own  # It reads values by the types.

    mine = own.fields_of(record_type.name)
    if not parts and not mine:
        return record_type
    return replace(
        record_type,
        fields=(*record_type.fields, *(one for _slug, _label, fields in parts for one in fields), *mine),
        sections={
            **record_type.sections,
            **{slug: label for slug, label, _fields in parts},
            **own.headings(mine),
        },
    )


def whole(name: str) -> RecordType:
    """Return a type with all fields that it has here, as they are before rules and rights shape it for an actor."""
    record_type, added, state = _types[name], _added.get(name, {}), _state()[:3]
    key = name, "whole", *state
    base, found = _widened.get(key, (None, None))
    if found is None or base is not record_type:
        parts = [(slug, *added[slug]) for slug in added if slug in state[0] or slug == state[1]]
        found = _widen(record_type, parts)
        if len(_widened) >= MOST_KEPT:
            _widened.clear()
        _widened[key] = record_type, found
    return found


def _live(name: str) -> bool:
    """Tell whether a record type is there for the present tenant, or for the plugin whose code runs."""
    slug = _owners.get(name)
    return slug is None or slug == running.get() or slug in hooks.enabled()


def get(name: str) -> RecordType:
    """Return a record type by its plural name.

    :raises NoSuchType: for an unknown name, and for a type of a plugin that the present tenant has not on.
    """
    found = _types.get(name)
    if found is None or not _live(name):
        missing = NoSuchType(_("There is no such kind of record."))
        missing.add_note(
            f"Asked for {name!r}. Names are plural: {', '.join(one for one in _types if _live(one))}."
        )
        raise missing
    return widened(found)


def unrestricted(name: str) -> RecordType:
    """Return a record type with the fields, too, that the actor's role does not see: for what keeps and checks.

    :raises NoSuchType: as `get` does.
    """
    with rights.unrestricted():
        return get(name)


def registered() -> dict[str, RecordType]:
    """Return the record types that are there for the present tenant by name, in the order of registration."""
    if not (_owners or _added or shape.present()):
        return dict(_types)
    key = _state()
    found = _here.get(key)
    if found is None:
        found = {name: widened(one) for name, one in _types.items() if _live(name)}
        if len(_here) >= MOST_KEPT:
            _here.clear()
        _here[key] = found
    return dict(found)


def namers_of(names: Iterable[str]) -> list[str]:
    """Return the types whose records give records of some types their names."""
    known = [one for name in names if (one := _types.get(name)) is not None and one.named_by]
    return sorted({one.by_key[one.named_by].ref for one in known})


def followers_of(name: str) -> list[RecordType]:
    """Return the types whose records go into the trash and back with records of a type."""
    return [one for one in registered().values() if one.follows and one.by_key[one.follows].ref == name]
