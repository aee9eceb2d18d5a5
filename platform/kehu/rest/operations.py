"""The words and examples of each operation of a resource, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS
from kehu.core.records.types import RecordType, key_of
from kehu.rest.openapi import PROBLEMS, example, input_example, record_example, type_name

Doc = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

IF_MATCH: Doc = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the version that is changed, or `*`.",
    "schema": {"type": "string"},
    "example": '"1"',
}
IDEMPOTENCY: Doc = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 200 visible ASCII characters; a repeated request gets the first answer again.",
    "schema": {"type": "string", "maxLength": 200},
    "example": "order-4711",
}
ETAG: Doc = {"ETag": {"description": "The record's version.", "schema": {"type": "string"}}}


def content(name: str, example: Any) -> Doc:
    """Return a JSON body by the name of its schema, with an example."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"application/json": {"schema": schema, "example": example}}


def document_view(**doc: Any) -> Callable[[F], F]:
    """Add an operation's documentation to a view, without a wrapper around each call."""

    def decorate(view: F) -> F:
        view._apidoc = {"manual_doc": doc}  # type: ignore[attr-defined]
        return view

    return decorate


def problems(*statuses: int) -> Doc:
    """Return the refusals of an operation, those of every operation included."""
    wanted = sorted({401, 403, 429, 503, *statuses})
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in wanted}


def problem_responses() -> dict[str, Doc]:
    """Return the refusals as components."""
    return {
        f"Problem{status}": {
            "description": words,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, (_code, words) in PROBLEMS.items()
    }


def words_of(name: str) -> str:
    """Return the name of a record type in words: a plugin's without the plugin."""
    return name.rpartition(".")[2]


def describe(record_type: RecordType, action: str) -> Doc:
    """Return the documentation of one operation of a record type."""
    singular, name = key_of(record_type.singular), type_name(record_type)
    thing, things = words_of(record_type.singular), words_of(record_type.name)
    record = record_example(record_type)
    one = {"content": content(name, record), "headers": ETAG}
    if action == "list":
        page = content(f"{name}Page", {"data": [record], "next": None})
        return {
            "operationId": f"list_{record_type.key}",
            "summary": f"List {things}",
            "description": "Answers one page, within the scope of the token. Unknown filters are refused.",
            "parameters": list_parameters(record_type),
            "responses": {"200": {"description": "One page.", "content": page}, **problems(422)},
        }
    if action == "create":
        return {
            "operationId": f"create_{singular}",
            "summary": f"Create a {thing}",
            "parameters": [IDEMPOTENCY],
            "requestBody": {"required": True, "content": content(f"New{name}", input_example(record_type))},
            "responses": {
                "201": {
                    **one,
                    "description": "Created.",
                    "headers": {
                        **ETAG,
                        "Location": {"schema": {"type": "string"}, "description": "Its address."},
                    },
                },
                **problems(400, 409, 413, 415, 422),
            },
        }
    if action == "get":
        return {
            "operationId": f"get_{singular}",
            "summary": f"Read a {thing}",
            "responses": {"200": {**one, "description": "The record."}, **problems(404)},
        }
    if action == "update":
        return {
            "operationId": f"update_{singular}",
            "summary": f"Change a {thing}",
            "description": "Only the fields that are sent change; null empties a field.",
            "parameters": [IF_MATCH],
            "requestBody": {
                "required": True,
                "content": content(f"{name}Change", input_example(record_type, change=True)),
            },
            "responses": {
                "200": {**one, "description": "The record as it is now."},
                **problems(400, 404, 409, 412, 413, 415, 422, 428),
            },
        }
    if action == "trash":
        return {
            "operationId": f"trash_{singular}",
            "summary": f"Put a {thing} into the trash",
            "description": "It can be restored. With If-Match, only that version is put there.",
            "parameters": [{**IF_MATCH, "required": False}],
            "responses": {"204": {"description": "It is in the trash."}, **problems(400, 404, 409, 412)},
        }
    return {
        "operationId": f"restore_{singular}",
        "summary": f"Take a {thing} out of the trash",
        "parameters": [IDEMPOTENCY],
        "responses": {"200": {**one, "description": "The record as it is now."}, **problems(400, 404, 409)},
    }


def list_parameters(record_type: RecordType) -> list[Doc]:
    """Return the query words of a list: paging, sort, and each filter with its operators."""
    sorts = [one.key for one in record_type.fields if one.sortable]
    found: list[Doc] = [
        _query("after", "The `next` of the page before.", {"type": "string"}),
        _query(
            "limit",
            "How many, at most 200.",
            {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
            50,
        ),
        _query(
            "fields",
            "Only these fields, by comma.",
            {"type": "string"},
            ",".join(f.key for f in record_type.fields[:2]),
        ),
    ]
    if sorts:
        words = f"One of {', '.join(sorts)}; with a minus in front the other way round."
        found.append(_query("sort", words, {"type": "string"}, f"-{sorts[-1]}"))
    if record_type.searchable:
        found.append(
            _query("q", "Words to search for, each from its beginning.", {"type": "string"}, "north")
        )
    told = (
        "A filter with groups and related records: `status:open,or(amount.gte:1000,owner_id:me)`; "
        "see [Filters](../filters.md)."
    )
    found.append(_query("where", told, {"type": "string"}, "or(q:north,q:south)"))
    return found + filter_parameters(record_type.fields)


def filter_parameters(fields: Sequence[Field]) -> list[Doc]:
    """Return the query words of filters by fields."""
    found: list[Doc] = []
    for field in fields:
        if field.filterable:
            operators = [one for one in KINDS[field.kind].filters if one not in ("eq", "in")]
            more = ", ".join(f"`{field.key}.{one}`" for one in operators)
            words = f"Only those with this value{_several(field.kind)}." + (f" Also {more}." if more else "")
            shown = "VIP" if field.kind == "tags" else example(field)
            found.append(_query(field.key, words, {"type": "string"}, str(shown)))
    return found


def _several(kind: str) -> str:
    return {
        "choice": ", or one of several by comma",
        "ref": ", or one of several by comma",
        "member": "; `me` is the token's",
    }.get(kind, "")


def _query(name: str, words: str, schema: Doc, shown: Any = None) -> Doc:
    found: Doc = {"name": name, "in": "query", "description": words, "schema": schema}
    if shown is not None:
        found["example"] = shown
    return found
