"""REST: send messages to customers and contacts, and read what became of them."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from kehu.core import db
from kehu.core.ids import parse_id
from kehu.core.records.service import service_for
from kehu.messages import queries
from kehu.messages.models import Message
from kehu.messages.services import Letter, MessageService
from kehu.rest.access import token_needs
from kehu.rest.bodies import load, read_object
from kehu.rest.dump import json_answer
from kehu.rest.idempotency import idempotent
from kehu.rest.openapi import ID, MOMENT, OTHER_ID
from kehu.rest.operations import IDEMPOTENCY, document_view, problems
from kehu.rest.resources import PREFIX, page_limit, query_args, unknown_word
from kehu.rest.schemas import StrictSchema
from plugins.sending import PURPOSES

blueprint = Blueprint("api_messages", __name__, url_prefix=PREFIX)

COLUMNS = {"customers": "customer_id", "contacts": "contact_id"}

EXAMPLE = {
    "id": ID,
    "template": "kehu.ask_consent",
    "purpose": "service",
    "channel": "mail",
    "customer_id": OTHER_ID,
    "contact_id": None,
    "address": "anna@example.com",
    "locale": "en",
    "subject": "May we send you news, Anna Lindqvist?",
    "state": "queued",
    "reason_code": None,
    "reason": None,
    "at": MOMENT,
    "sent_at": None,
    "wait_until": None,
}
_MOMENTS = ("at", "sent_at", "wait_until")


class LetterSchema(StrictSchema):
    """A message that is to be sent."""

    template = fields.String(
        required=True, metadata={"description": "Key of a message, as under Settings, Messages."}
    )
    data = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.Length(max=2000)),
        load_default=dict,
        metadata={"description": "What is filled in for the places of the text."},
    )
    once = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "A second message with the same word is not sent."},
    )


class SentMessageSchema(Schema):
    """A message and what became of it."""

    id = fields.UUID()
    template = fields.String()
    purpose = fields.String(metadata={"enum": list(PURPOSES)})
    channel = fields.String()
    customer_id = fields.UUID(allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    address = fields.String()
    locale = fields.String()
    subject = fields.String()
    state = fields.String(metadata={"enum": ["queued", "sent", "refused", "failed"]})
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    at = fields.AwareDateTime(format="iso")
    sent_at = fields.AwareDateTime(format="iso", allow_none=True)
    wait_until = fields.AwareDateTime(format="iso", allow_none=True)


class SentMessagePageSchema(Schema):
    """A page of messages, the latest first."""

    data = fields.List(fields.Nested(SentMessageSchema))
    next = fields.String(allow_none=True)


def _dump(message: Message) -> Any:
    found: Any = SentMessageSchema().dump(message)
    return {
        key: value.replace("+00:00", "Z") if key in _MOMENTS and value else value
        for key, value in found.items()
    }


def _answer(words: str, schema: Any, example: Any) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema, "example": example}}}


def _list(object_name: str, record_id: str) -> Response:
    """Answer one page of a person's messages, within the scope of the token."""
    args = query_args()
    limit, after = page_limit(args.pop("limit", "")), args.pop("after", "")
    for name in args:
        raise unknown_word(name)
    mark = parse_id(after)
    if after and mark is None:
        raise unknown_word("after")
    record = service_for(object_name, db.session()).get(record_id)
    found = queries.of_person(db.session(), COLUMNS[object_name], record.id, mark, limit + 1)
    following = str(found[limit - 1].id) if len(found) > limit else None
    return json_answer({"data": [_dump(one) for one in found[:limit]], "next": following})


def _send(object_name: str, record_id: str) -> Response:
    """Send one message."""
    given = load(LetterSchema(), read_object())
    person = parse_id(record_id)
    if person is None:
        service_for(object_name, db.session()).get(record_id)
    message = MessageService(db.session()).send(
        Letter(
            **given,
            customer_id=person if object_name == "customers" else None,
            contact_id=person if object_name == "contacts" else None,
        )
    )
    db.session().flush()  # The answer shows what the database holds.
    return json_answer(_dump(message), 201, Location=f"{PREFIX}/messages/{message.id}")


def _add(object_name: str, singular: str) -> None:
    """Add the two operations for customers or contacts."""
    read = token_needs(f"{object_name}:read")(lambda record_id: _list(object_name, record_id))
    write = token_needs("messages:send")(idempotent(lambda record_id: _send(object_name, record_id)))
    read.__name__, write.__name__ = f"list_{singular}_messages", f"send_{singular}_message"
    document_view(
        operationId=read.__name__,
        summary=f"List the messages to a {singular}",
        parameters=[
            {
                "name": "after",
                "in": "query",
                "schema": {"type": "string"},
                "description": "The `next` of the page before.",
            },
            {
                "name": "limit",
                "in": "query",
                "schema": {"type": "integer"},
                "description": "At most 200.",
                "example": 50,
            },
        ],
        responses={
            "200": _answer(
                "One page, the latest first.", SentMessagePageSchema, {"data": [EXAMPLE], "next": None}
            ),
            **problems(404, 422),
        },
    )(read)
    document_view(
        operationId=write.__name__,
        summary=f"Send a {singular} a message",
        description="It goes through the gate of all messages; `state` and `reason` say what became of it.",
        parameters=[IDEMPOTENCY],
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": LetterSchema,
                    "example": {"template": EXAMPLE["template"], "once": "welcome-4711"},
                }
            },
        },
        responses={
            "201": _answer("Queued or refused.", SentMessageSchema, EXAMPLE),
            **problems(400, 404, 409, 413, 415, 422),
        },
    )(write)
    rule = f"/{object_name}/<record_id>/messages"
    blueprint.add_url_rule(rule, read.__name__, read, methods=["GET"], tags=["messages"])
    blueprint.add_url_rule(rule, write.__name__, write, methods=["POST"], tags=["messages"])


_add("customers", "customer")
_add("contacts", "contact")


@blueprint.route("/messages/<message_id>", tags=["messages"])
@document_view(
    operationId="get_message",
    summary="Read one message, and what became of it",
    responses={"200": _answer("The message.", SentMessageSchema, EXAMPLE), **problems(404)},
)
@token_needs("customers:read")
def get_message(message_id: str) -> Response:
    """Answer one message to somebody whom the token may see."""
    return json_answer(_dump(MessageService(db.session()).get(message_id)))
