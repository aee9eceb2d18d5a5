"""The pages on which a formula is made and changed: first tried on the latest records, then saved."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import InvalidInput, KehuError
from kehu.core.i18n import _
from kehu.core.records.formula_functions import FUNCTIONS, IF, ROLL_UPS
from kehu.core.records.formulas import KINDS
from kehu.core.records.types import get as get_type
from kehu.fields import formulas
from kehu.fields.kinds import KINDS as LABELLED
from kehu.fields.records import CUSTOM_FIELDS, objects
from kehu.fields.services import FieldService
from kehu.fields.views import blueprint
from kehu.settings.forms import form_page, given, seen_version
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.records.display import Displayer

TEXTS = ("label", "kind", "formula", "currency", "help", "section")
MARKS = ("in_list", "searchable")
LABELS = {key: CUSTOM_FIELDS.by_key[key].label for key in (*TEXTS, *MARKS)}


@blueprint.route("/formula/new", methods=["GET", "POST"])
@needs("custom_fields:write")
def add_formula() -> ResponseReturnValue:
    """Make a formula: the first time it is sent it is tried, the second time it is kept."""
    names = [one.value for one in objects()]
    asked = request.values.get("of", "")
    object_name = asked if asked in names else names[0]
    title = _("New formula of %(things)s", things=get_type(object_name).plural)
    if request.method == "GET":
        return _form(title, object_name, {"kind": "number", "in_list": True})
    values = _given()
    if not _was_tried(values):
        return _trial(title, object_name, values)
    try:
        made = FieldService(db.session()).create({**values, "object": object_name})
    except KehuError as error:
        db.session().rollback()
        return _form(title, object_name, values, error)
    done_toast(db.session(), _("Added the field “%(name)s”; its values are being reckoned", name=made.label))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/formula/<uuid:field_id>", methods=["GET", "POST"])
@needs("custom_fields:write")
def edit_formula(field_id: uuid.UUID) -> ResponseReturnValue:
    """Change a formula; what it gives stays of its kind."""
    service = FieldService(db.session())
    record = service.get(field_id)
    object_name, key, version = record.object, record.key, record.version
    title = _("Formula “%(name)s”", name=record.label)
    held = {name: getattr(record, name) for name in (*TEXTS, *MARKS)}
    if request.method == "GET":
        return _form(title, object_name, held, version=version, key=key)
    values = {**held, **_given(), "kind": held["kind"]}
    if values["formula"] != held["formula"] and not _was_tried(values):
        return _trial(title, object_name, values, version=version, key=key)
    try:
        service.update(field_id, values, version=seen_version())
    except KehuError as error:
        db.session().rollback()
        return _form(title, object_name, values, error, version=version, key=key)
    done_toast(db.session(), _("Changed the field “%(name)s”", name=values["label"]))
    return done("kehu:close", "kehu:refresh")


def _given() -> dict[str, Any]:
    found = {**given(TEXTS), **{key: key in request.form for key in MARKS}}
    return {**found, "formula": " ".join(found.get("formula", "").split())}


def _shown_state(values: dict[str, Any]) -> str:
    return "|".join(str(values.get(key) or "") for key in ("kind", "currency", "formula"))


def _was_tried(values: dict[str, Any]) -> bool:
    return request.form.get("tried", "") == _shown_state(values)


def _trial(
    title: str, object_name: str, values: dict[str, Any], version: int | None = None, key: str = ""
) -> ResponseReturnValue:
    session = db.session()
    draft = formulas.draft_of(object_name, values, key)
    message = formulas.fault(session, draft) if draft.formula else _("Write the formula.")
    if message:
        error = InvalidInput(message, fields={"formula": [message]})
        return _form(title, object_name, values, error, version=version, key=key)
    spec, found = formulas.try_out(session, draft)
    shown = Displayer(get_type(object_name))
    rows = [(one, shown.html(spec, one.value, currency=draft.currency)) for one in found]
    return _form(title, object_name, values, version=version, key=key, trial=rows, tried=_shown_state(values))


def _form(
    title: str,
    object_name: str,
    values: dict[str, Any],
    error: KehuError | None = None,
    version: int | None = None,
    key: str = "",
    **more: Any,
) -> ResponseReturnValue:
    labels = {one.value: one.label for one in LABELLED}
    return form_page(
        "fields/formula.html",
        title,
        values,
        LABELS,
        error,
        version,
        kinds=[(kind, labels[kind]) for kind in KINDS],
        names=formulas.names_of(object_name, key),
        links=formulas.links_of(object_name),
        functions=[IF, *(one.form for one in FUNCTIONS.values()), *ROLL_UPS.values()],
        currency=context.tenant().currency,
        of=object_name,
        **more,
    )
