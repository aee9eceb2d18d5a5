"""The page of rules for records under Settings: what must hold, tried on present records before it is switched on."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.errors import KehuError
from kehu.core.i18n import _, _l
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.rules import musts, queries
from kehu.rules.musts import RecordRuleService
from kehu.rules.records import RECORD_RULES, ruled
from kehu.rules.views import blueprint
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

register(
    SettingsPage(
        key="record-rules",
        label=_l("Rules for records"),
        text=_l("What must hold before a record is saved, in your own words"),
        url="/settings/record-rules",
        icon="shield-check",
        permission="record_rules:write",
        order=53,
    )
)

FIELDS = ("name", "object", "only_for", "must", "message", "entering")
LABELS = {key: RECORD_RULES.by_key[key].label for key in FIELDS}
HELPS = {key: RECORD_RULES.by_key[key].help for key in FIELDS}


@blueprint.get("/record-rules")
@needs("record_rules:write")
def record_rules_page() -> ResponseReturnValue:
    """Show what must hold."""
    kinds = registered()
    rules = [row for row in queries.record_rules(db.session()) if row.object in kinds]
    broken = {row.id for row in rules if not musts.can_be_asked(row)}
    return render_page("rules/musts.html", rules=rules, kinds=kinds, broken=broken)


@blueprint.route("/record-rules/new", methods=["GET", "POST"])
@needs("record_rules:write")
def add_record_rule() -> ResponseReturnValue:
    """Write down what must hold; it is off until somebody switches it on."""
    session = db.session()
    if request.method == "GET":
        return _form(_("New rule"), {"object": "customers"})
    try:
        made = RecordRuleService(session).create(_typed())
    except KehuError as error:
        session.rollback()
        return _form(_("New rule"), _typed(), error)
    done_toast(session, _("Added the rule “%(name)s”; it is off until you switch it on", name=made.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/record-rules/<uuid:rule_id>", methods=["GET", "POST"])
@needs("record_rules:write")
def edit_record_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Change a rule."""
    session = db.session()
    service = RecordRuleService(session)
    record = service.get(rule_id)
    title, version = _("Rule “%(name)s”", name=record.name), record.version
    if request.method == "GET":
        return _form(title, {key: getattr(record, key) for key in FIELDS}, version=version)
    try:
        service.update(rule_id, _typed(), version=seen_version())
    except KehuError as error:
        session.rollback()
        return _form(title, _typed(), error, version=version)
    done_toast(session, _("Changed the rule “%(name)s”", name=record.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.get("/record-rules/<uuid:rule_id>/try")
@needs("record_rules:write")
def try_record_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Show which present records break a rule."""
    session = db.session()
    rule = RecordRuleService(session).get(rule_id)
    kind = get_type(rule.object)
    return render_page("rules/must_try.html", rule=rule, kind=kind, found=musts.rehearse(session, rule))


@blueprint.post("/record-rules/<uuid:rule_id>/switch")
@needs("record_rules:write")
def switch_record_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Switch a rule on or off."""
    session = db.session()
    service = RecordRuleService(session)
    record = service.get(rule_id, action="write")
    record = service.update(rule_id, {"active": not record.active})
    on, off = (
        _("“%(name)s” is switched on", name=record.name),
        _("“%(name)s” is switched off", name=record.name),
    )
    done_toast(session, on if record.active else off)
    return done("kehu:close", "kehu:refresh")


@blueprint.post("/record-rules/<uuid:rule_id>/trash")
@needs("record_rules:delete")
def drop_record_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Remove a rule."""
    record = RecordRuleService(db.session()).trash(rule_id)
    done_toast(db.session(), _("Removed the rule “%(name)s”", name=record.name))
    return done("kehu:refresh")


def _typed() -> dict[str, Any]:
    """Return what the form says; a box that is not ticked is not sent."""
    return {**given(FIELDS), "entering": request.form.get("entering") == "1"}


def _form(
    title: str, values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    objects = [(option.value, option.label) for option in ruled()]
    return form_page(
        "rules/must_form.html", title, values, LABELS, error, version, helps=HELPS, objects=objects
    )
