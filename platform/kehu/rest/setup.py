"""Registers the REST resources of each feature, the OpenAPI document and its page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from flask import Flask
from flask_babel import force_locale
from flask_smorest import Api

from kehu.core.records.types import RecordType, added_fields, of_plugins, registered
from kehu.rest import docs, limits, openapi, operations
from kehu.rest.members import MEMBERS
from kehu.rest.resources import resource

READ_ONLY = frozenset({"pipelines", "members"})
RESOURCES = (
    "customers",
    "contacts",
    "deals",
    "pipelines",
    "stages",
    "products",
    "owned_items",
    "owned_item_terms",
    "households",
    "household_members",
    "relations",
    "resources",
    "bookings",
    "segments",
    "tickets",
    "queues",
    "activities",
    "calendars",
    "calendar_days",
    "webhooks",
    "members",
)
"""The record types that programs reach, in the order of the document."""


class RestApi(Api):
    """flask-smorest without its own errors: ours are problem documents, raised and answered in one place."""

    def _register_error_handlers(self) -> None:
        """Leave errors to `kehu.web.errors`."""

    def _register_responses(self) -> None:
        """Leave the usual answers out; `kehu.rest.operations` describes ours."""


def init_rest(app: Flask, features: Sequence[str]) -> None:
    """Register the generic resources, each feature's `api.blueprint`, the OpenAPI document and its page."""
    settings = app.extensions["kehu.settings"]
    app.config.update(API_TITLE="Kehu", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    limits.init_limits(app, settings.api_rate)
    api = RestApi(spec_kwargs=_spec(settings.base_url()))
    with app.app_context(), force_locale("en"):
        api.init_app(app)
        _components(api.spec)
        for name in RESOURCES:
            record_type = MEMBERS if name == "members" else registered().get(name)
            if record_type is not None:
                _resource(api, record_type)
        schemas: dict[str, list[str]] = {}
        for slug, record_type in of_plugins().values():
            schemas.setdefault(slug, []).extend(_resource(api, record_type))
        for feature in features:
            if find_spec(f"kehu.{feature}.api") is not None:
                api.register_blueprint(import_module(f"kehu.{feature}.api").blueprint)
        app.extensions["kehu.openapi"] = docs.Documents(api.spec, schemas, _added_properties())
    app.register_blueprint(docs.blueprint)


def _resource(api: Api, record_type: RecordType) -> list[str]:
    """Add a record type's resource and return the names of its schemas."""
    writable = record_type.name not in READ_ONLY
    schemas = openapi.schemas(record_type, writable=writable)
    for schema, body in schemas.items():
        api.spec.components.schema(schema, body)
    api.register_blueprint(resource(record_type, writable=writable))
    return list(schemas)


def _added_properties() -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """Return what the fields of plugins add to the schemas of the platform's records, by slug."""
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for name, added in added_fields().items():
        schema = openapi.type_name(registered()[name])
        for slug, (_heading, fields) in added.items():
            for place in (schema, f"{schema}Change", f"New{schema}"):
                found.setdefault(slug, []).extend(
                    (place, one.key, openapi.field_schema(one)) for one in fields
                )
    return found


def _spec(server: str) -> dict[str, Any]:
    return {
        "info": {
            "title": "Kehu",
            "version": "1.0",
            "description": openapi.INTRO,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
    }


def _components(spec: Any) -> None:
    spec.components.security_scheme(
        "token",
        {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of the firm, from Settings, API tokens.",
        },
    )
    spec.components.schema("Problem", openapi.PROBLEM)
    for name, body in operations.problem_responses().items():
        spec.components.response(name, body)
