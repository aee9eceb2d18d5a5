"""REST: the secret of a webhook, shown once; the webhooks themselves are a resource like others."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from kehu.core import db
from kehu.rest.access import token_needs
from kehu.rest.dump import json_answer
from kehu.rest.operations import document_view, problems
from kehu.rest.resources import PREFIX
from kehu.webhooks.services import WebhookService

blueprint = Blueprint("api_webhook_secrets", __name__, url_prefix=PREFIX)


class WebhookSecretSchema(Schema):
    """A secret, in the form of Standard Webhooks."""

    secret = fields.String()


@blueprint.route("/webhooks/<record_id>/secret", methods=["POST"], tags=["webhooks"])
@document_view(
    operationId="rotate_webhook_secret",
    summary="Make a new secret for a webhook and read it",
    description="The only way to read a secret by the API. The secret before signs beside it for 24 hours.",
    responses={
        "201": {
            "description": "The new secret.",
            "content": {
                "application/json": {
                    "schema": WebhookSecretSchema,
                    "example": {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
                }
            },
        },
        **problems(404),
    },
)
@token_needs("webhooks:write")
def rotate_webhook_secret(record_id: str) -> Response:
    """Exchange the secret."""
    return json_answer({"secret": WebhookService(db.session()).rotate(record_id)}, 201)
