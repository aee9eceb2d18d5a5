"""REST: what people agreed to."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from kehu.consent.models import Consent
from kehu.consent.services import ConsentService
from kehu.consent.words import CHANNELS, CONSENTED, HOWS, STATES
from kehu.core import db
from kehu.rest.access import token_needs
from kehu.rest.bodies import load, read_object
from kehu.rest.dump import json_answer
from kehu.rest.idempotency import idempotent
from kehu.rest.openapi import ID, MOMENT
from kehu.rest.operations import IDEMPOTENCY, document_view, problems
from kehu.rest.resources import PREFIX, query_args, unknown_word
from kehu.rest.schemas import StrictSchema

blueprint = Blueprint("api_consents", __name__, url_prefix=PREFIX)

EXAMPLE = {
    "id": ID,
    "channel": "mail",
    "purpose": "marketing",
    "state": "given",
    "how": "form",
    "said_at": MOMENT,
    "source_text": "Yes, send me your news by e-mail.",
    "proof": "Form 4711",
    "address": "anna@example.com",
    "recorded_at": MOMENT,
    "actor_name": "Mira Sol",
}


class NewConsentSchema(StrictSchema):
    """What a person said."""

    channel = fields.String(required=True, validate=validate.OneOf(tuple(CHANNELS)))
    purpose = fields.String(required=True, validate=validate.OneOf(CONSENTED))
    state = fields.String(required=True, validate=validate.OneOf(("given", "withdrawn")))
    how = fields.String(
        load_default="api", validate=validate.OneOf(("api", "form", "web", "phone", "person", "mail"))
    )
    said_at = fields.AwareDateTime(
        load_default=None, allow_none=True, metadata={"description": "Now, if left out."}
    )
    source_text = fields.String(
        load_default="",
        validate=validate.Length(max=2000),
        metadata={"description": "What the person agreed to, word for word."},
    )
    proof = fields.String(load_default="", validate=validate.Length(max=2000))


class ConsentSchema(Schema):
    """One entry of the history; entries are never changed."""

    id = fields.UUID()
    channel = fields.String(metadata={"enum": list(CHANNELS)})
    purpose = fields.String(metadata={"enum": list(CONSENTED)})
    state = fields.String(metadata={"enum": list(STATES)})
    how = fields.String(metadata={"enum": list(HOWS)})
    said_at = fields.AwareDateTime(format="iso")
    source_text = fields.String(allow_none=True)
    proof = fields.String(allow_none=True)
    address = fields.String(allow_none=True)
    recorded_at = fields.AwareDateTime(format="iso")
    actor_name = fields.String()


class ConsentListSchema(Schema):
    """The history of one person, the latest first."""

    data = fields.List(fields.Nested(ConsentSchema))


def _dump(consent: Consent) -> Any:
    found: Any = ConsentSchema().dump(consent)
    for key in ("said_at", "recorded_at"):
        found[key] = found[key].replace("+00:00", "Z")
    return found


def _answer(words: str, schema: Any, example: Any) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema, "example": example}}}


def _history(object_name: str, record_id: str) -> Response:
    for name in query_args():
        raise unknown_word(name)
    service = ConsentService(db.session())
    found = service.history(service.person(object_name, record_id))
    return json_answer({"data": [_dump(one) for one in found]})


def _record(object_name: str, record_id: str) -> Response:
    given = load(NewConsentSchema(), read_object())
    service = ConsentService(db.session())
    service.record(object_name, record_id, **given)
    db.session().flush()  # The answer shows what the database holds.
    return json_answer(_dump(service.history(service.person(object_name, record_id))[0]), 201)


def _add(object_name: str, singular: str) -> None:
    """Add the two operations for customers or contacts."""
    read = token_needs(f"{object_name}:read")(lambda record_id: _history(object_name, record_id))
    write = token_needs(f"{object_name}:write")(idempotent(lambda record_id: _record(object_name, record_id)))
    read.__name__, write.__name__ = f"list_{singular}_consents", f"create_{singular}_consent"
    document_view(
        operationId=read.__name__,
        summary=f"Read what a {singular} agreed to",
        description="The latest 50 entries of the history. What holds now is the latest of each channel and purpose.",
        responses={
            "200": _answer("The history.", ConsentListSchema, {"data": [EXAMPLE]}),
            **problems(404, 422),
        },
    )(read)
    document_view(
        operationId=write.__name__,
        summary=f"Record what a {singular} agreed to, or no longer agrees to",
        parameters=[IDEMPOTENCY],
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": NewConsentSchema,
                    "example": {key: EXAMPLE[key] for key in ("channel", "purpose", "state", "how", "proof")},
                }
            },
        },
        responses={
            "201": _answer("Recorded.", ConsentSchema, EXAMPLE),
            **problems(400, 404, 409, 413, 415, 422),
        },
    )(write)
    rule = f"/{object_name}/<record_id>/consents"
    blueprint.add_url_rule(rule, read.__name__, read, methods=["GET"], tags=[object_name])
    blueprint.add_url_rule(rule, write.__name__, write, methods=["POST"], tags=[object_name])


_add("customers", "customer")
_add("contacts", "contact")
