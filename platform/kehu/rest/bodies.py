"""Read what a program sent: JSON objects of bounded size, with each field of its declared type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from kehu.core.errors import InvalidInput, TooLarge
from kehu.core.i18n import _
from kehu.core.records.kinds import ADDRESS_PARTS
from kehu.core.records.types import RecordType
from kehu.rest.errors import BadRequest, UnsupportedMedia

LARGEST = 2 * 1024 * 1024
DEEPEST = 20
JSON_TYPES = frozenset({"application/json", "application/merge-patch+json"})

PARTS = {"emails": {"label", "address"}, "phones": {"label", "number"}, "addresses": set(ADDRESS_PARTS)}
"""Kind of a list -> the members of its objects."""


def read_object(*, optional: bool = False) -> dict[str, Any]:
    """Return the JSON object of the request's body.

    :param optional: no body means an empty object.
    :raises UnsupportedMedia: for another kind of content.
    :raises TooLarge: over 2 MB.
    :raises BadRequest: when it is no JSON object, is nested too deep or names a member twice.
    """
    if request.content_length is not None and request.content_length > LARGEST:
        raise TooLarge(_("A request may have 2 MB. Nothing was kept; send less at once."))
    request.max_content_length = LARGEST
    raw = request.get_data(cache=True)
    if optional and not raw:
        return {}
    if request.mimetype not in JSON_TYPES:
        raise UnsupportedMedia(_("Send JSON, with the header Content-Type: application/json."))
    found = _parse(raw)
    if not isinstance(found, dict):
        raise BadRequest(_("Send a JSON object: {…}."))
    _check_text(found)
    return found


def _parse(raw: bytes) -> Any:
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_members, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise BadRequest(_("The body is not UTF-8.")) from error
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise BadRequest(
            _("The body is no JSON: line %(line)s, column %(column)s.", line=error.lineno, column=error.colno)
        ) from error
    except ValueError as error:
        raise BadRequest(_("The body holds a number that is too long.")) from error
    if _depth(found) > DEEPEST:
        raise _too_deep()
    return found


def _too_deep() -> BadRequest:
    return BadRequest(_("The body is nested too deep."))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest(_("The body names a member twice."))
    return found


def _constant(name: str) -> Any:
    raise BadRequest(_("The body holds %(name)s, which is no JSON.", name=name))


def _depth(value: Any) -> int:
    level, deep = [value], 0
    while level:
        deep += 1
        if deep > DEEPEST:
            break
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
    return deep


def _check_text(values: Mapping[str, Any]) -> None:
    """Refuse halves of characters, which no database keeps, and name the field."""
    for key, value in values.items():
        try:
            json.dumps([key, value], ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            message = _("This holds half of a character (a lone surrogate). Send whole characters.")
            name = key.encode(errors="replace").decode()
            raise InvalidInput(message, fields={name: [message]}) from error


def load(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Read an object by a schema.

    :raises InvalidInput: names each field that is wrong.
    """
    try:
        return dict(schema.load(values))
    except ValidationError as error:
        fields = {key: [str(one) for one in texts] for key, texts in error.normalized_messages().items()}
        raise InvalidInput(_("Some fields need another value."), fields=fields) from error


def check_types(record_type: RecordType, values: Mapping[str, Any]) -> None:
    """Refuse values of another JSON type than the field's; forms and files may be lenient, programs are not.

    :raises InvalidInput: names each field that is wrong.
    """
    errors: dict[str, list[str]] = {}
    for key, value in values.items():
        spec = record_type.editable.get(key)
        if spec is not None and value is not None and (message := _wrong_type(spec.kind, value)):
            errors[key] = [message]
    if errors:
        raise InvalidInput(_("Some fields need another value."), fields=errors)


def _wrong_type(kind: str, value: Any) -> str:
    if kind == "number":
        return "" if isinstance(value, int) and not isinstance(value, bool) else _("Write a whole number.")
    if kind == "bool":
        return "" if isinstance(value, bool) else _("Write true or false.")
    if kind in ("decimal", "percent"):
        plain = isinstance(value, int | float | str) and not isinstance(value, bool)
        return "" if plain else _("Write a number.")
    if kind in ("tags", "choices"):
        return "" if isinstance(value, list) else _("Write a list here.")
    if kind in PARTS:
        return _wrong_parts(PARTS[kind], value)
    if kind == "money" and isinstance(value, int) and not isinstance(value, bool):
        return ""
    return "" if isinstance(value, str) else _("Write a text here.")


def _wrong_parts(known: set[str], value: Any) -> str:
    if not isinstance(value, list):
        return _("Write a list here.")
    for part in value:
        if not isinstance(part, dict):
            return _("Write objects with these members: %(names)s.", names=", ".join(sorted(known)))
        if unknown := set(part) - known:
            return _("There is no member “%(name)s”.", name=min(unknown)[:60])
    return ""
