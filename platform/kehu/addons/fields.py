"""Values that plugins add to records of the platform: looked at once at boot, then fields like ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import inspect

from kehu.core.records import types
from kehu.core.records.custom import CustomValue
from kehu.core.records.fields import Field
from plugins.host import PluginHost
from plugins.results import CustomField

_set: list[tuple[Any, str]] = []
"""The attributes that were put on classes of records."""


class Unusable(ValueError):
    """Raised for a field that can't be used; says what to change."""


def join(host: PluginHost) -> None:
    """Let the fields of all plugins join the record types; what can't be used breaks its plugin."""
    types.forget_fields()
    while _set:
        delattr(*_set.pop())
    declared = list(host.declarations.custom_fields)
    for slug in dict.fromkeys(slug for slug, _one in declared):
        mine = [one for owner, one in declared if owner == slug]
        try:
            fields = [_checked(slug, one) for one in mine]
        except (AttributeError, TypeError, ValueError) as error:
            host.refuse(slug, f"kehu_register_custom_fields: {error}")
            continue
        record = host.installed.get(slug)
        for name in dict.fromkeys(one.object for one in mine):
            here = [field for one, field in zip(mine, fields, strict=True) if one.object == name]
            types.add_fields(name, slug, record.name if record else slug, here)
        for one, field in zip(mine, fields, strict=True):
            _put(one.object, slug, one.field.key, field)


def _checked(slug: str, declared: CustomField) -> Field:
    if not isinstance(declared.field, Field):
        raise Unusable(
            f"{declared.object}: {declared.field!r} is no Field. Make it with kehu.api.Field(...)."
        )
    name = f"{slug}_{declared.field.key}"
    record_type = types.get(declared.object)
    if name in record_type.by_key or hasattr(record_type.model, name) or name in _columns(record_type.model):
        raise Unusable(f"{declared.object} have {name!r} already. Give the field another key.")
    return replace(declared.field, key=name, section=slug)


def _columns(model: Any) -> set[str]:
    return {column.key for column in inspect(model).columns}


def _put(object_name: str, slug: str, key: str, field: Field) -> None:
    model: Any = types.get(object_name).model
    setattr(model, field.key, CustomValue(slug, key, field))
    _set.append((model, field.key))
