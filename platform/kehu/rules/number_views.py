"""The page of rules for codes under Settings: the rules, the next code of each, and where numbers are missing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import clock, context, db
from kehu.core.errors import KehuError
from kehu.core.i18n import _, _l
from kehu.core.ids import new_id
from kehu.core.records import codes
from kehu.core.records.codes import CodeRule
from kehu.core.records.types import get as get_type
from kehu.rules import numbers, queries
from kehu.rules.models import NumberRule
from kehu.rules.numbers import NumberRuleService
from kehu.rules.records import NUMBER_RULES, RESETS
from kehu.rules.views import blueprint
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page

register(
    SettingsPage(
        key="numbers",
        label=_l("Codes"),
        text=_l("By which rule customers, deals and tickets get their codes"),
        url="/settings/numbers",
        icon="hash",
        permission="number_rules:write",
        order=52,
    )
)

FIELDS = ("object", "pattern", "width", "start", "reset", "by_hand")
LABELS = {key: NUMBER_RULES.by_key[key].label for key in FIELDS}
FIRST = {"pattern": "K-{YYYY}-{N}", "width": 5, "start": 1, "reset": "never"}


@blueprint.get("/numbers")
@needs("number_rules:write")
def numbers_page() -> ResponseReturnValue:
    """Show the rules for codes with the next code of each."""
    session = db.session()
    rules = {row.object: row for row in queries.number_rules(session)}
    lines = [
        (kind, rule, numbers.preview(session, queries.as_rule(rule), 1)[0] if rule is not None else "")
        for kind in codes.types_with_codes()
        for rule in [rules.get(kind.name)]
    ]
    resets = {option.value: option.label for option in RESETS}
    return render_page("rules/numbers.html", lines=lines, resets=resets)


@blueprint.route("/numbers/new", methods=["GET", "POST"])
@needs("number_rules:write")
def add_number_rule() -> ResponseReturnValue:
    """Set a rule for records that have none."""
    wanted = request.args.get("object", "")
    title = _("Codes of %(things)s", things=get_type(wanted).plural) if _is_coded(wanted) else _("New rule")
    if request.method == "GET":
        return _form(title, {**FIRST, "object": wanted})
    session = db.session()
    try:
        made = NumberRuleService(session).create(_given())
    except KehuError as error:
        session.rollback()
        return _form(title, _given(), error)
    done_toast(session, _("%(things)s get codes like %(code)s from now on", **_example(made)))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/numbers/<uuid:rule_id>", methods=["GET", "POST"])
@needs("number_rules:write")
def edit_number_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Change a rule from now on; codes that were given stay."""
    session = db.session()
    service = NumberRuleService(session)
    record = service.get(rule_id)
    title = _("Codes of %(things)s", things=get_type(record.object).plural)
    version, held = record.version, record.object
    if request.method == "GET":
        return _form(title, {key: getattr(record, key) for key in FIELDS}, version=version)
    wanted = {**_given(), "object": held}
    try:
        changed = service.update(rule_id, wanted, version=seen_version())
    except KehuError as error:
        session.rollback()
        return _form(title, wanted, error, version=version)
    done_toast(session, _("%(things)s get codes like %(code)s from now on", **_example(changed)))
    return done("kehu:close", "kehu:refresh")


@blueprint.post("/numbers/<uuid:rule_id>/off")
@needs("number_rules:delete")
def drop_number_rule(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Switch a rule off; records keep the codes that they have."""
    record = NumberRuleService(db.session()).trash(rule_id)
    done_toast(db.session(), _("%(things)s get no codes any more", things=get_type(record.object).plural))
    return done("kehu:refresh")


@blueprint.get("/numbers/preview")
@needs("number_rules:write")
def preview_numbers() -> ResponseReturnValue:
    """Say which codes the rule in the form would give next; a fragment."""
    rule, problem = _rule_of(request.args)
    found = numbers.preview(db.session(), rule) if rule is not None else []
    return render_page("rules/number_preview.html", codes=found, problem=problem)


@blueprint.get("/numbers/<uuid:rule_id>/gaps")
@needs("number_rules:read")
def number_gaps(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Show which numbers no record has."""
    session = db.session()
    record = NumberRuleService(session).get(rule_id)
    rule = queries.as_rule(record)
    return render_page(
        "rules/gaps.html",
        kind=get_type(record.object),
        rule=rule,
        report=numbers.gap_report(session, rule, request.args.get("frame", "")),
    )


def _is_coded(name: str) -> bool:
    return any(one.name == name for one in codes.types_with_codes())


def _given() -> dict[str, Any]:
    return {**given(FIELDS), "by_hand": "by_hand" in request.form}


def _example(record: NumberRule) -> dict[str, Any]:
    code = numbers.preview(db.session(), queries.as_rule(record), 1)[0]
    return {"things": get_type(record.object).plural, "code": code}


def _rule_of(args: Mapping[str, str]) -> tuple[CodeRule | None, str]:
    """Return the rule that a form describes, or None and what is wrong."""
    service = NumberRuleService(db.session())
    values = {key: args[key] for key in FIELDS if args.get(key) and key != "by_hand"}
    loaded, errors = service.load(values, new=True)
    if errors:
        return None, " ".join(messages[0] for messages in errors.values())
    record = NumberRule(id=new_id(), **{**FIRST, **loaded})
    try:
        service.prepare(record, set(loaded))
        problem = codes.problem_of(record.pattern, record.reset)
    except KehuError as error:
        problem = str(error.message)
    return (None, problem) if problem else (queries.as_rule(record), "")


def _form(
    title: str, values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    return form_page(
        "rules/number_form.html",
        title,
        values,
        LABELS,
        error,
        version,
        helps={key: NUMBER_RULES.by_key[key].help for key in FIELDS},
        resets=[(option.value, option.label) for option in RESETS],
        today=clock.today(context.tenant().tz),
    )
