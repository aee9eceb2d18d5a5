"""Who can see a record, change it and put it into the trash, and why: members, API tokens and plugins.

The answer comes from the code by which lists and services keep to scopes (`kehu.core.records.scope`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from kehu.core import clock, context, db, hooks
from kehu.core.context import Actor
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.permissions import everything
from kehu.core.records import rights
from kehu.core.records import scope as scoping
from kehu.core.records.scope import Verdict
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

PAGE = 50
MOST_TOKENS = 200
ACTIONS = ("read", "write", "delete")


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What somebody may do with a record."""

    verdicts: dict[str, Verdict]

    def may(self, action: str) -> bool:
        """Tell whether he may do it; who may not see a record does nothing with it."""
        return self.verdicts["read"].allowed and self.verdicts[action].allowed

    def why(self, action: str) -> str:
        """Return the reason: why he may, or what stands in the way."""
        if not self.verdicts["read"].allowed:
            return self.verdicts["read"].why
        return self.verdicts[action].why


@dataclass(frozen=True, kw_only=True)
class Seer:
    """One who may or may not, with a cell of words for each action, and the fields that he does not see or change."""

    name: str
    note: str
    cells: Sequence[tuple[bool, str]] = field(default_factory=tuple)
    hidden: str = ""
    locked: str = ""


def show(pages: RecordPages, record_id: uuid.UUID) -> ResponseReturnValue:
    """Show who can see a record."""
    session = db.session()
    context.actor().require("members:read")
    service = service_for(pages.name, session)
    record = service.get(record_id)
    audience = Audience(session, pages.type, record)
    after = request.args.get("after", "")
    rows = members(session, after)
    shown = rows[:PAGE]
    more = len(rows) > PAGE
    return render_page(
        "records/seers.html",
        {},
        title=service.title_of(record),
        first=not after,
        members=[audience.seer(row.name, row.role_name, actor_of(row)) for row in shown],
        others=[] if after else [*_tokens(session, audience), *_plugins(audience)],
        more_url=pages.url("seers", record_id=record_id, after=f"{shown[-1].id}~{shown[-1].name_norm}")
        if more
        else "",
    )


def members(session: Session, after: str = "", limit: int = PAGE) -> Sequence[Any]:
    """Return who can get in, by name; one more than the page holds tells that there are more."""
    from kehu.members.models import Member, Role  # Its pages stand on those of records.

    statement = (
        select(
            Member.id,
            Member.name,
            Member.name_norm,
            Member.team_id,
            Role.id.label("role_id"),
            Role.code.label("role_code"),
            Role.name.label("role_name"),
            Role.permissions,
        )
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Member.state == "active", Member.deleted_at.is_(None))
        .order_by(Member.name_norm, Member.id)
        .limit(limit + 1)
    )
    last, _sign, name = after.partition("~")
    last_id = parse_id(last)
    if last_id is not None:
        statement = statement.where(
            or_(Member.name_norm > name, and_(Member.name_norm == name, Member.id > last_id))
        )
    return session.execute(statement).all()


def actor_of(row: Any) -> Actor:
    """Return a member of the list as one who acts."""
    return Actor(
        member_id=row.id,
        name=row.name,
        role=row.role_code,
        team_id=row.team_id,
        # Owners may do everything, also what a later release or a plugin brings.
        permissions=everything() if row.role_code == "owner" else row.permissions,
    )


class Audience:
    """Says of one record who may do what with it.

    Those of one role and team who own nothing of it share an answer, which is asked for once.
    """

    def __init__(self, session: Session, record_type: RecordType, record: Any) -> None:
        self.session, self.type, self.record = session, record_type, record
        self.owners = self._owners()
        self.known: dict[Any, Reach] = {}

    def _owners(self) -> set[uuid.UUID | None]:
        """Return the owners of the record and of those whose names it bears."""
        found: set[uuid.UUID | None] = set()
        kind, record = self.type, self.record
        while record is not None:
            if kind.owner:
                found.add(getattr(record, kind.owner))
            if not kind.named_by:
                break
            pointer = getattr(record, kind.named_by)
            kind = get_type(kind.by_key[kind.named_by].ref)
            model: Any = kind.model
            record = self.session.execute(select(model).where(model.id == pointer)).scalar_one_or_none()
        return found

    def reach(self, actor: Actor) -> Reach:
        """Return what an actor may do with the record, and why."""
        mine = actor.member_id if actor.member_id in self.owners else None
        key = actor.kind, actor.role, actor.team_id, mine, tuple(sorted(actor.permissions.items()))
        if key not in self.known:
            self.known[key] = Reach(
                verdicts={
                    action: scoping.explain(
                        self.type, self.record, actor, actor.scope(f"{self.type.name}:{action}"), self.session
                    )
                    for action in ACTIONS
                }
            )
        return self.known[key]

    def seer(self, name: str, note: str, actor: Actor) -> Seer:
        """Return one line of the panel."""
        reach, words = self.reach(actor), self.words()
        hidden, locked = self.fields(actor)
        return Seer(
            name=name,
            note=note,
            cells=[(reach.may(one), words[reach.why(one)]) for one in ACTIONS],
            hidden=", ".join(hidden) if reach.may("read") else "",
            locked=", ".join(locked) if reach.may("write") else "",
        )

    def fields(self, actor: Actor) -> tuple[list[str], list[str]]:
        """Return the labels of the fields that an actor does not see, and of those that he sees and may not change.

        Who asks reads only of fields that he sees himself.
        """
        role, said = rights.role_of(actor), rights.of(self.type.name)
        shown = [one for one in self.type.fields if role is not None and one.key in said]
        hidden = [one for one in shown if not said[one.key].sees(role or "")]
        locked = [one for one in shown if one not in hidden and not said[one.key].edits(role or "")]
        return [str(one.label) for one in hidden], [str(one.label) for one in locked]

    def words(self) -> dict[str, str]:
        """Return the reasons in words."""
        named = get_type(self.type.by_key[self.type.named_by].ref).label if self.type.named_by else ""
        return {
            "none": _("The role lacks the right."),
            "all": _("The role reaches all %(things)s.", things=self.type.plural),
            "own": _("It is the member's own."),
            "team": _("It belongs to somebody of the same team."),
            "unowned": _("It belongs to nobody yet."),
            "other": _("It belongs to somebody else."),
            "named": _("The %(thing)s that it belongs to may not be seen.", thing=named),
        }


def _tokens(session: Session, audience: Audience) -> list[Seer]:
    from kehu.members.models import ApiToken, Member, Role
    from kehu.rest.auth import narrowed

    statement = (
        select(
            ApiToken.name.label("token_name"),
            ApiToken.scopes,
            Member.id,
            Member.name,
            Member.team_id,
            Role.code.label("role_code"),
            Role.permissions,
        )
        .join(Member, and_(Member.tenant_id == ApiToken.tenant_id, Member.id == ApiToken.member_id))
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > clock.now()),
            Member.state == "active",
            Member.deleted_at.is_(None),
        )
        .order_by(ApiToken.name, ApiToken.id)
        .limit(MOST_TOKENS)
    )
    found = []
    for row in session.execute(statement):
        who = actor_of(row)
        actor = replace(who, kind="api", permissions=narrowed(dict(row.permissions), row.scopes))
        found.append(audience.seer(row.token_name, _("API token of %(name)s", name=row.name), actor))
    return found


def _plugins(audience: Audience) -> list[Seer]:
    from kehu.addons.visitors import plugin_actor

    actors = [plugin_actor(slug) for slug in sorted(hooks.enabled())]
    return [
        audience.seer(actor.name, _("Plugin"), actor)
        for actor in actors
        if actor.may(f"{audience.type.name}:read")
    ]
