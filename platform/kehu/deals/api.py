"""REST: move a deal on the board."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint

from kehu.core import db
from kehu.core.records.types import get as get_type
from kehu.deals.records import DEALS
from kehu.deals.services import DealService
from kehu.rest.access import token_needs
from kehu.rest.bodies import load, read_object
from kehu.rest.dump import dump_record, etag, json_answer
from kehu.rest.openapi import OTHER_ID, record_example
from kehu.rest.operations import ETAG, IF_MATCH, content, document_view, problems
from kehu.rest.resources import PREFIX, needed_version, stale_as_precondition
from kehu.rest.schemas import MoveSchema

blueprint = Blueprint("api_deal_moves", __name__, url_prefix=f"{PREFIX}/deals")


@blueprint.route("/<record_id>/move", methods=["POST"], tags=["deals"])
@document_view(
    operationId="move_deal",
    summary="Move a deal to a stage",
    description="The same rules as on the board: a lost stage asks for the reason. Without a place it stands on top.",
    parameters=[IF_MATCH],
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": MoveSchema, "example": {"stage_id": OTHER_ID}}},
    },
    responses={
        "200": {
            "description": "The deal as it is now.",
            "content": content("Deal", record_example(DEALS)),
            "headers": ETAG,
        },
        **problems(400, 404, 409, 412, 413, 415, 422, 428),
    },
)
@token_needs("deals:write")
def move_deal(record_id: str) -> Response:
    """Move a deal."""
    version = needed_version()
    given = load(MoveSchema(), read_object())
    with stale_as_precondition():
        deal = DealService(db.session()).move(
            record_id,
            given["stage_id"],
            after=given["after_id"],
            before=given["before_id"],
            version=version,
            lost_reason=given["lost_reason"] or None,
        )
    return json_answer(dump_record(get_type("deals"), deal), ETag=etag(deal.version))
