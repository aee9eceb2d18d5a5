"""The page of field rights under Settings: for each type and field, which roles see it and which change it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.errors import KehuError, NotFound
from kehu.core.i18n import _, _l
from kehu.core.records import rights
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.members import queries as members
from kehu.rules.field_rights import FieldRuleService, why_not_hidden, why_not_locked
from kehu.rules.records import ruled
from kehu.rules.views import blueprint
from kehu.settings.forms import form_page, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

register(
    SettingsPage(
        key="field-rights",
        label=_l("Field rights"),
        text=_l("Which roles see a field, and which may change it"),
        url="/settings/field-rights",
        icon="lock",
        permission="field_rules:write",
        order=54,
    )
)


@blueprint.get("/field-rights")
@needs("field_rules:write")
def field_rights_page() -> ResponseReturnValue:
    """Show who sees and changes the fields of one type of record."""
    kinds = {option.value: option.label for option in ruled()}
    name = request.args.get("object", "")
    record_type = get_type(name if name in kinds else next(iter(kinds)))
    said = rights.of(record_type.name)
    roles = _roles()
    lines = [
        {
            "spec": spec,
            "seen": _names(said[spec.key].seen_by, roles) if spec.key in said else "",
            "edited": _names(said[spec.key].edited_by, roles) if spec.key in said else "",
        }
        for spec in record_type.fields
        if not (why_not_hidden(record_type, spec) and why_not_locked(record_type, spec))
    ]
    return render_page(
        "rules/field_rights.html",
        lines=lines,
        kinds=list(kinds.items()),
        kind=record_type,
    )


@blueprint.route("/field-rights/<name>/<key>", methods=["GET", "POST"])
@needs("field_rules:write")
def edit_field_right(name: str, key: str) -> ResponseReturnValue:
    """Say who sees and changes one field."""
    session = db.session()
    record_type, spec = _field(name, key)
    service = FieldRuleService(session)
    row = service.row(name, key)
    version = row.version if row is not None else 0
    if request.method == "GET":
        now = rights.of(name).get(key, rights.FieldRight())
        return _form(record_type, spec, now.seen_by, now.edited_by, version)
    seen = _ticked("seen") if not why_not_hidden(record_type, spec) else None
    edited = _ticked("edited") if not why_not_locked(record_type, spec) else None
    try:
        service.put(name, key, seen, edited, version=seen_version())
    except KehuError as error:
        session.rollback()
        return _form(record_type, spec, seen, edited, version, error)
    done_toast(session, _("Changed who sees and changes “%(name)s”", name=spec.label))
    return done("kehu:close", "kehu:refresh")


def _field(name: str, key: str) -> tuple[RecordType, Field]:
    known = {option.value for option in ruled()}
    spec = get_type(name).by_key.get(key) if name in known else None
    if spec is None:
        raise NotFound(_("There is no such field."))
    return get_type(name), spec


def _roles() -> Sequence[tuple[str, str]]:
    """Return the roles that may be kept out, owners never."""
    return [(one.code, one.name) for one in members.roles(db.session()) if one.code != rights.OWNER]


def _names(codes: Collection[str] | None, roles: Sequence[tuple[str, str]]) -> str:
    if codes is None:
        return ""
    return ", ".join([_("Owner"), *(name for code, name in roles if code in codes)])


def _ticked(part: str) -> Collection[str] | None:
    """Return the roles that are ticked; None when all are, also those that are made later."""
    known = {code for code, _name in _roles()}
    found = known.intersection(request.form.getlist(part))
    return None if request.form.get(f"{part}_all") or found == known else found


def _form(
    record_type: RecordType,
    spec: Field,
    seen: Collection[str] | None,
    edited: Collection[str] | None,
    version: int,
    error: KehuError | None = None,
) -> ResponseReturnValue:
    more: dict[str, Any] = {
        "roles": _roles(),
        "no_hiding": why_not_hidden(record_type, spec),
        "no_locking": why_not_locked(record_type, spec),
    }
    title = _("Who sees and changes “%(name)s”", name=spec.label)
    values = {"seen": seen, "edited": edited}
    return form_page("rules/field_right.html", title, values, {}, error, version, **more)
