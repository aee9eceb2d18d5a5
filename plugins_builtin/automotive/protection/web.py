"""Pages of protection: who is protected, cases, the look-up by phone number."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from kehu.api import (
    InvalidInput,
    PluginBlueprint,
    _,
    actor,
    clock,
    go_to,
    member_names,
    needs,
    new_id,
    parse_id,
    readable,
    render_page,
    request,
    select,
    service_for,
    session,
    toast,
    url_for,
)
from plugins_builtin.automotive.protection.models import Collision
from plugins_builtin.automotive.protection.permissions import DECIDE, READ
from plugins_builtin.automotive.protection.rules import Claim
from plugins_builtin.automotive.protection.services import PAGE, ProtectionService, claimants
from plugins_builtin.automotive.protection.wording import EVENTS, KINDS, STATES

blueprint = PluginBlueprint("automotive_protection", __name__, template_folder="../templates")
WORDS: dict[str, Any] = {"events": EVENTS, "kinds": KINDS, "states": STATES}


@blueprint.get("/collisions")
@needs(READ)
def cases() -> Any:
    """Show the cases, those that wait for a decision first."""
    state = "open" if request.args.get("state", "open") == "open" else ""
    rows = ProtectionService(session()).cases(state, request.args.get("after"))
    more = (
        url_for("automotive_protection.cases", state=state or "all", after=rows[PAGE - 1].id)
        if len(rows) > PAGE
        else None
    )
    rows = rows[:PAGE]
    return _page(
        "automotive/protection/cases.html", rows, state=state, rows=rows, next_url=more, phone="", asked=None,
        errors={},
    )  # fmt: skip


@blueprint.post("/collisions/look-up")
@needs(READ)
def look_up() -> Any:
    """Say who is protected for a phone number, and nothing else."""
    phone = request.form.get("phone", "").strip()[:40]
    service = ProtectionService(session())
    asked: Sequence[Claim] | None = None
    errors: Mapping[str, Any] = {}
    try:
        asked = service.look_up(phone)
    except InvalidInput as error:
        errors = error.fields
    rows = service.cases("open")[:PAGE]
    return _page(
        "automotive/protection/cases.html", rows, status=422 if errors else 200, state="open", rows=rows,
        next_url=None, phone=phone, asked=asked, errors=errors,
    )  # fmt: skip


@blueprint.get("/collisions/<case_id>")
@needs(READ)
def case(case_id: str) -> Any:
    """Show a case: the claims side by side, the rules of that day, the decision."""
    return _case(ProtectionService(session()).case(case_id))


@blueprint.post("/collisions/<case_id>/decide")
@needs(DECIDE)
def decide(case_id: str) -> Any:
    """Divide the customer between those who claim him."""
    service, form = ProtectionService(session()), request.form
    given = {str(one): form.get(f"share-{one}", "") for one in claimants(service.case(case_id))}
    try:
        service.decide(case_id, given, form.get("reason", ""), form.get("version", 0, int))
    except InvalidInput as error:
        return _case(service.case(case_id), status=422, given=given, errors=error.fields)
    toast(_("Decided. Those concerned can object within the time for it."))
    return go_to(url_for("automotive_protection.case", case_id=case_id))


@blueprint.post("/collisions/<case_id>/object")
@needs(READ)
def object_to(case_id: str) -> Any:
    """Object to a decision."""
    service = ProtectionService(session())
    try:
        service.object_to(case_id, request.form.get("appeal", ""))
    except InvalidInput as error:
        return _case(service.case(case_id), status=422, errors=error.fields)
    toast(_("Your objection is noted; a manager decides again."))
    return go_to(url_for("automotive_protection.case", case_id=case_id))


@blueprint.get("/protection/panel")
@needs(READ)
def panel() -> Any:
    """Show on a customer's page who is protected until when."""
    customer_id = parse_id(request.args.get("customer_id"))
    claims = ProtectionService(session()).card(customer_id) if customer_id else ()
    others = [one for one in claims if one.holder != actor().member_id]
    return render_page(
        "automotive/protection/panel.html", customer_id=customer_id, claims=claims, may_help=bool(others),
        names=member_names(session(), {one.holder for one in claims}), **WORDS,
    )  # fmt: skip


@blueprint.post("/protection/<customer_id>/help")
@needs(READ)
def help_with(customer_id: str) -> Any:
    """Note that one helps with a customer of somebody else."""
    found = parse_id(customer_id)
    case = ProtectionService(session()).help(found or new_id())
    toast(_("Noted. The case shows how the sale would be divided."))
    return go_to(url_for("automotive_protection.case", case_id=case.id))


def _case(found: Collision, *, status: int = 200, given: Any = None, errors: Any = None) -> Any:
    service = ProtectionService(session())
    mine = actor().member_id in claimants(found)
    return _page(
        "automotive/protection/case.html", [found], status=status, case=found, people=claimants(found),
        contacts=_contacts(found), given=given or {}, errors=errors or {}, may_decide=actor().may(DECIDE),
        may_object=mine and found.state in ("decided", "settled") and clock.now() <= service.appeal_until(found),
        appeal_until=service.appeal_until(found), parsed=dt.datetime.fromisoformat,
    )  # fmt: skip


def _contacts(found: Collision) -> list[Any]:
    """Return the latest talks of those concerned with the customer, for who may see activities of the customer."""
    if found.customer_id is None or not actor().may("activities:read"):
        return []
    model: Any = service_for("activities", session()).type.model
    statement = (
        select(model.id, model.subject, model.kind, model.done_at, model.owner_id, model.outcome)
        .where(
            model.customer_id == found.customer_id,
            model.owner_id.in_(claimants(found)),
            model.done_at.is_not(None),
            readable("activities"),
        )
        .order_by(model.done_at.desc(), model.id)
    )
    return list(session().execute(statement.limit(40)))


def _page(template: str, shown: Sequence[Collision], /, *, status: int = 200, **values: Any) -> Any:
    people = {one for row in shown for one in claimants(row)} | {
        row.decided_by for row in shown if row.decided_by
    }
    people |= {one.holder for one in values.get("asked") or ()}
    return render_page(
        template, status=status, names=member_names(session(), people),
        customers=_customers({row.customer_id for row in shown if row.customer_id}), now=clock.now(), **WORDS,
        **values,
    )  # fmt: skip


def _customers(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of those customers that the reader may see."""
    if not ids or not actor().may("customers:read"):
        return {}
    model: Any = service_for("customers", session()).type.model
    statement = select(model.id, model.name).where(model.id.in_(ids), readable("customers"))
    return {row.id: row.name for row in session().execute(statement)}
