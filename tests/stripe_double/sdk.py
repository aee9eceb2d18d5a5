"""The types of the ``stripe`` SDK as a schema: which parameters a request takes, which fields an answer has.

The SDK is generated from Stripe's OpenAPI description, so its TypedDicts and class annotations list every
parameter and field of the API version that it names: https://github.com/stripe/stripe-python.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import sys
import types
import typing
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

import stripe
from stripe import params as sdk_params
from stripe._list_object import ListObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject, UntypedStripeObject

API_VERSION = stripe.api_version


@functools.cache
def _names_of(module_name: str) -> dict[str, Any]:
    """Collect what annotations of a module may name, with the imports that only type checkers see."""
    module = sys.modules[module_name]
    names = dict(vars(typing)) | dict(vars(module))
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe"):
            for alias in node.names:
                found = getattr(importlib.import_module(node.module), alias.name, None)
                names.setdefault(alias.asname or alias.name, found)
    return names


def _hints(annotations: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    holder = types.SimpleNamespace(__annotations__=annotations)
    return typing.get_type_hints(holder, names, names, include_extras=False)


@functools.cache
def fields_of(cls: type) -> dict[str, Any]:
    """Return the fields that answers of an SDK class have, with their types."""
    names = dict(_names_of(cls.__module__))
    outer: Any = sys.modules[cls.__module__]
    for part in cls.__qualname__.split("."):
        outer = getattr(outer, part)
        names.update({k: v for k, v in vars(outer).items() if isinstance(v, type)})
    own = {k: v for k, v in inspect.get_annotations(cls).items() if not k.isupper() and k[0] != "_"}
    return _hints(own, names)


@functools.cache
def parameters_of(kind: type | str) -> dict[str, Any]:
    """Return the parameters of a request, without the options of the SDK's own transport."""
    if isinstance(kind, str):
        kind = getattr(sdk_params, kind) if "." not in kind else _dotted(kind)
    own = {k: v for k, v in kind.__annotations__.items() if k not in RequestOptions.__annotations__}
    return {k: _unwrap(v) for k, v in _hints(own, _names_of(kind.__module__)).items()}


def _dotted(kind: str) -> type:
    module, _, name = kind.rpartition(".")
    found: type = getattr(importlib.import_module(f"stripe.params.{module}"), name)
    return found


def _unwrap(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in (typing.NotRequired, typing.Required) else hint


def alternatives(hint: Any) -> list[Any]:
    """Take a union apart; an open enumeration (``Union[Literal[…], str]``) is held to its known values."""
    if get_origin(hint) in (Union, types.UnionType):
        found = [a for part in get_args(hint) for a in alternatives(part)]
        literals = [a for a in found if get_origin(a) is Literal and set(get_args(a)) != {""}]
        return [a for a in found if a is not str] if literals else found
    return [hint]


def class_of(kind: str) -> type[StripeObject] | None:
    """Find the SDK class of an ``object`` value."""
    entry = OBJECT_CLASSES.get(kind)
    if entry is None or isinstance(entry, type):
        return entry
    return getattr(importlib.import_module(entry[0]), entry[1])  # type: ignore[no-any-return]


def blank(cls: type, omit: typing.Container[str] = ()) -> dict[str, Any]:
    """Build an answer of a class with every field: null where the SDK allows it, else empty."""
    return {k: _empty(hint) for k, hint in fields_of(cls).items() if k not in omit and k != "deleted"}


def _empty(hint: Any) -> Any:
    choices = alternatives(hint)
    if type(None) in choices:
        return None
    first, origin = choices[0], get_origin(choices[0])
    if origin is Literal:
        return get_args(first)[0]
    if origin is list:
        return []
    if (origin or first) is ListObject:
        return {"object": "list", "data": [], "has_more": False, "url": ""}
    if (origin or first) is UntypedStripeObject or origin is dict:
        return {}
    if isinstance(first, type) and issubclass(first, StripeObject):
        return blank(first)
    return {str: "", int: 0, float: 0.0, bool: False, Decimal: "0"}.get(first)


def problems(value: Any, path: str = "") -> list[str]:
    """List where an answer departs from the SDK's class for its ``object``."""
    if isinstance(value, dict) and value.get("object") == "list":
        wrong = [f"{path}: no list"] if set(value) - {"object", "data", "has_more", "url"} else []
        return wrong + [p for i, one in enumerate(value["data"]) for p in problems(one, f"{path}[{i}]")]
    kind = value.get("object") if isinstance(value, dict) else None
    cls = class_of(kind) if isinstance(kind, str) else None
    if cls is None:
        return [f"{path}: no known object {kind!r}"]
    return _record(value, cls, path or str(kind))


def _record(value: dict[str, Any], cls: type, path: str) -> list[str]:
    fields = fields_of(cls)
    wrong = [f"{path}.{name}: the SDK has no such field" for name in value if name not in fields]
    if value.get("deleted") is True and set(value) <= {"id", "object", "deleted", "currency"}:
        return wrong
    for name, hint in fields.items():
        if name in value:
            wrong += _mismatch(value[name], hint, f"{path}.{name}")
        elif type(None) not in alternatives(hint):
            wrong.append(f"{path}.{name}: missing")
    return wrong


def _mismatch(value: Any, hint: Any, path: str) -> list[str]:
    tried: list[list[str]] = []
    for choice in alternatives(hint):
        found = _against(value, choice, path)
        if not found:
            return []
        tried.append(found)
    # The longest list belongs to the alternative that fitted best: a record whose parts were looked into.
    return max(tried, key=len) if isinstance(value, dict) else [f"{path}: {value!r} is no {hint}"]


def _against(value: Any, hint: Any, path: str) -> list[str]:
    origin = get_origin(hint) or hint
    wrong = [f"{path}: {value!r} is no {hint}"]
    if hint is Any or hint is None or hint is type(None):
        return [] if hint is Any or value is None else wrong
    if origin is Literal:
        return [] if value in get_args(hint) else wrong
    if origin is list:
        if not isinstance(value, list):
            return wrong
        return [p for i, one in enumerate(value) for p in _mismatch(one, get_args(hint)[0], f"{path}[{i}]")]
    if origin is ListObject:
        return problems(value, path) if isinstance(value, dict) and value.get("object") == "list" else wrong
    if origin in (UntypedStripeObject, dict):
        return [] if isinstance(value, dict) else wrong
    if isinstance(origin, type) and issubclass(origin, StripeObject):
        return _record(value, origin, path) if isinstance(value, dict) else wrong
    plain = {Decimal: (str,), float: (int, float), int: (int,)}.get(origin, (origin,))
    fits = isinstance(value, plain) and (origin is bool or not isinstance(value, bool))
    return [] if fits else wrong
