"""The page under Settings of how long something is kept: rules, the rehearsal of each, and the switch below it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from kehu.core import db
from kehu.core.audit import AuditEntry
from kehu.core.errors import KehuError
from kehu.core.i18n import _, _l
from kehu.core.records.types import registered
from kehu.privacy import retention
from kehu.privacy.models import RetentionRule
from kehu.privacy.records import ACTS, OBJECTS, PAGE, RETENTION_RULES, UNITS
from kehu.privacy.retention import RetentionRuleService
from kehu.privacy.views import blueprint
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

register(
    SettingsPage(
        key="retention",
        label=_l("Keeping"),
        text=_l("How long customers, contacts, tickets and the trash are kept"),
        url=PAGE,
        icon="clock",
        permission="retention_rules:write",
        order=59,
    )
)

FIELDS = ("name", "object", "after", "unit", "act", "only_for", "years")
LABELS = {key: RETENTION_RULES.by_key[key].label for key in FIELDS}
HELPS = {key: RETENTION_RULES.by_key[key].help for key in FIELDS}
CHOICES = {
    key: [(one.value, one.label) for one in options]
    for key, options in (("object", OBJECTS), ("unit", UNITS), ("act", ACTS))
}
WORDS = {key: dict(options) for key, options in CHOICES.items()}


@blueprint.get(PAGE)
@needs("retention_rules:write")
def retention_page() -> ResponseReturnValue:
    """Show how long something is kept."""
    session = db.session()
    statement = select(RetentionRule).where(RetentionRule.deleted_at.is_(None))
    rules = session.execute(statement.order_by(RetentionRule.id).limit(200)).scalars().all()
    broken = {row.id for row in rules if not retention.can_be_asked(row)}
    last = _last(session, [row.id for row in rules])
    return render_page("privacy/retention.html", {}, rules=rules, broken=broken, last=last, said=WORDS)


def _last(session: Session, ids: list[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """Return when each rule was carried out last, and how many it touched and kept."""
    newest = (
        select(AuditEntry.record_id, func.max(AuditEntry.at))
        .where(
            AuditEntry.object == "retention_rules",
            AuditEntry.record_id.in_(ids),
            AuditEntry.action == "applied",
        )
        .group_by(AuditEntry.record_id)
    )
    columns = select(AuditEntry.record_id, AuditEntry.at, AuditEntry.changes)
    statement = columns.where(
        AuditEntry.action == "applied", tuple_(AuditEntry.record_id, AuditEntry.at).in_(newest)
    )
    return {row.record_id: row for row in session.execute(statement)} if ids else {}


@blueprint.route(f"{PAGE}/new", methods=["GET", "POST"])
@needs("retention_rules:write")
def add_retention_rule() -> ResponseReturnValue:
    """Write a rule down; it is off until somebody who saw its rehearsal switches it on."""
    session = db.session()
    if request.method == "GET":
        return _form(
            _("New rule"), {"object": "contacts", "after": 36, "unit": "months", "act": "trash", "years": 10}
        )
    try:
        made = RetentionRuleService(session).create(given(FIELDS))
    except KehuError as error:
        session.rollback()
        return _form(_("New rule"), given(FIELDS), error)
    done_toast(session, _("Added the rule “%(name)s”; it is off until you switch it on", name=made.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.route(f"{PAGE}/<uuid:rule_id>", methods=["GET", "POST"])
@needs("retention_rules:write")
def edit_retention_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Change a rule, which switches it off until it is rehearsed anew."""
    session = db.session()
    service = RetentionRuleService(session)
    record = service.get(rule_id)
    title, version = _("Rule “%(name)s”", name=record.name), record.version
    if request.method == "GET":
        return _form(title, {key: getattr(record, key) for key in FIELDS}, version=version)
    try:
        service.update(rule_id, given(FIELDS), version=seen_version())
    except KehuError as error:
        session.rollback()
        return _form(title, given(FIELDS), error, version=version)
    done_toast(session, _("Changed the rule “%(name)s”; it is off until you switch it on", name=record.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.get(f"{PAGE}/<uuid:rule_id>/try")
@needs("retention_rules:write")
def try_retention_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Show what a rule would do now, and what it would keep and why; nothing is changed."""
    session = db.session()
    rule = RetentionRuleService(session).get(rule_id)
    found = retention.rehearse(session, rule) if retention.can_be_asked(rule) else None
    return render_page(
        "privacy/rehearsal.html",
        {},
        rule=rule,
        found=found,
        said=WORDS,
        kinds=registered(),
        night=retention.NIGHT,
    )


@blueprint.post(f"{PAGE}/<uuid:rule_id>/switch")
@needs("retention_rules:write")
def switch_retention_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Switch a rule on or off, as it was rehearsed."""
    session = db.session()
    on = request.form.get("to") == "on"
    record = RetentionRuleService(session).update(rule_id, {"active": on}, version=seen_version())
    name = record.name
    done_toast(
        session,
        _("“%(name)s” is switched on", name=name) if on else _("“%(name)s” is switched off", name=name),
    )
    return done("kehu:close", "kehu:refresh")


@blueprint.post(f"{PAGE}/<uuid:rule_id>/trash")
@needs("retention_rules:delete")
def drop_retention_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Remove a rule."""
    record = RetentionRuleService(db.session()).trash(rule_id)
    done_toast(db.session(), _("Removed the rule “%(name)s”", name=record.name))
    return done("kehu:refresh")


def _form(
    title: str, values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    return form_page(
        "privacy/retention_form.html", title, values, LABELS, error, version, helps=HELPS, choices=CHOICES
    )
