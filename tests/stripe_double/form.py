"""Requests arrive as forms with brackets and are held to the SDK's parameter types.

https://docs.stripe.com/api (form-encoded requests); https://docs.stripe.com/error-codes#parameter-unknown.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl

from stripe._stripe_object import UntypedStripeObject

from tests.stripe_double import sdk
from tests.stripe_double.errors import Refusal, invalid, unknown_parameter

_PART = re.compile(r"\[([^\]]*)\]")


def decode(body: str) -> dict[str, Any]:
    """Turn ``items[0][price]=x&expand[]=y`` into nested plain data."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        head = name.split("[", 1)[0]
        keys = [head, *_PART.findall(name[len(head) :])]
        here = tree
        for part, following in zip(keys, [*keys[1:], None], strict=True):
            key = part or str(len(here))
            if following is None:
                here[key] = value
            else:
                nested = here.setdefault(key, {})
                if not isinstance(nested, dict):
                    raise invalid(f"Invalid {name}", name)
                here = nested
    return tree


def typed(tree: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Hold decoded data to a request's parameters and give the values their types."""
    return _record(tree, sdk.parameters_of(kind), "")


def _record(tree: dict[str, Any], hints: dict[str, Any], path: str) -> dict[str, Any]:
    done = {}
    for name, value in tree.items():
        full = f"{path}[{name}]" if path else name
        if name not in hints:
            raise unknown_parameter(full)
        done[name] = _value(value, hints[name], full)
    return done


def _value(value: Any, hint: Any, path: str) -> Any:
    choices = sdk.alternatives(hint)
    refusals: list[Refusal] = []
    for choice in choices:
        try:
            return _one(value, choice, path)
        except Refusal as refusal:
            refusals.append(refusal)
    if value == "":
        message = f"You passed an empty string for '{path}'. "
        message += "We assume empty values are an attempt to unset a parameter."
        raise invalid(message, path, "parameter_invalid_empty")
    raise next((r for r in refusals if r.error.get("code") == "parameter_unknown"), refusals[-1])


def _one(value: Any, hint: Any, path: str) -> Any:
    origin = get_origin(hint) or hint
    if origin is Literal:
        if value not in get_args(hint):
            raise invalid(f"Invalid {path}: must be one of {', '.join(map(str, get_args(hint)))}", path)
        return value
    if origin is list:
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise invalid(f"Invalid array: {path}", path)
        ordered = [value[key] for key in sorted(value, key=int)]
        return [_value(one, get_args(hint)[0], f"{path}[{i}]") for i, one in enumerate(ordered)]
    if origin in (UntypedStripeObject, dict):
        if not isinstance(value, dict):
            raise invalid(f"Invalid hash: {path}", path)
        inner = get_args(hint)[-1] if get_args(hint) else str
        return {key: _value(one, inner, f"{path}[{key}]") for key, one in value.items()}
    if hasattr(hint, "__total__"):
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {path}", path)
        return _record(value, sdk.parameters_of(hint), path)
    return _scalar(value, hint, path)


def _scalar(value: Any, hint: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {path}", path)
    if hint is bool:
        if value not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", path)
        return value == "true"
    if hint is int:
        if not re.fullmatch(r"-?\d+", value):
            raise invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer")
        return int(value)
    if hint in (float, Decimal):
        try:
            return hint(value)
        except (ValueError, InvalidOperation) as error:
            raise invalid(f"Invalid decimal: {value}", path) from error
    if value == "" and hint is str:
        raise invalid(f"Invalid string: {path}", path, "parameter_invalid_empty")
    return value
