"""Answers to moves: the board's script, the dialog that asks why, the buttons of a deal's page."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from kehu.core import context, db
from kehu.core.errors import InvalidInput, KehuError, NotFound
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.deals import board, queries
from kehu.deals.models import Deal, Stage
from kehu.deals.services import DealService
from kehu.web.records import query
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page
from kehu.web.toasts import toast

REASONS = (
    _l("Price too high"),
    _l("Chose a competitor"),
    _l("Need is gone"),
    _l("Too late for them"),
    _l("No answer any more"),
    _l("We could not deliver"),
)


def move(deal_id: uuid.UUID) -> ResponseReturnValue:
    """Move a card; JSON for the board's script, events for the dialog."""
    form, service = request.form, DealService(db.session())
    in_dialog = form.get("dialog") == "1"
    was = queries.place(db.session(), deal_id)
    try:
        record = service.move(
            deal_id,
            form.get("stage"),
            after=form.get("after"),
            version=_version(form.get("version")),
            lost_reason=_reason() if in_dialog else None,
        )
    except KehuError as error:
        if not in_dialog:
            return _refusal(deal_id, error)
        if isinstance(error, InvalidInput):
            return lost_form(deal_id, error)
        toast(str(error.message), level="bad")
        return closed()
    said = _tell(service, record, was.stage_id if was else None)
    if in_dialog:
        # The board loads itself anew when the dialog closes; other pages are told to.
        return done("kehu:close") if form.get("board") == "1" else closed()
    answer: dict[str, Any] = {"version": record.version}
    if said and was:
        stages = [was.stage_id, record.stage_id]
        answer["columns"] = board.read_columns(db.session(), stages, board_args(), context.actor())
    return jsonify(answer)


def to_stage(deal_id: uuid.UUID, stage_id: uuid.UUID) -> ResponseReturnValue:
    """Move a deal by a click on its page; a stage that means lost asks why first."""
    service = DealService(db.session())
    stage = service.stage(stage_id)
    record = service.get(deal_id, action="write")
    if stage.outcome == "lost" and stage.id != record.stage_id:
        return lost_form(deal_id, stage=stage)
    was = record.stage_id
    _tell(service, service.move(deal_id, stage.id), was)
    return closed()


def won(deal_id: uuid.UUID) -> ResponseReturnValue:
    """Mark a deal as won."""
    service = DealService(db.session())
    record = service.get(deal_id, action="write")
    was = record.stage_id
    _tell(service, service.win(deal_id), was)
    return closed()


def lost_form(
    deal_id: uuid.UUID | None, error: InvalidInput | None = None, stage: Stage | None = None
) -> ResponseReturnValue:
    """Ask why a deal was lost."""
    service = DealService(db.session())
    given = request.values
    record = service.get(deal_id or given.get("card"), action="write")
    if stage is None:
        stage = service.stages().get(parse_id(given.get("stage")) or uuid.UUID(int=0))
    stage = stage or service.first_stage("lost", record.pipeline_id)
    # What was tried must not reach the database with the reading of the names below.
    db.session().expire(record)
    return render_page(
        "deals/lost.html",
        {},
        status=422 if error else 200,
        deal=record,
        stage_id=stage.id,
        after=given.get("after", ""),
        board=deal_id is None or given.get("board") == "1",
        version=_version(given.get("version")),
        errors=error.fields if error else {},
        reason=given.get("reason", ""),
        note=given.get("reason_note", ""),
        reasons=[(str(reason), str(reason)) for reason in REASONS],
    )


def closed() -> Response:
    """Close the dialog and load the page below anew."""
    return done("kehu:close", "kehu:refresh")


def _reason() -> str:
    parts = (request.form.get("reason", "").strip(), request.form.get("reason_note", "").strip())
    return ": ".join(part for part in parts if part)


def _tell(service: DealService, record: Deal, was: uuid.UUID | None) -> bool:
    """Say what happened, with the way back; the order of cards within a column is not worth a sentence."""
    if was == record.stage_id:
        return False
    stage = service.stage(record.stage_id)
    if record.status == "won":
        text = _("“%(deal)s” is won.", deal=record.name)
    elif record.status == "lost":
        text = _("“%(deal)s” is marked as lost.", deal=record.name)
    else:
        text = _("Moved “%(deal)s” to %(stage)s.", deal=record.name, stage=stage.name)
    done_toast(db.session(), text)
    return True


def _version(raw: str | None) -> int | None:
    return int(raw) if raw and raw.isdecimal() and len(raw) < 10 else None


def _refusal(deal_id: uuid.UUID, error: KehuError) -> ResponseReturnValue:
    """Say why not, and where the card really stands."""
    body: dict[str, Any] = {"title": _(error.title), "detail": str(error.message), "fields": error.fields}
    if not isinstance(error, NotFound):
        place = queries.place(db.session(), deal_id)
        if place is not None:
            body["card"] = {
                "stage": str(place.stage_id),
                "after": str(queries.card_above(db.session(), place) or ""),
                "version": place.version,
            }
    return make_response(jsonify(body), error.status)


def board_args() -> dict[str, str]:
    """Return the filters of the board that a move came from."""
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    return query.clean(MultiDict(parse_qsl(here.query[:4000], max_num_fields=100)))
