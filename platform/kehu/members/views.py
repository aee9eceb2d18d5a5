"""Pages of members, teams and invitations. Those of roles register on the same blueprint."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask import session as cookie

from kehu.core import context, db, hooks
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.members import queries
from kehu.members.models import Member, Role
from kehu.members.queries import MemberFilter
from kehu.members.records import STATES
from kehu.members.role_services import TeamService
from kehu.members.roles import reach_of
from kehu.members.services import MemberService, get_member, outranks
from kehu.settings.pages import with_short_url
from kehu.web import limits
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import add_trigger, toast

blueprint = Blueprint("members", __name__)

INVITATIONS = "200 per day"
"""Mails of invitation that a firm may send."""

TYPED = "kehu_invitation"
"""Where the browser's session keeps an invitation that waits for a seat."""

STATE_BADGES = {option.value: (option.label, option.tone) for option in STATES}


def _done(message: str, level: str = "ok") -> Response:
    toast(message, level)
    if request.headers.get("HX-Request") == "true":
        response = Response(status=204)
        add_trigger(response, "kehu:close")
        add_trigger(response, "kehu:refresh")
        return response
    return redirect("/settings/members", 303)  # type: ignore[return-value]


# --- the list ---------------------------------------------------------------------------------------------


@blueprint.get("/settings/members")
@needs("members:read")
def members() -> Any:
    """List the members."""
    state = request.args.get("state", "")
    wanted = MemberFilter(
        q=request.args.get("q", "")[:100],
        state=state if state in STATE_BADGES else "",
        after=request.args.get("after", "")[:200],
    )
    rows = list(queries.list_members(db.session(), wanted))
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    response = render_page(
        "members/list.html",
        {"list": "list"},
        rows=rows,
        badges=STATE_BADGES,
        states=[(option.value, option.label) for option in STATES],
        wanted=wanted,
        following=rows[-1].name_norm if more else "",
    )
    return with_short_url(response)


@blueprint.get("/settings/members/lookup")
@needs("members:read")
def lookup() -> Any:
    """Answer a look-up field: members by the letters of their name."""
    wanted = MemberFilter(q=request.args.get("q", "")[:100], limit=8)
    return render_page("members/lookup.html", rows=list(queries.list_members(db.session(), wanted))[:8])


# --- inviting ---------------------------------------------------------------------------------------------


def count_mail() -> None:
    """Count a mail of invitation: anybody may found a firm, give it any name and mail it, but not by the thousand.

    :raises TooMany: when the firm's mails of the day are used up.
    """
    limits.count(INVITATIONS, "invite", str(context.tenant().id))


def _with_reach(role: Role) -> str:
    return _("%(role)s: %(reach)s", role=role.name, reach=reach_of(role.code, role.permissions))


def _choices() -> dict[str, Any]:
    session, actor = db.session(), context.actor()
    return {
        "roles": [
            (str(role.id), _with_reach(role)) for role in queries.roles(session) if outranks(actor, role)
        ],
        "teams": [(str(team.id), team.name) for team in queries.teams(session)],
    }


def _invite_page(values: dict[str, Any], errors: dict[str, Any] | None = None, status: int = 200) -> Response:
    choices = _choices()
    if not values.get("role_id"):
        usual = next((role for role in queries.roles(db.session()) if role.code == "member"), None)
        values = {**values, "role_id": str(usual.id) if usual else ""}
    offer = hooks.first("kehu_seat_offer", tenant_id=context.tenant().id)
    return render_page(
        "members/invite.html", status=status, values=values, errors=errors or {}, offer=offer, **choices
    )


@blueprint.get("/settings/members/invite")
@needs("members:manage")
def invite() -> Any:
    """Ask whom to invite; `member` makes a placeholder a person, `again` goes on after a seat was bought."""
    member_id = parse_id(request.args.get("member"))
    if member_id is None:
        typed = cookie.get(TYPED) if "again" in request.args else None
        return _invite_page(typed["values"] if typed and typed["tenant"] == str(context.tenant().id) else {})
    member = MemberService(db.session()).get(member_id)
    return _invite_page({"member": str(member.id), "name": member.name, "email": member.email})


@blueprint.post("/settings/members/invite")
@needs("members:manage")
def invite_post() -> Any:
    """Invite a person by mail."""
    form = request.form
    count_mail()
    try:
        member = MemberService(db.session()).invite(
            name=form.get("name", ""),
            email=form.get("email", ""),
            role_id=parse_id(form.get("role_id")),
            team_id=parse_id(form.get("team_id")),
            member_id=parse_id(form.get("member")),
        )
    except InvalidInput as error:
        return _invite_page(form.to_dict(), error.fields, 422)
    except Conflict as error:
        db.session().rollback()
        values = {
            name: form.get(name, "")[:200] for name in ("member", "name", "email", "role_id", "team_id")
        }
        cookie[TYPED] = {"tenant": str(context.tenant().id), "values": values}
        return _invite_page(values, {"_": [error.message]}, 422)
    cookie.pop(TYPED, None)
    return _done(_("An invitation is on its way to %(email)s.", email=member.email))


@blueprint.post("/settings/members/<uuid:member_id>/resend")
@needs("members:manage")
def resend(member_id: uuid.UUID) -> Any:
    """Send the invitation again."""
    count_mail()
    member = MemberService(db.session()).resend(member_id)
    return _done(_("A new invitation is on its way to %(email)s; the old link ends.", email=member.email))


# --- one member -------------------------------------------------------------------------------------------


def _member_page(member_id: uuid.UUID, errors: dict[str, Any] | None = None, status: int = 200) -> Response:
    row = get_member(db.session(), member_id)
    manages = context.actor().may("members:manage")
    values = {
        "name": row.name,
        "title": row.title,
        "role_id": str(row.role_id),
        "team_id": str(row.team_id or ""),
    }
    choices = _choices() if manages else {"roles": [], "teams": []}
    if manages and str(row.role_id) not in dict(choices["roles"]):
        choices["roles"] = [(str(row.role_id), row.role_name)]
    return render_page(
        "members/show.html",
        status=status,
        row=row,
        values={**values, **(request.form.to_dict() if errors else {})},
        errors=errors or {},
        badges=STATE_BADGES,
        manages=manages,
        self_=row.id == context.actor().member_id,
        **choices,
    )


@blueprint.get("/settings/members/<uuid:member_id>")
@needs("members:read")
def member(member_id: uuid.UUID) -> Any:
    """Show a member."""
    return _member_page(member_id)


@blueprint.post("/settings/members/<uuid:member_id>")
@needs("members:manage")
def member_post(member_id: uuid.UUID) -> Any:
    """Change a member."""
    form, version = request.form, request.form.get("version", "")
    try:
        changed = MemberService(db.session()).change(
            member_id,
            version=int(version) if version.isdecimal() and len(version) < 15 else None,
            name=form.get("name", ""),
            title=form.get("title", ""),
            role_id=parse_id(form.get("role_id")),
            team_id=parse_id(form.get("team_id")),
        )
    except InvalidInput as error:
        return _member_page(member_id, error.fields, 422)
    toast(_("%(name)s is saved.", name=changed.name))
    return redirect(f"/settings/members/{member_id}", 303)


@blueprint.post("/settings/members/<uuid:member_id>/park")
@needs("members:manage")
def park(member_id: uuid.UUID) -> Any:
    """Keep a member out."""
    changed = MemberService(db.session()).park(member_id)
    return _done(_("%(name)s is parked: what is theirs stays, they can't get in.", name=changed.name))


@blueprint.post("/settings/members/<uuid:member_id>/unpark")
@needs("members:manage")
def unpark(member_id: uuid.UUID) -> Any:
    """Let a member in again."""
    count_mail()
    return _done(back_text(MemberService(db.session()).unpark(member_id)))


def back_text(member: Member) -> str:
    """Say what became of a member who was parked."""
    if member.state == "invited":
        return _("%(name)s is invited anew; the mail is on its way.", name=member.name)
    return _("%(name)s is back.", name=member.name)


# --- teams ------------------------------------------------------------------------------------------------


def _teams_page(errors: dict[str, Any] | None = None, status: int = 200, wrong: str = "") -> Response:
    return render_page(
        "members/teams.html",
        status=status,
        teams=queries.teams(db.session()),
        errors=errors or {},
        wrong=wrong,
        typed=request.form.get("name", ""),
    )


@blueprint.get("/settings/teams")
@needs("members:manage")
def teams() -> Any:
    """List the teams."""
    return _teams_page()


@blueprint.post("/settings/teams")
@needs("members:manage")
def teams_post() -> Any:
    """Make a team."""
    try:
        team = TeamService(db.session()).create(request.form.get("name", ""))
    except InvalidInput as error:
        return _teams_page(error.fields, 422)
    toast(_("The team %(team)s is there.", team=team.name))
    return redirect("/settings/teams", 303)


@blueprint.post("/settings/teams/<uuid:team_id>")
@needs("members:manage")
def team_post(team_id: uuid.UUID) -> Any:
    """Rename a team."""
    try:
        team = TeamService(db.session()).rename(team_id, request.form.get("name", ""))
    except InvalidInput as error:
        return _teams_page(error.fields, 422, str(team_id))
    toast(_("The team is called %(team)s now.", team=team.name))
    return redirect("/settings/teams", 303)


@blueprint.post("/settings/teams/<uuid:team_id>/delete")
@needs("members:manage")
def team_delete(team_id: uuid.UUID) -> Any:
    """Remove a team without members."""
    TeamService(db.session()).delete(team_id)
    toast(_("The team is deleted."))
    return redirect("/settings/teams", 303)


from kehu.members import invitation_views, role_views  # noqa: E402, F401 - they register their routes
