"""What can be done with members: invite, change, park. Rights are never given beyond one's own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from kehu.accounts.services import valid_email
from kehu.core import audit, clock, context, hooks
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleVersion
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.text import clean, fold, normal_email
from kehu.members import invitations, queries
from kehu.members.models import Member, Role, Team
from kehu.members.roles import only_reads

OWNER = "owner"
_WIDTH = {None: 0, "own": 1, "team": 2, "all": 3}


def outranks(actor: context.Actor, role: Role) -> bool:
    """Tell whether an actor holds every right of a role at least as far."""
    if actor.kind == "system" or actor.role == OWNER:
        return True
    if role.code == OWNER:
        return False
    return all(_WIDTH[actor.scope(code)] >= _WIDTH[scope] for code, scope in role.permissions.items())


class MemberService:
    """Look after the members of the present tenant."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.actor.require("members:manage")

    # --- reading ------------------------------------------------------------------------------------------

    def get(self, member_id: uuid.UUID) -> Member:
        """Return a member.

        :raises NotFound: when there is none.
        """
        found = self.session.execute(
            select(Member).where(Member.id == member_id, Member.deleted_at.is_(None))
        ).scalar_one_or_none()
        if found is None:
            raise NotFound(_("There is no such member."))
        return found

    def role(self, role_id: uuid.UUID | None) -> Role:
        """Return a role that the actor may give.

        :raises InvalidInput: when there is none.
        :raises Forbidden: when it reaches further than the actor's own.
        """
        found = self.session.execute(select(Role).where(Role.id == role_id)).scalar_one_or_none()
        if found is None:
            message = _("Choose a role of the list.")
            raise InvalidInput(message, fields={"role_id": [message]})
        if not outranks(self.actor, found):
            raise Forbidden(
                _("The role %(role)s may do more than yours. Ask an owner to give it.", role=found.name)
            )
        return found

    def team(self, team_id: uuid.UUID | None) -> Team | None:
        """Return a team, or None for none.

        :raises InvalidInput: when there is no such team.
        """
        if team_id is None:
            return None
        found = self.session.execute(select(Team).where(Team.id == team_id)).scalar_one_or_none()
        if found is None:
            message = _("Choose a team of the list.")
            raise InvalidInput(message, fields={"team_id": [message]})
        return found

    # --- inviting -----------------------------------------------------------------------------------------

    def invite(
        self,
        *,
        name: str,
        email: str,
        role_id: uuid.UUID | None,
        team_id: uuid.UUID | None = None,
        member_id: uuid.UUID | None = None,
    ) -> Member:
        """Invite a person, or make a placeholder one; the mail follows by a job.

        :raises InvalidInput: for a name, address, role or team that can't be used.
        :raises Conflict: when no seat is left.
        """
        name, email = self._name(name), valid_email(email)
        role, team = self.role(role_id), self.team(team_id)
        self._seat("invite", role)
        self._unused(email, except_id=member_id)
        if member_id is None:
            member = Member(
                id=new_id(),
                version=1,
                title="",
                prefs={},
                created_by=self.actor.member_id,
                custom={},
                user_id=None,
            )
        else:
            member = self.get(member_id)
            self._may_touch(member)
            if member.state not in ("placeholder", "invited"):
                raise Conflict(_("%(name)s is a member already.", name=member.name))
        member.name, member.name_norm = name, fold(name)
        member.email, member.email_norm = email, normal_email(email)
        member.role_id, member.team_id = role.id, team.id if team else None
        member.state = "invited"
        self.session.add(member)
        self.session.flush()  # The invitation points at the member.
        invitations.issue(self.session, member, self.actor)
        self._take_seat(member, "invite")
        self._note(member, "invited", {"email": [None, email], "role": [None, role.name]})
        return member

    def resend(self, member_id: uuid.UUID) -> Member:
        """Send a new invitation; links of earlier ones end.

        :raises Conflict: when the member has joined.
        """
        member = self.get(member_id)
        self._may_touch(member)
        if member.state != "invited":
            raise Conflict(_("%(name)s has no open invitation.", name=member.name))
        self._seat("resend", self._role_of(member))
        invitations.issue(self.session, member, self.actor)
        self._take_seat(member, "resend")
        self._note(member, "invited", {})
        return member

    # --- changing -----------------------------------------------------------------------------------------

    def change(self, member_id: uuid.UUID, version: int | None = None, **values: Any) -> Member:
        """Change name, title, role or team.

        :param values: `name`, `title`, `role_id`, `team_id`; only those given.
        :raises StaleVersion: when somebody else changed the member since `version`.
        :raises Conflict: for the last owner, and for a role that needs a seat when none is left.
        """
        member = self.get(member_id)
        self._may_touch(member)
        way = self._way_of_role(member, values)
        if version is not None and version != member.version:
            raise StaleVersion(
                _("Somebody else changed %(name)s meanwhile. Load the page again.", name=member.name),
                current=member.version,
            )
        if values.get("role_id", member.role_id) != member.role_id and self._role_of(member).code == OWNER:
            # Before anything is written: two who take each other's role must wait, not stand in each other's way.
            self._keep_an_owner(member)
        changes: dict[str, list[Any]] = {}
        if "name" in values and (name := self._name(values["name"])) != member.name:
            changes["name"] = [member.name, name]
            member.name, member.name_norm = name, fold(name)
        if "title" in values and (title := clean(values["title"])[:100]) != member.title:
            changes["title"] = [member.title, title]
            member.title = title
        if "role_id" in values and values["role_id"] != member.role_id:
            self._change_role(member, values["role_id"], changes)
        if "team_id" in values and values["team_id"] != member.team_id:
            self._change_team(member, values["team_id"], changes)
        if changes:
            member.updated_at, member.updated_by = clock.now(), self.actor.member_id
            self._note(member, "updated", changes)
            if "role" in changes and member.state in ("active", "invited"):
                # Also without a way: somebody may be changing what the role itself may do.
                self._take_seat(member, way or "widen")
        return member

    def _way_of_role(self, member: Member, values: Mapping[str, Any]) -> str:
        """Return what another role means for the member's seat, once there is room for it."""
        role_id = values.get("role_id", member.role_id)
        if role_id == member.role_id or member.state not in ("active", "invited"):
            return ""
        before, after = self._role_of(member), self.role(role_id)
        reads = only_reads(after.permissions)
        if only_reads(before.permissions) == reads:
            return ""
        self._seat("narrow" if reads else "widen", after)
        return "narrow" if reads else "widen"

    def _change_role(self, member: Member, role_id: uuid.UUID | None, changes: dict[str, list[Any]]) -> None:
        before, after = self._role_of(member), self.role(role_id)
        changes["role"] = [before.name, after.name]
        member.role_id = after.id

    def _change_team(self, member: Member, team_id: uuid.UUID | None, changes: dict[str, list[Any]]) -> None:
        before, after = self.team(member.team_id), self.team(team_id)
        changes["team"] = [before.name if before else None, after.name if after else None]
        member.team_id = after.id if after else None

    def park(self, member_id: uuid.UUID) -> Member:
        """Keep a member out; what is theirs stays theirs.

        :raises Conflict: for oneself and for the last owner.
        """
        member = self.get(member_id)
        self._may_touch(member)
        if member.id == self.actor.member_id:
            raise Conflict(_("You can't park yourself. Ask another admin."))
        if member.state == "parked":
            return member
        self._seat("park", self._role_of(member))
        if self._role_of(member).code == OWNER and member.state == "active":
            self._keep_an_owner(member)
        before, member.state = member.state, "parked"
        invitations.withdraw(self.session, member)
        self._note(member, "parked", {"state": [before, "parked"]})
        self._take_seat(member, "park")
        return member

    def unpark(self, member_id: uuid.UUID) -> Member:
        """Let a parked member in again; who had not joined yet is invited anew, since parking ended the invitation.

        :raises Conflict: when no seat is left.
        """
        member = self.get(member_id)
        self._may_touch(member)
        if member.state != "parked":
            return member
        anew = member.user_id is None and invitations.was_invited(self.session, member)
        way = "invite" if anew else "unpark"
        self._seat(way, self._role_of(member))
        member.state = "active" if member.user_id else "invited" if anew else "placeholder"
        if anew:
            invitations.issue(self.session, member, self.actor)
        self._note(member, "unparked", {"state": ["parked", member.state]})
        self._take_seat(member, way)
        return member

    # --- checks -------------------------------------------------------------------------------------------

    def _name(self, name: str) -> str:
        name = clean(name)
        if not 1 <= len(name) <= 100:
            message = _("Write a name with 1 to 100 characters.")
            raise InvalidInput(message, fields={"name": [message]})
        return name

    def _unused(self, email: str, except_id: uuid.UUID | None) -> None:
        statement = select(Member.id, Member.name, Member.state).where(
            Member.email_norm == normal_email(email), Member.deleted_at.is_(None)
        )
        for row in self.session.execute(statement.limit(10)):
            if row.id != except_id and row.state in ("active", "invited"):
                message = _("%(name)s has this address already.", name=row.name)
                raise InvalidInput(message, fields={"email": [message]})

    def _role_of(self, member: Member) -> Role:
        return self.session.execute(select(Role).where(Role.id == member.role_id)).scalar_one()

    def _may_touch(self, member: Member) -> None:
        role = self._role_of(member)
        if not outranks(self.actor, role):
            raise Forbidden(_("%(name)s may do more than you. Ask an owner.", name=member.name))

    def _keep_an_owner(self, member: Member) -> None:
        # Locked, so that two owners can't take each other's role in the same moment.
        statement = (
            select(Member.id)
            .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
            .where(Role.code == OWNER, Member.state == "active", Member.deleted_at.is_(None))
            .order_by(Member.id)
            .limit(1000)
            .with_for_update(of=Member)
        )
        others = [found for found in self.session.execute(statement).scalars() if found != member.id]
        if not others:
            raise Conflict(
                _("%(name)s is the last owner. Make somebody else an owner first.", name=member.name)
            )

    def _seat(self, way: str, role: Role) -> None:
        invitations.need_seat(way, viewer=only_reads(role.permissions))

    def _take_seat(self, member: Member, way: str) -> None:
        self.session.flush()  # The seat follows what the member is by now.
        hooks.first("kehu_take_seat", tenant_id=context.tenant().id, member_id=member.id, way=way)

    def _note(self, member: Member, action: str, changes: dict[str, list[Any]]) -> None:
        self.session.flush()  # The entry carries the version that the write gave.
        audit.write(
            self.session,
            object="members",
            record_id=member.id,
            action=action,
            title=member.name,
            changes=changes,
            version=member.version,
        )


def get_member(session: Session, member_id: uuid.UUID) -> Any:
    """Return a member with role and team for reading.

    :raises NotFound: when there is none.
    """
    context.actor().require("members:read")
    found = queries.get_member(session, member_id)
    if found is None:
        raise NotFound(_("There is no such member."))
    return found
