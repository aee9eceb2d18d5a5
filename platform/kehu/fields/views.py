"""The page of own fields under Settings."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import KehuError
from kehu.core.i18n import _, _l
from kehu.core.records.own_tables import CustomField
from kehu.core.records.types import get as get_type
from kehu.fields import formulas, queries
from kehu.fields.kinds import BOUNDED, KINDS, LISTED, NO_DEFAULT, UNIQUE
from kehu.fields.records import CUSTOM_FIELDS, NAMES, objects, targets
from kehu.fields.services import FieldService
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

blueprint = Blueprint("fields", __name__, url_prefix="/settings/fields", template_folder="templates")

register(
    SettingsPage(
        key="fields",
        label=_l("Fields"),
        text=_l("Fields of your own for customers, deals, tickets and more"),
        url="/settings/fields",
        icon="adjustments-horizontal",
        permission="custom_fields:write",
        order=50,
    )
)

TEXTS = ("label", *NAMES, "help", "section", "currency", "minimum", "maximum", "initial", "target")
MARKS = ("required", "only_one", "in_list", "at_create", "searchable")
FIELDS = ("label", "kind", *TEXTS[1:], *MARKS, "options")
LABELS = {key: CUSTOM_FIELDS.by_key[key].label for key in FIELDS}


@blueprint.get("")
@needs("custom_fields:write")
def show() -> ResponseReturnValue:
    """Show the fields of one type of record: the firm's own, and those that are always there."""
    kinds = objects()
    chosen = next((one for one in kinds if one.value == request.args.get("of")), kinds[0])
    mine = queries.of_object(db.session(), chosen.value)
    record_type = get_type(chosen.value)
    return render_page(
        "fields/show.html",
        objects=kinds,
        chosen=chosen,
        active=[row for row in mine if row.state == "active"],
        retired=[row for row in mine if row.state == "retired"],
        built_in=[one for one in record_type.fields if one.own is None and not one.readonly],
        kinds={one.value: one.label for one in KINDS},
    )


@blueprint.route("/new", methods=["GET", "POST"])
@needs("custom_fields:write")
def add() -> ResponseReturnValue:
    """Add a field: first what it holds, then the rest."""
    names = [one.value for one in objects()]
    asked = request.values.get("of", "")
    object_name = asked if asked in names else names[0]
    kind = request.values.get("kind", "")
    if kind not in {one.value for one in KINDS}:
        return render_page("fields/kinds.html", {}, of=object_name, kinds=KINDS)
    title = _("New field of %(things)s", things=get_type(object_name).plural)
    if request.method == "GET":
        return _form(title, {"kind": kind, "of": object_name, "at_create": False, "in_list": True})
    try:
        made = FieldService(db.session()).create({**_given(kind), "object": object_name, "kind": kind})
    except KehuError as error:
        db.session().rollback()
        return _form(title, {**_given(kind), "kind": kind, "of": object_name}, error)
    done_toast(db.session(), _("Added the field “%(name)s”", name=made.label))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/<uuid:field_id>", methods=["GET", "POST"])
@needs("custom_fields:write")
def edit(field_id: uuid.UUID) -> ResponseReturnValue:
    """Change a field; what it holds stays."""
    service = FieldService(db.session())
    record = service.get(field_id)
    title, version, kind = _("Field “%(name)s”", name=record.label), record.version, record.kind
    held = {key: getattr(record, key) for key in FIELDS}
    if request.method == "GET":
        return _form(title, held, version=version)
    values = _given(kind)
    try:
        service.update(field_id, values, version=seen_version())
    except KehuError as error:
        db.session().rollback()
        return _form(title, {**held, **values}, error, version=version)
    done_toast(db.session(), _("Changed the field “%(name)s”", name=record.label))
    return done("kehu:close", "kehu:refresh")


@blueprint.post("/<uuid:field_id>/shift")
@needs("custom_fields:write")
def shift(field_id: uuid.UUID) -> ResponseReturnValue:
    """Move a field one place up or down."""
    record = FieldService(db.session()).shift(field_id, 1 if request.args.get("by") == "1" else -1)
    done_toast(db.session(), _("Moved the field “%(name)s”", name=record.label))
    return done("kehu:refresh")


@blueprint.route("/<uuid:field_id>/retire", methods=["GET", "POST"])
@needs("custom_fields:write")
def retire(field_id: uuid.UUID) -> ResponseReturnValue:
    """Take a field out of use, or back; its values stay. Says first what uses it."""
    service = FieldService(db.session())
    record = service.get(field_id, action="write")
    if request.method == "GET":
        return _impact(record, "retire")
    service.update(field_id, {"state": "retired" if record.state == "active" else "active"})
    gone, back = (
        _("“%(name)s” is retired; its values are kept", name=record.label),
        _("“%(name)s” is in use again", name=record.label),
    )
    done_toast(db.session(), gone if record.state == "retired" else back)
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/<uuid:field_id>/trash", methods=["GET", "POST"])
@needs("custom_fields:delete")
def trash(field_id: uuid.UUID) -> ResponseReturnValue:
    """Put a field into the trash, from where it comes back with its values. Says first what uses it."""
    service = FieldService(db.session())
    record = service.get(field_id, action="delete")
    if request.method == "GET":
        return _impact(record, "trash")
    service.trash(field_id)
    done_toast(db.session(), _("Put the field “%(name)s” into the trash", name=record.label))
    return done("kehu:close", "kehu:refresh")


def _impact(record: CustomField, act: str) -> ResponseReturnValue:
    session = db.session()
    views, others = queries.views_with(session, record, context.actor().member_id)
    return render_page(
        "fields/impact.html",
        {},
        field=record,
        act=act,
        filled=queries.filled(session, record),
        views=views,
        others=others,
        formulas=formulas.users_of(record),
    )


def _given(kind: str) -> dict[str, Any]:
    """Return what the form holds; boxes that nobody ticked send nothing."""
    found = {**given(TEXTS), **{key: key in request.form for key in MARKS}}
    if kind in LISTED:
        columns = [request.form.getlist(f"option.{part}") for part in ("value", "label", "tone")]
        found["options"] = [
            {"value": value, "label": label, "tone": tone}
            for value, label, tone in zip(*columns, strict=False)
            if label.strip()
        ]
    return found


def _form(
    title: str, values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    kind = values["kind"]
    return form_page(
        "fields/form.html",
        title,
        values,
        LABELS,
        error,
        version,
        kind=kind,
        kind_label=next(one.label for one in KINDS if one.value == kind),
        listed=kind in LISTED,
        bounded=kind in BOUNDED,
        unique=kind in UNIQUE,
        has_initial=kind not in NO_DEFAULT,
        searched=kind in ("text", "long_text", "email", "phone", "link"),
        targets=[(one.value, one.label) for one in targets()],
        currency=context.tenant().currency,
        names=NAMES,
        named=any(values.get(key) or (error and key in error.fields) for key in NAMES),
        helps={key: CUSTOM_FIELDS.by_key[key].help for key in ("help", "section", "initial")},
    )


from kehu.fields import changing_views, formula_views  # noqa: E402, F401 - routes
