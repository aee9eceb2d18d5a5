"""REST: the conversation of a ticket."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from kehu.core import db
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.rest.access import token_needs
from kehu.rest.bodies import load, read_object
from kehu.rest.dump import json_answer
from kehu.rest.idempotency import idempotent
from kehu.rest.openapi import ID, MOMENT, OTHER_ID
from kehu.rest.operations import IDEMPOTENCY, document_view, problems
from kehu.rest.resources import PREFIX, page_limit, query_args, unknown_word
from kehu.rest.schemas import MessagePageSchema, MessageSchema, NewMessageSchema
from kehu.tickets.conversation import ConversationService
from kehu.tickets.models import TicketMessage

blueprint = Blueprint("api_ticket_messages", __name__, url_prefix=f"{PREFIX}/tickets/<ticket_id>/messages")

EXAMPLE = {
    "id": OTHER_ID,
    "kind": "reply",
    "body": "Hello Anna, we can swap the panel on Thursday.",
    "author_id": ID,
    "author_name": "Mira Sol",
    "author_email": "mira@example.com",
    "at": MOMENT,
    "delivery": "queued",
    "delivery_error": None,
}


def _dump(message: TicketMessage) -> Any:
    found = MessageSchema().dump(message)
    found["at"] = found["at"].replace("+00:00", "Z")
    return found


def _answer(words: str, schema: Any, example: Any) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema, "example": example}}}


@blueprint.route("", tags=["tickets"])
@document_view(
    operationId="list_ticket_messages",
    summary="Read the conversation of a ticket",
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
        "200": _answer("One page, oldest first.", MessagePageSchema, {"data": [EXAMPLE], "next": None}),
        **problems(404, 422),
    },
)
@token_needs("tickets:read")
def list_messages(ticket_id: str) -> Response:
    """Answer one page of the conversation."""
    args = query_args()
    limit = page_limit(args.pop("limit", ""))
    after = args.pop("after", "")
    for name in args:
        raise unknown_word(name)
    mark = parse_id(after)
    if after and mark is None:
        raise unknown_word("after")
    talk = ConversationService(db.session())
    found = list(talk.page(talk.tickets.get(ticket_id), mark, limit + 1))
    following = str(found[limit - 1].id) if len(found) > limit else None
    return json_answer({"data": [_dump(message) for message in found[:limit]], "next": following})


@blueprint.route("", methods=["POST"], tags=["tickets"])
@document_view(
    operationId="create_ticket_message",
    summary="Reply, note, or take what the customer wrote",
    description="A reply is sent by mail to the ticket's requester. The ticket's status follows the conversation.",
    parameters=[IDEMPOTENCY],
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": NewMessageSchema,
                "example": {"kind": "reply", "body": EXAMPLE["body"], "status": "waiting"},
            }
        },
    },
    responses={"201": _answer("Written.", MessageSchema, EXAMPLE), **problems(400, 404, 409, 413, 415, 422)},
)
@token_needs("tickets:write")
@idempotent
def create_message(ticket_id: str) -> Response:
    """Add to the conversation."""
    given = load(NewMessageSchema(), read_object())
    talk = ConversationService(db.session())
    if given["kind"] == "reply":
        message = talk.reply(ticket_id, given["body"], status=given["status"])
    elif given["kind"] == "note":
        message = talk.note(ticket_id, given["body"])
    else:
        message = talk.incoming(
            ticket_id, given["body"], name=given["author_name"], email=given["author_email"]
        )
    db.session().flush()  # The answer shows what the database holds.
    return json_answer(
        _dump(message), 201, Location=f"{PREFIX}/tickets/{message.ticket_id}/messages/{message.id}"
    )


@blueprint.route("/<message_id>", tags=["tickets"])
@document_view(
    operationId="get_ticket_message",
    summary="Read one message, and whether it was sent",
    responses={"200": _answer("The message.", MessageSchema, EXAMPLE), **problems(404)},
)
@token_needs("tickets:read")
def get_message(ticket_id: str, message_id: str) -> Response:
    """Answer one message."""
    found_id: uuid.UUID | None = parse_id(message_id)
    talk = ConversationService(db.session())
    message = talk.message(talk.tickets.get(ticket_id), found_id) if found_id else None
    if message is None:
        raise NotFound(_("This message does not exist."))
    return json_answer(_dump(message))
