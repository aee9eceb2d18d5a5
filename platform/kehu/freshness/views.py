"""The queue of values to verify, the word on one value, and the page under Settings of the fields."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, redirect, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import KehuError, StaleVersion
from kehu.core.i18n import _, _l
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.freshness.records import FRESHNESS_RULES, PAGE, rules, verified_fields
from kehu.freshness.services import OBJECTS, Freshness, FreshnessRuleService, FreshnessService
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records import field_history
from kehu.web.records.answers import done, done_toast
from kehu.web.records.display import Displayer
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of
from kehu.web.toasts import toast

blueprint = Blueprint("freshness", __name__)

SHOWN = 20
FIELDS = ("object", "field", "days")
LABELS = {key: FRESHNESS_RULES.by_key[key].label for key in FIELDS}
NOT_ASKED = frozenset({"bool", "long_text", "tags", "member", "money"})
"""Kinds of fields of which nobody asks whether they are still right."""

register(
    SettingsPage(
        key="freshness",
        label=_l("Verified fields"),
        text=_l("Which mails, phones and addresses are asked for again, and after how long"),
        url=PAGE,
        icon="circle-check",
        permission="freshness_rules:write",
        order=57,
    )
)


def words() -> dict[str, str]:
    """Return how fresh a value is, in words."""
    return {
        "never": _("Never verified"),
        "verified": _("Verified"),
        "stale": _("Verified too long ago"),
        "wrong": _("Said to be wrong"),
    }


def _shown(one: Freshness) -> Any:
    return Displayer(get_type(one.object)).html(one.spec, one.value)


@blueprint.get("/freshness")
@needs("customers:read")
def queue() -> ResponseReturnValue:
    """Show which values of one's own customers and contacts have to be looked at, one after the other."""
    service = FreshnessService(db.session())
    found = [one for name in OBJECTS for one in service.queue(name)]
    skip = min(max(request.args.get("skip", 0, int), 0), max(len(found) - 1, 0))
    shown = [(one, _shown(one)) for one in found[skip : skip + SHOWN]]
    return render_page(
        "freshness/queue.html",
        {},
        items=shown,
        count=len(found),
        skip=skip,
        kinds=registered(),
        said=words(),
        asked=any(verified_fields(name) for name in OBJECTS),
    )


@blueprint.post("/freshness/<name>/<uuid:record_id>/<key>")
@needs("customers:read")
def say(name: str, record_id: uuid.UUID, key: str) -> ResponseReturnValue:
    """Take a word on one value: verified, or wrong."""
    session = db.session()
    verdict = request.form.get("verdict", "")
    here = request.form.get("to") == "queue"
    try:
        FreshnessService(session).say(
            name,
            record_id,
            key,
            verdict,
            seen=request.form.get("seen", ""),
            source=request.form.get("source", ""),
        )
    except StaleVersion as error:
        if not here:
            raise
        session.rollback()
        toast(str(error.message), "bad")
        return redirect("/freshness", 303)
    done_toast(session, _("Noted as verified") if verdict == "verified" else _("Noted as wrong"))
    skip = request.form.get("skip", 0, int)
    return (
        redirect(f"/freshness?skip={skip}" if skip else "/freshness", 303)
        if here
        else done("kehu:close", "kehu:refresh")
    )


def _beside(name: str, record_id: uuid.UUID, key: str) -> dict[str, Any] | None:
    """Return what the dialog of a field says of how fresh its value is."""
    found = FreshnessService(db.session()).of(name, record_id, key)
    if found is None:
        return None
    may = context.actor().may(f"{name}:write")
    return {"template": "freshness/_beside.html", "one": found, "said": words()[found.state], "may_say": may}


field_history.register_beside(_beside)


def _nav(now: context.Context) -> Iterable[NavItem]:
    if now.actor is not None and now.actor.may("customers:write") and any(map(verified_fields, OBJECTS)):
        yield NavItem("freshness", _("To verify"), "/freshness", "circle-check")


def _join_frame(state: BlueprintSetupState) -> None:
    shell_of(state.app).nav.append(_nav)  # type: ignore[arg-type]


blueprint.record_once(_join_frame)


# Settings ---------------------------------------------------------------------------------


def _choices() -> list[tuple[str, str]]:
    """Return the fields that can be verified as `object field`, in words."""
    return [
        (f"{name} {spec.key}", f"{kind.plural}: {spec.label}")
        for name in OBJECTS
        for kind in (get_type(name),)
        for spec in kind.fields
        if not spec.readonly and spec.kind not in NOT_ASKED
    ]


@blueprint.get(PAGE)
@needs("freshness_rules:write")
def settings_page() -> ResponseReturnValue:
    """Show which fields are verified."""
    labels = dict(_choices())
    shown = [(row, labels.get(f"{row.object} {row.field}")) for row in rules(db.session())]
    return render_page("freshness/settings.html", {}, rows=shown)


def _given() -> dict[str, Any]:
    name, _space, key = request.form.get("what", "").partition(" ")
    return {**given(("days",)), "object": name, "field": key}


@blueprint.route(f"{PAGE}/new", methods=["GET", "POST"])
@needs("freshness_rules:write")
def add_field() -> ResponseReturnValue:
    """Have a field verified."""
    session = db.session()
    if request.method == "GET":
        return _form({"what": "customers phones", "days": 365})
    try:
        FreshnessRuleService(session).create(_given())
    except KehuError as error:
        session.rollback()
        return _form({"what": request.form.get("what", ""), "days": request.form.get("days", "")}, error)
    done_toast(session, _("This field is verified from now on"))
    return done("kehu:close", "kehu:refresh")


@blueprint.route(f"{PAGE}/<uuid:rule_id>", methods=["GET", "POST"])
@needs("freshness_rules:write")
def edit_field(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Change for how long a word on a field holds."""
    session = db.session()
    service = FreshnessRuleService(session)
    record = service.get(rule_id)
    values, version = {"what": f"{record.object} {record.field}", "days": record.days}, record.version
    if request.method == "GET":
        return _form(values, version=version)
    try:
        service.update(rule_id, given(("days",)), version=seen_version())
    except KehuError as error:
        session.rollback()
        return _form({**values, **given(("days",))}, error, version)
    done_toast(session, _("Changed for how long it holds"))
    return done("kehu:close", "kehu:refresh")


@blueprint.post(f"{PAGE}/<uuid:rule_id>/trash")
@needs("freshness_rules:delete")
def drop_field(rule_id: uuid.UUID) -> ResponseReturnValue:
    """Have a field verified no more; what was said of its values stays."""
    FreshnessRuleService(db.session()).trash(rule_id)
    done_toast(db.session(), _("This field is verified no more"))
    return done("kehu:refresh")


def _form(
    values: dict[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    return form_page(
        "freshness/form.html",
        _("Verified field"),
        values,
        LABELS,
        error,
        version,
        choices=_choices(),
        help=FRESHNESS_RULES.by_key["days"].help,
    )
