"""Forms from fields: which control asks for a value, what it shows, and how its answer is read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.money import from_minor
from kehu.core.records.fields import Field
from kehu.core.records.kinds import ADDRESS_PARTS, plain_number
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType
from kehu.web.records.display import absent
from kehu.web.records.members import member_options
from kehu.web.records.titles import target_of, titles

MANY_MEMBERS = 200
CREATABLE = frozenset({"customers", "contacts"})
"""Types of which a look-up may make a new record from a name alone."""
NEW = "new:"
PRESENT = "__has."
"""Marks in a form that a check box or list belongs to it, although the browser sends nothing for an empty one."""

_INPUTS = {
    "text": "text",
    "number": "text",
    "decimal": "text",
    "percent": "text",
    "date": "date",
    "datetime": "datetime-local",
    "email": "email",
    "phone": "tel",
    "link": "text",
}
ROWS = {"emails": ("address",), "phones": ("number",), "addresses": ADDRESS_PARTS[1:]}
_LABELLED = frozenset({"emails", "phones", "addresses"})


def control(
    field: Field,
    value: Any,
    *,
    currency: str = "",
    names: Mapping[uuid.UUID, str] | None = None,
    error: str = "",
    focus: bool = False,
    raw: Any = None,
    spare: int = 1,
) -> dict[str, Any]:
    """Return what `records/_control.html` draws for a field.

    :param raw: what was typed before, shown again instead of the value.
    :param spare: empty rows after those of a list.
    """
    attrs: dict[str, Any] = {"autofocus": True} if focus else {}
    spec: dict[str, Any] = {
        "name": field.key,
        "label": str(field.label),
        "kind": field.kind,
        "required": field.required,
        "error": error,
        "help": str(field.help or ""),
        "value": raw if raw is not None else written(field, value, currency),
        "attrs": attrs,
        "hint": url_for(field.hint) if field.hint else "",
    }
    if field.kind in ROWS:
        rows = raw if isinstance(raw, list) else list(value or [])
        spec.update(type="rows", rows=[*rows, *[{} for _each in range(spare)]], parts=_parts(field.kind))
    elif field.kind == "choice":
        spec.update(type="select", options=[(one.value, str(one.label)) for one in field.choices()])
    elif field.kind == "choices":
        chosen = list(raw) if isinstance(raw, list) else list(value or ())
        spec.update(
            type="checks", value=chosen, options=[(one.value, str(one.label)) for one in field.choices()]
        )
    elif field.kind == "member" and len(member_options(MANY_MEMBERS + 1)) <= MANY_MEMBERS:
        spec.update(type="select", options=_people(spec["value"], names), empty=_("Nobody"))
    elif field.kind in ("member", "ref"):
        spec.update(
            type="lookup",
            url=f"/lookup/{target_of(field)}",
            text=_pointer_text(spec["value"], names) or (absent(field) if spec["value"] else ""),
        )
        spec["url"] += "?create=1" if target_of(field) in CREATABLE else ""
    elif field.kind == "bool":
        spec.update(type="checkbox", value=bool(value) if raw is None else raw in ("1", "on", True))
    elif field.kind == "long_text":
        spec.update(type="textarea")
    elif field.kind == "money":
        spec.update(type="money", currency=currency)
    else:
        spec.update(type=_INPUTS.get(field.kind, "text"))
        if field.kind in ("number", "decimal", "percent"):
            attrs["inputmode"] = "numeric" if field.kind == "number" else "decimal"
        if field.kind == "tags":
            spec["help"] = spec["help"] or _("Separate tags by commas.")
    return spec


def _people(value: str, names: Mapping[uuid.UUID, str] | None) -> list[tuple[str, str]]:
    options = [(str(one), name) for one, name in member_options(MANY_MEMBERS + 1)]
    if value and all(value != one for one, _name in options):
        options.append((value, _pointer_text(value, names) or _("Former member")))
    return options


def _pointer_text(value: Any, names: Mapping[uuid.UUID, str] | None) -> str:
    if isinstance(value, str) and value.startswith(NEW):
        return value.removeprefix(NEW)
    found = parse_id(value)
    return (names or {}).get(found, "") if found else ""


def _parts(kind: str) -> list[tuple[str, str, str]]:
    labels = {
        "address": (_("E-mail address"), "email"),
        "number": (_("Phone number"), "tel"),
        "street": (_("Street"), "text"),
        "postcode": (_("Postcode"), "text"),
        "city": (_("City"), "text"),
        "region": (_("Region"), "text"),
        "country": (_("Country"), "text"),
    }
    return [(name, *labels[name]) for name in ROWS[kind]]


def written(field: Field, value: Any, currency: str) -> Any:
    """Return a value as its control holds it."""
    if value is None:
        return ""
    if field.kind == "money":
        return str(from_minor(value, currency)) if currency else str(value)
    if field.kind == "datetime" and isinstance(value, dt.datetime):
        return value.astimezone(context.tenant().tz).strftime("%Y-%m-%dT%H:%M")
    if field.kind == "date" and isinstance(value, dt.date):
        return value.isoformat()
    if field.kind == "tags":
        return ", ".join(value)
    if field.kind in ("decimal", "percent"):
        return plain_number(value)
    if field.kind in ("bool", "long_text", "choices") or field.kind in ROWS:
        return value
    return str(value)


def names_of(record_type: RecordType, values: Mapping[str, Any]) -> dict[uuid.UUID, str]:
    """Return the names of the records that values point at."""
    wanted: dict[str, list[uuid.UUID]] = {}
    for key, value in values.items():
        spec = record_type.by_key.get(key)
        if spec is not None and spec.kind in ("member", "ref") and (found := parse_id(value)):
            wanted.setdefault(target_of(spec), []).append(found)
    return titles(db.session(), wanted) if wanted else {}


def read(fields: Sequence[Field], form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what a form holds for some fields; fields that it does not have are left out."""
    found: dict[str, Any] = {}
    for field in fields:
        if field.kind in ROWS:
            if f"{PRESENT}{field.key}" in form:
                found[field.key] = _rows(field, form)
        elif field.kind == "choices":
            if f"{PRESENT}{field.key}" in form:
                found[field.key] = form.getlist(field.key)
        elif field.kind == "bool":
            if f"{PRESENT}{field.key}" in form:
                found[field.key] = form.get(field.key, "0")
        elif field.key in form:
            found[field.key] = form[field.key]
    return found


def _rows(field: Field, form: MultiDict[str, str]) -> list[dict[str, str]]:
    names = [*(("label",) if field.kind in _LABELLED else ()), *ROWS[field.kind]]
    columns = {name: form.getlist(f"{field.key}.{name}") for name in names}
    count = max((len(values) for values in columns.values()), default=0)
    rows = [
        {name: values[at] if at < len(values) else "" for name, values in columns.items()}
        for at in range(count)
    ]
    return [row for row in rows if any(row[name].strip() for name in ROWS[field.kind])]


def resolve_new(session: Session, type_name: str, raw: str) -> str:
    """Return an id for the value of a look-up; `new:<name>` makes the record first.

    :raises InvalidInput: when the name can't be used.
    """
    if not raw.startswith(NEW):
        return raw
    if type_name not in CREATABLE:
        raise InvalidInput(_("Choose one from the list."))
    made = service_for(type_name, session).create({"name": raw.removeprefix(NEW)})
    return str(made.id)


def resolve_all(session: Session, record_type: RecordType, values: dict[str, Any]) -> dict[str, Any]:
    """Make the records that look-ups named as new.

    :raises InvalidInput: names the field.
    """
    for key, value in values.items():
        spec = record_type.by_key.get(key)
        if spec is None or spec.kind != "ref" or not isinstance(value, str) or not value.startswith(NEW):
            continue
        try:
            values[key] = resolve_new(session, spec.ref, value)
        except InvalidInput as error:
            texts = [text for one in error.fields.values() for text in one] or [str(error.message)]
            raise InvalidInput(str(error.message), fields={key: texts}) from error
    return values
