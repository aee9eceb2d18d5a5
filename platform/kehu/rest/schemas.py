"""What crosses the boundary beside the fields of record types."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate


class StrictSchema(Schema):
    """A body whose unknown members are refused."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE


class NewMessageSchema(StrictSchema):
    """A message of a ticket."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(("reply", "note", "incoming")),
        metadata={
            "description": "A reply is sent by mail, a note stays inside, an incoming one is the customer's."
        },
    )
    body = fields.String(required=True, metadata={"description": "Plain text.", "maxLength": 20_000})
    status = fields.String(
        load_default="",
        validate=validate.OneOf(("", "open", "waiting", "resolved", "closed")),
        metadata={"description": "What the ticket becomes with a reply."},
    )
    author_name = fields.String(load_default="", validate=validate.Length(max=200))
    author_email = fields.String(load_default="", validate=validate.Length(max=254))


class MessageSchema(Schema):
    """A message as it is answered."""

    id = fields.UUID()
    kind = fields.String()
    body = fields.String()
    author_id = fields.UUID(allow_none=True)
    author_name = fields.String()
    author_email = fields.String()
    at = fields.AwareDateTime(format="iso")
    delivery = fields.String(metadata={"description": "none, queued, sent or failed."})
    delivery_error = fields.String(allow_none=True)


class MessagePageSchema(Schema):
    """A page of a conversation, oldest first."""

    data = fields.List(fields.Nested(MessageSchema))
    next = fields.String(allow_none=True)


class MoveSchema(StrictSchema):
    """Where a deal goes."""

    stage_id = fields.UUID(required=True)
    after_id = fields.UUID(load_default=None, allow_none=True, metadata={"description": "The deal above it."})
    before_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "The deal below it."}
    )
    lost_reason = fields.String(load_default="", validate=validate.Length(max=500))
