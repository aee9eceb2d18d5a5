"""The page that says who gets leads."""

from __future__ import annotations

from typing import Any

from kehu.api import KehuError, _, go_to, member_names, needs, render_page, request, session, toast, url_for
from plugins_builtin.automotive.leads.permissions import OVERSEE
from plugins_builtin.automotive.leads.routing import Routes
from plugins_builtin.automotive.leads.web import blueprint


@blueprint.get("/lead-turns")
@needs(OVERSEE)
def turns() -> Any:
    """Show who takes part, who is away, and the rules."""
    return _page()


def _page(error: KehuError | None = None, failed: str = "", **values: str) -> Any:
    routes = Routes(session())
    able, rules = routes.able(), routes.rules()
    names = member_names(session(), [*able, *(rule.member_id for rule in rules)])
    rows = []
    for one in able:
        turn = routes.turns.get(one)
        rows.append(
            {
                "id": one,
                "name": names.get(str(one), "–"),
                "takes": turn.takes if turn else False,
                "away_until": turn.away_until if turn else None,
                "last_at": turn.last_at if turn else None,
            }
        )
    return render_page(
        "automotive/leads/turns.html",
        status=error.status if error else 200,
        members=rows,
        rules=rules,
        names=names,
        options=[(one, names.get(str(one), "–")) for one in able],
        values=values,
        errors=error.fields if error else {},
        failed=failed,
    )


@blueprint.post("/lead-turns/<uuid:member_id>")
@needs(OVERSEE)
def set_turn(member_id: Any) -> Any:
    """Say whether a member takes part, and until when he is away."""
    try:
        Routes(session()).take_part(
            member_id, takes="takes" in request.form, away_until=request.form.get("away_until", "")
        )
    except KehuError as error:
        if not error.fields:
            raise
        return _page(error, failed=str(member_id))
    toast(_("Saved."))
    return go_to(url_for("automotive_leads.turns"))


@blueprint.post("/lead-rules")
@needs(OVERSEE)
def add_rule() -> Any:
    """Add a rule."""
    values = {key: request.form.get(key, "") for key in ("source", "make", "member_id")}
    try:
        Routes(session()).add_rule(values)
    except KehuError as error:
        if not error.fields:
            raise
        return _page(error, **values)
    toast(_("The rule is added."))
    return go_to(url_for("automotive_leads.turns"))


@blueprint.post("/lead-rules/<uuid:rule_id>/remove")
@needs(OVERSEE)
def remove_rule(rule_id: Any) -> Any:
    """Take a rule away."""
    rule = Routes(session()).set_rule_gone(rule_id, True)
    toast(_("The rule is removed."), undo_url=url_for("automotive_leads.restore_rule", rule_id=rule.id))
    return go_to(url_for("automotive_leads.turns"))


@blueprint.post("/lead-rules/<uuid:rule_id>/restore")
@needs(OVERSEE)
def restore_rule(rule_id: Any) -> Any:
    """Bring a rule back."""
    Routes(session()).set_rule_gone(rule_id, False)
    toast(_("The rule is back."))
    return go_to(url_for("automotive_leads.turns"))


__all__ = ["blueprint"]
