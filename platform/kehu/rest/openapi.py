"""The parts of the OpenAPI 3.1 document that come from the declarations of record types."""

from __future__ import annotations

from typing import Any

from kehu.core.records.fields import Field
from kehu.core.records.kinds import ADDRESS_PARTS, KINDS
from kehu.core.records.types import RecordType
from kehu.rest.dump import shows_currency

ID = "019b2f0e-7c1a-7d3e-9a55-3f0c2b1d4e6f"
OTHER_ID = "019b2f0e-8a40-7b6c-8d21-64f5a9c01b7e"
MOMENT = "2026-11-22T09:30:00Z"

Schema = dict[str, Any]

INTRO = """Read and write the records of one firm. Every call needs a token (Settings, API tokens) in the header
`Authorization: Bearer kehu_…`; it acts as its member, within the scopes that it was given.

* Amounts are texts in major units with a currency beside them; moments are UTC; identifiers are UUIDs.
* A change names the version that it is about: `If-Match` holds the `ETag` that was read. An older one is answered with
  412, which says who changed what since.
* A POST with an `Idempotency-Key` is done once: repeated within a day, it gets the first answer again.
* Lists have pages: while `next` is not null, ask again with `after=<next>`.
* Refusals are problem documents (RFC 9457, `application/problem+json`); `errors` names each field."""

PROBLEM: Schema = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; meant for programs."},
        "detail": {"type": "string", "description": "What happened and what to do, for people."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Messages by the field that is meant.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "examples": [
        {
            "type": "/api/v1/docs#problem-invalid-input",
            "title": "Some fields need another value",
            "status": 422,
            "code": "invalid_input",
            "detail": "Some fields need another value.",
            "request_id": "019b2f0e7c1a7d3e9a553f0c2b1d4e6f",
            "errors": {"name": ["Name is needed."]},
        }
    ],
}

PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("bad-request", "The request can't be read."),
    401: ("sign-in-needed", "The token is missing, unknown, revoked or out of date."),
    403: ("forbidden", "The token's member or scopes do not hold the permission."),
    404: ("not-found", "There is no such record, it is in the trash, or it may not be seen."),
    405: ("method-not-allowed", "This address does not take that method; `Allow` names those that it takes."),
    409: ("conflict", "The state of the record does not allow this."),
    412: ("stale-version", "Somebody changed the record since; `conflicts` holds both values of each field."),
    413: ("too-large", "The body has more than 2 MB."),
    415: ("unsupported-media-type", "The body is no JSON."),
    422: ("invalid-input", "A field, filter or key can't be used; `errors` names it."),
    428: ("precondition-required", "The change does not say which version it is about: send If-Match."),
    429: ("too-many", "The token asked too often; `Retry-After` says how many seconds to wait."),
    503: ("unavailable", "The database does not answer, or others hold the same record; try again."),
}


def type_name(record_type: RecordType) -> str:
    """Return the name of a record type's schema."""
    return record_type.singular.title().replace("_", "").replace(".", "")


def _listed(field: Field) -> Schema:
    kind = field.kind
    if kind == "tags":
        return {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 50}
    if kind == "choices":
        return {"type": "array", "items": {"type": "string", "enum": [one.value for one in field.choices()]}}
    if kind in ("options", "steps"):
        return {"type": "array", "items": {"type": "object"}}
    names = {"emails": ("label", "address"), "phones": ("label", "number"), "addresses": ADDRESS_PARTS}[kind]
    properties = {name: {"type": "string"} for name in names}
    return {"type": "array", "maxItems": 50, "items": {"type": "object", "properties": properties}}


def field_schema(field: Field) -> Schema:
    """Return the JSON schema of a field."""
    kind = KINDS[field.kind]
    if kind.json_type == "array":
        found = _listed(field)
    elif field.kind in ("money", "decimal", "percent"):
        found = {"type": ["string", "null"], "pattern": r"^-?\d+(\.\d+)?$"}
    elif field.kind == "bool":
        found = {"type": "boolean"}
    else:
        found = {"type": kind.json_type if field.required else [kind.json_type, "null"]}
        if kind.json_format:
            found["format"] = kind.json_format
        if field.kind == "choice":
            values: list[Any] = [option.value for option in field.choices()]
            found["enum"] = values if field.required else [*values, None]
        if field.kind in ("text", "long_text"):
            found["maxLength"] = field.max_length if field.kind == "text" else max(field.max_length, 20_000)
        for name, bound in (("minimum", field.minimum), ("maximum", field.maximum)):
            if bound is not None and field.kind == "number":
                found[name] = bound
    words = [str(field.label) + (f" (id of one of the {field.ref})" if field.ref else "")]
    if field.kind == "member":
        words = [f"{field.label} (id of one of the members)"]
    if field.help:
        words.append(str(field.help))
    found["description"] = ". ".join(word.rstrip(".") for word in words) + "."
    found["examples"] = [example(field)]
    if field.readonly:
        found["readOnly"] = True
    return found


_EXAMPLES: dict[str, Any] = {
    "text": "Text",
    "long_text": "Delivery only on weekdays.",
    "number": 12,
    "decimal": "12.75",
    "percent": "19",
    "money": "1234.50",
    "date": "2026-11-22",
    "datetime": MOMENT,
    "bool": True,
    "email": "anna@example.com",
    "phone": "+442079464410",
    "link": "https://example.com",
    "hours": "09:00–12:30, 13:30–18:00",
    "emails": [{"label": "work", "address": "anna@example.com"}],
    "phones": [{"label": "work", "number": "+442079464410"}],
    "addresses": [
        {"label": "", "street": "4 Quay Street", "postcode": "BS1 4DJ", "city": "Bristol", "country": "GB"}
    ],
    "tags": ["VIP"],
    "member": OTHER_ID,
    "ref": OTHER_ID,
    "options": [{"label": "Yes"}],
    "steps": [{"do": "wait", "days": 1}],
}


def example(field: Field) -> Any:
    """Return a believable value of a field."""
    if field.example is not None:
        return field.example
    if field.kind == "choices":
        return [one.value for one in field.choices()[:1]]
    if field.kind == "choice":
        return (
            field.default
            if isinstance(field.default, str)
            else next((one.value for one in field.choices()), None)
        )
    return _EXAMPLES[field.kind]


def record_example(record_type: RecordType) -> dict[str, Any]:
    """Return a believable record."""
    found = {"id": ID, "version": 1, **{one.key: example(one) for one in record_type.fields}}
    if shows_currency(record_type, record_type.fields):
        found["currency"] = "EUR"
    return found


def input_example(record_type: RecordType, *, change: bool = False) -> dict[str, Any]:
    """Return a believable body: what a new record asks for, or one change."""
    fields = list(record_type.editable.values())
    if change:
        return {fields[0].key: example(fields[0])}
    return {one.key: example(one) for one in fields if one.quick or one.required}


def schemas(record_type: RecordType, *, writable: bool) -> dict[str, Schema]:
    """Return the component schemas of a record type."""
    name = type_name(record_type)
    properties: dict[str, Schema] = {
        "id": {"type": "string", "format": "uuid", "readOnly": True},
        "version": {"type": "integer", "readOnly": True, "description": "Counts changes; also the ETag."},
        **{one.key: field_schema(one) for one in record_type.fields},
    }
    if shows_currency(record_type, record_type.fields):
        properties["currency"] = {
            "type": "string",
            "readOnly": True,
            "description": "ISO 4217 code of the amounts.",
        }
    found: dict[str, Schema] = {
        name: {"type": "object", "properties": properties, "required": ["id", "version"]},
        f"{name}Page": {
            "type": "object",
            "required": ["data", "next"],
            "properties": {
                "data": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
                "next": {
                    "type": ["string", "null"],
                    "description": "Send it as `after` to get the next page.",
                },
            },
        },
    }
    if writable:
        given = {key: field_schema(one) for key, one in record_type.editable.items()}
        needed = [key for key, one in record_type.editable.items() if one.required and one.default is None]
        change: Schema = {"type": "object", "additionalProperties": False, "properties": given}
        found[f"{name}Change"] = {**change, "description": "Only what changes; null empties a field."}
        found[f"New{name}"] = {**change, "required": needed} if needed else change
    return found
