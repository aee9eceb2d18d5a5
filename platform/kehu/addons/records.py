"""Kinds of records that plugins bring: looked at once at boot, then listed, edited, imported and undone like ours."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask

from kehu.addons.migrations import schema_of
from kehu.core import permissions
from kehu.core.records import types
from kehu.core.records.kinds import KINDS
from kehu.core.records.types import RecordType
from kehu.core.tables import RecordRow
from kehu.web.records.pages import RecordPages, pages_of
from kehu.web.widgets import known_icon
from plugins.host import PluginHost

ACTIONS = ("read", "write", "delete", "export", "import")


class Unusable(ValueError):
    """Raised for a declaration that can't be used; says what to change."""


def join(host: PluginHost) -> None:
    """Let the records of all plugins join the registry with their rights; what can't be used breaks its plugin."""
    for name in types.of_plugins():
        types.forget(name)
    codes = {one.code for _slug, one in host.declarations.permissions}
    for slug in dict.fromkeys(slug for slug, _declared in host.declarations.records):
        mine: list[Any] = [one for owner, one in host.declarations.records if owner == slug]
        try:
            for record_type in mine:
                check(slug, record_type, {one.name for one in mine}, _needed(host, slug))
                taken = sorted(codes & {f"{record_type.name}:{action}" for action in ACTIONS})
                if taken:
                    raise Unusable(
                        f"{taken[0]} comes with the record; take it out of kehu_register_permissions."
                    )
            for record_type in mine:
                _register(slug, record_type)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # Whatever is wrong with what an author wrote: it must not stop the boot.
            for record_type in mine:
                types.forget(str(getattr(record_type, "name", "")))
            host.refuse(slug, f"kehu_register_records: {error}")


def _needed(host: PluginHost, slug: str) -> frozenset[str]:
    record = host.installed.get(slug)
    return frozenset(record.manifest.requires) if record is not None and record.manifest else frozenset()


def _register(slug: str, record_type: RecordType) -> None:
    permissions.register_record(record_type.name, record_type.plural, plugin=slug)
    types.register(record_type, plugin=slug)


def check(slug: str, record_type: RecordType, own: set[str], needed: frozenset[str]) -> None:
    """Look at a declaration.

    :param own: names of all record types of the plugin.
    :param needed: slugs of the plugins that it requires; a field may point at their records.
    :raises Unusable: names what is wrong and the remedy.
    """
    name = record_type.name
    if not isinstance(record_type, RecordType):
        raise Unusable(f"{name} is no RecordType. Make it with kehu.api.RecordType(...).")
    model: Any = record_type.model
    if not (isinstance(model, type) and issubclass(model, RecordRow)):
        raise Unusable(f"{name}: its model is no RecordRow. Write class …(RecordRow, Base).")
    table = model.__table__  # type: ignore[attr-defined]
    if table.schema != schema_of(slug):
        raise Unusable(
            f"{name}: its table {table.key} lies outside of the plugin's schema {schema_of(slug)}. Use plugin_args()."
        )
    keys = [one.key for one in record_type.fields]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice or not keys:
        raise Unusable(f"{name}: {twice[0]!r} is declared twice." if twice else f"{name} has no fields.")
    if record_type.path:
        raise Unusable(f"{name}: leave path out; its pages lie under {record_type.list_path}.")
    if known_icon(record_type.icon) != record_type.icon:
        raise Unusable(f"{name}: there is no icon {record_type.icon!r}.")
    wanted = {"title": record_type.title, "owner": record_type.owner, "customer": record_type.customer}
    for role, key in wanted.items():
        if (key or role == "title") and key not in table.c:
            empty = "" if role == "title" else f' Say {role}="" if there is none.'
            raise Unusable(f"{name}: {role} names the column {key!r}, which its table has not.{empty}")
    _check_names(record_type)
    for spec in record_type.fields:
        _check_field(name, spec, table, own, needed)


def _check_names(record_type: RecordType) -> None:
    """Look whether what names a field names one that is there."""
    name, sort = record_type.name, record_type.default_sort.removeprefix("-")
    if sort not in record_type.by_key or not record_type.by_key[sort].sortable:
        raise Unusable(f"{name}: default_sort names {sort!r}, which is no sortable field of it.")
    if record_type.title not in record_type.by_key:
        raise Unusable(f"{name}: title names {record_type.title!r}, which is no field of it.")
    for role, key in {"follows": record_type.follows, "named_by": record_type.named_by}.items():
        if key and (record_type.by_key.get(key) is None or not record_type.by_key[key].ref):
            raise Unusable(f"{name}: {role} names {key!r}, which is no field of it that points at a record.")


def _check_field(name: str, spec: Any, table: Any, own: set[str], needed: frozenset[str]) -> None:
    if spec.kind not in KINDS:
        raise Unusable(
            f"{name}: the field {spec.key!r} has the kind {spec.kind!r}; there are {', '.join(KINDS)}."
        )
    if spec.key not in table.c:
        raise Unusable(f"{name}: the field {spec.key!r} has no column in {table.key}.")
    if spec.kind == "ref":
        mine = spec.ref in own or spec.ref.partition(".")[0] in needed
        if not mine and ("." in spec.ref or spec.ref not in types.registered()):
            raise Unusable(
                f"{name}: the field {spec.key!r} points at {spec.ref!r}. It may point at records of the platform, "
                "of the plugin itself and of plugins that plugin.toml requires."
            )


def mount(app: Flask) -> None:
    """Add the pages of the plugins' records: as the plugin describes them, or plain ones."""
    blueprints: dict[str, Blueprint] = {}
    for name, (slug, _type) in types.of_plugins().items():
        # No plugin can have a blueprint of this name: theirs begin with the slug.
        made = blueprints.setdefault(slug, Blueprint(f"x_{slug}", __name__))
        (pages_of(name) or RecordPages(name)).register(made)
    for made in blueprints.values():
        app.register_blueprint(made)


def default_rights(code: str, name: str) -> dict[str, str]:
    """Return the rights over a plugin's records that a built-in role starts with: those over the platform's own.

    Viewers see. Members add and change, and trash what is theirs. The others may do everything.
    """
    if code == "viewer":
        return {f"{name}:read": "all"}
    if code == "member":
        return {f"{name}:read": "all", f"{name}:write": "all", f"{name}:delete": "own"}
    return {f"{name}:{action}": "all" for action in ACTIONS}
