"""The pages on which a field's kind or options are changed: what, how it would go, and back again."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import KehuError
from kehu.core.i18n import _
from kehu.core.records.own_tables import CustomField
from kehu.fields import impact
from kehu.fields.changing import AT_ONCE, ChangeService, Trial, Wish
from kehu.fields.converting import why_not
from kehu.fields.kinds import KINDS, LISTED
from kehu.fields.views import blueprint
from kehu.settings.forms import seen_version
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page
from kehu.web.toasts import add_trigger, toast

LABELS: dict[str, Any] = {one.value: one.label for one in KINDS}
GONE = "-"
"""In the form: the values of an option that goes are taken out."""


@blueprint.route("/<uuid:field_id>/kind", methods=["GET", "POST"])
@needs("custom_fields:write")
def kind(field_id: uuid.UUID) -> ResponseReturnValue:
    """Change what a field holds: choose, try, then do."""
    service = ChangeService(db.session())
    row = service.get(field_id, action="write")
    service.refuse_formula(row)
    to = request.values.get("to", "")
    if row.changing or to not in LABELS:
        return _choose(service, row)
    if request.method == "GET":
        return _options(service, row, to) if to in LISTED else _tried(service, row, _wish(row, to))
    wish = _wish(row, to)
    if request.form.get("act") != "change":
        return _tried(service, row, wish)
    try:
        changed = service.start(field_id, wish, version=seen_version())
    except KehuError as error:
        db.session().rollback()
        return _tried(service, service.get(field_id, action="write"), wish, error)
    return _told(changed, _("“%(name)s” holds something else now", name=changed.label))


@blueprint.route("/<uuid:field_id>/back", methods=["GET", "POST"])
@needs("custom_fields:write")
def back(field_id: uuid.UUID) -> ResponseReturnValue:
    """Go back to what a field held before; says first what that does to values that were entered since."""
    service = ChangeService(db.session())
    if request.method == "POST":
        row = service.go_back(field_id, version=seen_version())
        return _told(row, _("“%(name)s” holds again what it held before", name=row.label))
    row = service.get(field_id, action="write")
    entry = service.way_back(row)
    trial = service.back_trial(field_id)
    return render_page(
        "fields/back.html",
        {},
        field=row,
        trial=trial,
        old=LABELS[entry["kind"]] if entry else "",
        now=LABELS.get(row.kind, row.kind),
    )


@blueprint.post("/<uuid:field_id>/stop")
@needs("custom_fields:write")
def stop(field_id: uuid.UUID) -> ResponseReturnValue:
    """Give up a change that is under way."""
    row = ChangeService(db.session()).stop(field_id)
    toast(_("“%(name)s” stays as it was", name=row.label))
    return done("kehu:close", "kehu:refresh")


@blueprint.get("/<uuid:field_id>/progress")
@needs("custom_fields:write")
def progress(field_id: uuid.UUID) -> ResponseReturnValue:
    """Say how far a change is; when it is done, the page is shown anew."""
    row = ChangeService(db.session()).get(field_id, action="write")
    if row.changing:
        return render_page("fields/_progress.html", {}, field=row)
    response: Response = make_response("", 200)
    add_trigger(response, "kehu:refresh")
    return response


def _told(row: CustomField, message: str) -> ResponseReturnValue:
    if row.changing:
        toast(_("“%(name)s” is being changed; you may go on working", name=row.label), "info")
    else:
        done_toast(db.session(), message)
    return done("kehu:close", "kehu:refresh")


def _choose(service: ChangeService, row: CustomField) -> ResponseReturnValue:
    possible, refused = [], []
    for one in KINDS:
        reason = why_not(row.kind, one.value)
        if not reason:
            label = _("Other options") if one.value == row.kind else one.label
            possible.append((one.value, label))
        elif one.value != row.kind:
            refused.append((one.label, reason))
    entry = service.way_back(row)
    return render_page(
        "fields/change.html",
        {},
        field=row,
        now=LABELS.get(row.kind, row.kind),
        possible=possible,
        refused=refused,
        former=LABELS[entry["kind"]] if entry else "",
    )


def _options(
    service: ChangeService,
    row: CustomField,
    to: str,
    wish: Wish | None = None,
    error: KehuError | None = None,
) -> ResponseReturnValue:
    """Ask for the options of a list: those there are or the values there are, and where values of others go."""
    present = row.options if row.kind in LISTED else []
    return render_page(
        "fields/change_options.html",
        {},
        status=error.status if error else 200,
        field=row,
        to=to,
        kind_label=LABELS[to],
        listed=bool(present),
        present=present,
        rows=(wish.options if wish else service.proposed(row)),
        moves=wish.moves if wish else {},
        gone=GONE,
        problem=str(error.message) if error else "",
    )


def _tried(
    service: ChangeService, row: CustomField, wish: Wish, error: KehuError | None = None
) -> ResponseReturnValue:
    try:
        trial: Trial = service.trial(row.id, wish)
    except KehuError as fault:
        if wish.kind in LISTED:
            return _options(service, row, wish.kind, wish, fault)
        raise
    return render_page(
        "fields/trial.html",
        {},
        status=error.status if error else 200,
        field=row,
        wish=wish,
        now=LABELS.get(row.kind, row.kind),
        then=LABELS[wish.kind],
        trial=trial,
        uses=impact.uses(db.session(), row, context.actor().member_id),
        by_job=trial.total > AT_ONCE,
        problem=str(error.message) if error else "",
        gone=GONE,
    )


def _wish(row: CustomField, to: str) -> Wish:
    form = request.form
    columns = [form.getlist(f"option.{part}") for part in ("value", "label", "tone")]
    goes = dict(zip(form.getlist("move.from"), form.getlist("move.to"), strict=False))
    present = {one["value"] for one in row.options} if row.kind in LISTED else set()
    moves = {value: "" if at == GONE else at for value, at in goes.items() if at and value in present}
    options = [
        {"value": value, "label": label, "tone": tone}
        for value, label, tone in zip(*columns, strict=False)
        if label.strip() and value not in moves
    ]
    return Wish(to, options if to in LISTED else [], moves, keep=form.get("fails") == "keep")
