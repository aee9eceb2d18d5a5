"""Roles and teams: the tenant's own data."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.core import audit, context, gate, hooks
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kehu.core.i18n import _, _n
from kehu.core.ids import new_id
from kehu.core.permissions import offered
from kehu.core.text import clean, fold
from kehu.members.invitations import need_seat
from kehu.members.models import Member, Role, Team
from kehu.members.roles import only_reads
from kehu.members.services import OWNER, outranks

SCOPES = ("own", "team", "all")


def checked_name(name: str) -> str:
    """Return a name that may be used.

    :raises InvalidInput: for the field "name".
    """
    name = clean(name)
    if not 1 <= len(name) <= 60:
        message = _("Write a name with 1 to 60 characters.")
        raise InvalidInput(message, fields={"name": [message]})
    return name


class RoleService:
    """Change what roles may do."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.actor.require("roles:manage")

    def get(self, role_id: uuid.UUID) -> Role:
        """Return a role.

        :raises NotFound: when there is none.
        """
        found = self.session.execute(select(Role).where(Role.id == role_id)).scalar_one_or_none()
        if found is None:
            raise NotFound(_("There is no such role."))
        return found

    def create(self, name: str, like: uuid.UUID) -> Role:
        """Make a role that starts with what another one may do.

        :raises PaymentNeeded: when the firm's plan has no roles of its own.
        """
        gate.require_feature("custom_roles", _("Roles of your own"))
        name, model = checked_name(name), self.get(like)
        if not outranks(self.actor, model):
            raise Forbidden(
                _("The role %(role)s may do more than yours. Start from another one.", role=model.name)
            )
        self._unused(name)
        stem = re.sub(r"[^a-z0-9]+", "_", fold(name)).strip("_")[:30] or "role"
        role = Role(
            id=new_id(),
            code=f"{stem}_{new_id().hex[-6:]}",
            name=name,
            permissions=dict(model.permissions)
            if model.code != OWNER
            else self._held(dict(model.permissions)),
            builtin=False,
        )
        self.session.add(role)
        self._note(role, "created", {"name": [None, name]})
        return role

    def update(self, role_id: uuid.UUID, name: str, grants: Mapping[str, str]) -> Role:
        """Change a role's name and rights.

        :param grants: permission code -> own, team or all; those left out are not granted.
        :raises Forbidden: for the owner's role, and for rights beyond the actor's own.
        """
        role = self.get(role_id)
        if role.code == OWNER:
            raise Forbidden(_("Owners may do everything; this role can't be changed."))
        if not outranks(self.actor, role):
            raise Forbidden(_("The role %(role)s may do more than yours. Ask an owner.", role=role.name))
        name = checked_name(name)
        if name != role.name:
            self._unused(name)
        wanted = self._held(self._checked(grants))
        changes: dict[str, list[Any]] = {} if name == role.name else {"name": [role.name, name]}
        # Rights of plugins that are not installed, or off now, stay as they are.
        known = offered()
        kept = {code: scope for code, scope in role.permissions.items() if code not in known}
        new = {**kept, **wanted}
        for code in sorted({*role.permissions, *new}):
            before, after = role.permissions.get(code), new.get(code)
            if before != after:
                changes[code] = [before, after]
        if changes:
            reads = only_reads(new)
            moved = reads != only_reads(role.permissions)
            way = "narrow" if reads else "widen"
            if moved:
                need_seat(way, viewer=reads)
            role.name, role.permissions = name, new
            self._note(role, "updated", changes)
            if moved:
                self._move_seats(role, way)
        return role

    def _move_seats(self, role: Role, way: str) -> None:
        """Let the seats of all who have a role follow it; there has to be room for every one of them."""
        statement = select(Member.id).where(Member.role_id == role.id, Member.deleted_at.is_(None))
        for member_id in list(self.session.execute(statement.order_by(Member.id).limit(1000)).scalars()):
            hooks.first("kehu_take_seat", tenant_id=context.tenant().id, member_id=member_id, way=way)

    def delete(self, role_id: uuid.UUID) -> None:
        """Remove a role that nobody has.

        :raises Conflict: for a built-in role, or one that members have.
        """
        role = self.get(role_id)
        if role.builtin:
            raise Conflict(
                _("The role %(role)s belongs to the product and can't be deleted.", role=role.name)
            )
        used = len(self.session.execute(select(Member.id).where(Member.role_id == role.id).limit(100)).all())
        if used:
            raise Conflict(
                _n(
                    "%(num)s member has the role %(role)s. Give another one first.",
                    "%(num)s members have the role %(role)s. Give them another one first.",
                    used,
                    role=role.name,
                )
            )
        self._note(role, "deleted", {"name": [role.name, None]})
        self.session.delete(role)

    def _checked(self, grants: Mapping[str, str]) -> dict[str, str]:
        known = offered()
        found: dict[str, str] = {}
        for code, scope in grants.items():
            if code in known and scope in SCOPES:
                found[code] = scope if known[code].scoped else "all"
        return found

    def _held(self, grants: dict[str, str]) -> dict[str, str]:
        if self.actor.role == OWNER or self.actor.kind == "system":
            return grants
        width = {None: 0, "own": 1, "team": 2, "all": 3}
        beyond = [code for code, scope in grants.items() if width[self.actor.scope(code)] < width[scope]]
        if beyond:
            raise Forbidden(
                _(
                    "You can't give rights that you don't have: %(codes)s.",
                    codes=", ".join(sorted(beyond)[:5]),
                )
            )
        return grants

    def _unused(self, name: str) -> None:
        for role in self.session.execute(select(Role.name).limit(500)).scalars():
            if fold(role) == fold(name):
                message = _("There is a role of this name already.")
                raise InvalidInput(message, fields={"name": [message]})

    def _note(self, role: Role, action: str, changes: dict[str, list[Any]]) -> None:
        self.session.flush()  # A refusal by the database has to come before the entry.
        audit.write(
            self.session, object="roles", record_id=role.id, action=action, title=role.name, changes=changes
        )


class TeamService:
    """Name teams; who belongs to one stands with the member."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.actor.require("members:manage")

    def get(self, team_id: uuid.UUID) -> Team:
        """Return a team.

        :raises NotFound: when there is none.
        """
        found = self.session.execute(select(Team).where(Team.id == team_id)).scalar_one_or_none()
        if found is None:
            raise NotFound(_("There is no such team."))
        return found

    def create(self, name: str) -> Team:
        """Make a team.

        :raises InvalidInput: when the name is used.
        """
        team = Team(id=new_id(), name=checked_name(name))
        self._save(team)
        self._note(team, "created", {"name": [None, team.name]})
        return team

    def rename(self, team_id: uuid.UUID, name: str) -> Team:
        """Change a team's name.

        :raises InvalidInput: when the name is used.
        """
        team, name = self.get(team_id), checked_name(name)
        if name != team.name:
            before, team.name = team.name, name
            self._save(team)
            self._note(team, "updated", {"name": [before, name]})
        return team

    def delete(self, team_id: uuid.UUID) -> None:
        """Remove a team that has no members.

        :raises Conflict: when it has some.
        """
        team = self.get(team_id)
        if self.session.execute(select(Member.id).where(Member.team_id == team.id).limit(1)).first():
            raise Conflict(
                _("The team %(team)s has members. Move them to another team first.", team=team.name)
            )
        self._note(team, "deleted", {"name": [team.name, None]})
        self.session.delete(team)

    def _save(self, team: Team) -> None:
        message = _("There is a team of this name already.")
        try:
            with self.session.begin_nested():
                self.session.add(team)
                self.session.flush()  # The unique index says whether the name is free.
        except IntegrityError as error:
            raise InvalidInput(message, fields={"name": [message]}) from error

    def _note(self, team: Team, action: str, changes: dict[str, list[Any]]) -> None:
        audit.write(
            self.session, object="teams", record_id=team.id, action=action, title=team.name, changes=changes
        )
