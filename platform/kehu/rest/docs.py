"""The OpenAPI document, and a page that shows it without any foreign script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app
from markupsafe import Markup, escape

from kehu.core import context, hooks, shape
from kehu.core.context import Actor
from kehu.core.records import rights
from kehu.core.records.types import registered
from kehu.rest.openapi import PROBLEMS, field_schema, schemas, type_name
from kehu.rest.operations import filter_parameters, list_parameters
from kehu.web.access import public
from kehu.web.render import render_page
from plugins.path_guard import plugin_of_path

blueprint = Blueprint("rest", __name__, url_prefix="/api/v1")

MOST_KEPT = 20
"""Documents of so many different firms are kept in a process."""

METHODS = ("get", "post", "patch", "delete")


@dataclass(frozen=True, kw_only=True)
class Document:
    """The document as JSON text, and as the page shows it."""

    text: str
    spec: dict[str, Any]
    groups: list[dict[str, Any]]


class Documents:
    """The document as each tenant sees it: with the records of the plugins that it has on.

    :param schemas: slug of a plugin -> the names of the schemas of its records.
    :param fields: slug -> (name of a schema of the platform, name of a property, the property) that it adds.
    """

    def __init__(
        self,
        spec: Any,
        schemas: Mapping[str, Sequence[str]],
        fields: Mapping[str, Sequence[tuple[str, str, dict[str, Any]]]],
    ) -> None:
        self._whole = json.loads(json.dumps(spec.to_dict(), default=str))
        self._schemas = {**dict.fromkeys(fields, ()), **schemas}
        self._fields = fields
        self._kept: dict[tuple[frozenset[str], str, str | None], Document] = {}

    def now(self) -> Document:
        """Return the document for the present tenant; a stranger sees the platform's part."""
        if context.current().actor is None:
            with context.use(actor=Actor(kind="api")):  # A stranger reads of no field that has rights.
                return self.now()
        on = hooks.enabled().intersection(self._schemas)
        key = on, shape.present(), rights.whose()
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = document(_cut(_with_own(self._without(self._schemas.keys() - on))))
        return self._kept[key]

    @property
    def varies(self) -> bool:
        """Whether tenants see different documents."""
        return bool(self._schemas) or bool(shape.present())

    def _without(self, slugs: Set[str]) -> dict[str, Any]:
        found: dict[str, Any] = deepcopy(self._whole)
        gone = {name for slug in slugs for name in self._schemas[slug]}
        found["paths"] = {
            path: item for path, item in found["paths"].items() if plugin_of_path(path) not in slugs
        }
        schemas = found["components"]["schemas"]
        found["components"]["schemas"] = {name: one for name, one in schemas.items() if name not in gone}
        for slug in self._fields.keys() - slugs:
            for name, key, property_ in self._fields[slug]:
                found["components"]["schemas"][name]["properties"][key] = property_
        if "tags" in found:
            used = {
                tag
                for item in found["paths"].values()
                for method in METHODS
                for tag in item.get(method, {}).get("tags", ())
            }
            found["tags"] = [tag for tag in found["tags"] if tag["name"] in used]
        return found


def _with_own(found: dict[str, Any]) -> dict[str, Any]:
    """Add the fields that the present firm made itself to the schemas of its records, and as filters to its lists."""
    schemas = found["components"]["schemas"]
    for record_type in registered().values():
        mine = [one for one in record_type.fields if one.own is not None]
        name = type_name(record_type)
        for place in (name, f"{name}Change", f"New{name}") if mine else ():
            if place in schemas:
                schemas[place]["properties"].update({one.key: field_schema(one) for one in mine})
        listed = found["paths"].get(f"/api/v1{record_type.list_path}", {}).get("get") if mine else None
        if listed is not None:
            listed.setdefault("parameters", []).extend(filter_parameters(mine))
    return found


def _cut(found: dict[str, Any]) -> dict[str, Any]:
    """Take out the fields that the reader's role does not see, and those that it may not set out of what is sent."""
    kept = found["components"]["schemas"]
    for record_type in registered().values():
        gone, path = rights.hidden(record_type.name), f"/api/v1{record_type.list_path}"
        if not gone and not rights.closed(record_type):
            continue
        now = schemas(record_type, writable=True)
        kept.update({name: one for name, one in now.items() if name in kept and not name.endswith("Page")})
        for at, item in found["paths"].items():
            if at == path or at.startswith(f"{path}/"):
                _without_keys(item, gone)
        if "get" in found["paths"].get(path, {}):
            found["paths"][path]["get"]["parameters"] = list_parameters(record_type)
    return found


def _without_keys(value: Any, gone: Set[str]) -> None:
    """Take keys out of all examples within a part of the document."""
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _without_keys(inner, gone)
    if isinstance(value, dict):
        for key in gone & value.keys():
            del value[key]


def document(found: dict[str, Any]) -> Document:
    """Return the finished document of the API."""
    for item in found["paths"].values():
        for method in METHODS:
            # flask-smorest points at an answer of its own kind; ours are problem documents, named one by one.
            item.get(method, {}).get("responses", {}).pop("default", None)
    return Document(text=json.dumps(found, ensure_ascii=False), spec=found, groups=_groups(found))


def _groups(spec: dict[str, Any]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in spec["paths"].items():
        shared = item.get("parameters", [])
        for method in METHODS:
            if method in item:
                operation = item[method]
                parameters = [
                    {"description": "", **one} for one in (*shared, *operation.get("parameters", []))
                ]
                shown = {
                    "description": "",
                    **operation,
                    "method": method.upper(),
                    "path": path,
                    "parameters": parameters,
                }
                shown["request"] = _example(operation.get("requestBody", {}))
                shown["answers"] = _answers(operation)
                groups.setdefault(operation["tags"][0], []).append(shown)
    return [{"name": name, "operations": operations} for name, operations in groups.items()]


def _example(body: dict[str, Any]) -> str:
    shown = body.get("content", {}).get("application/json", {}).get("example")
    return json.dumps(shown, ensure_ascii=False, indent=2) if shown is not None else ""


def _answers(operation: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"status": status, "words": answer.get("description", ""), "example": _example(answer)}
        for status, answer in sorted(operation["responses"].items())
        if status.startswith("2")
    ]


def marked(text: str) -> Markup:
    """Return our own words with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def paragraphs(text: str) -> list[list[Markup]]:
    """Return a description as paragraphs (one item) and lists (several)."""
    found = []
    for part in text.split("\n\n"):
        items = ("\n" + part).split("\n* ")
        found.append([marked(item) for item in (items[1:] if len(items) > 1 else [part])])
    return found


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """Answer the OpenAPI document."""
    found: Documents = current_app.extensions["kehu.openapi"]
    response = Response(found.now().text, mimetype="application/json")
    response.headers["Cache-Control"] = f"{'private' if found.varies else 'public'}, max-age=300"
    return response


@blueprint.get("/docs")
@public
def page() -> Response:
    """Show the document."""
    documents: Documents = current_app.extensions["kehu.openapi"]
    found = documents.now()
    return render_page(
        "rest/docs.html",
        spec=found.spec,
        intro=paragraphs(found.spec["info"]["description"]),
        marked=marked,
        groups=found.groups,
        problems=PROBLEMS,
    )
