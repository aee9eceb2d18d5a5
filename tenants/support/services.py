"""Allowing operators in, going in, and what they may do there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from flask_babel import force_locale
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.accounts.models import LoginSession, User
from kehu.core import audit, clock, context
from kehu.core.context import Actor, Scope
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.permissions import registered
from kehu.core.text import clean
from kehu.members.models import Member, Role
from tenants.support.models import SupportGrant, SupportVisit
from tenants.support.permissions import RIGHT

HOURS = (1, 4, 24, 72, 168)
"""How long an owner may let operators in."""
LONGEST_VISIT = dt.timedelta(hours=4)
SHOWN = 20

_SECRET = frozenset({"webhooks", "members"})
"""Parts of a firm that support changes nothing of, whatever the owner allows: they lead outside, or to more rights."""


def rights(*, writes: bool) -> Mapping[str, Scope]:
    """Return what support may do in a firm: read; with the owner's word also add, change and put into the trash.

    Nothing that hands data out, imports, sends, erases, or manages members, roles, tokens, plugins, settings or
    billing, and nothing that a later release adds in other words.
    """
    found: dict[str, Scope] = {}
    for code in registered():
        resource, _colon, action = code.rpartition(":")
        if (action == "read" and resource != "webhooks") or (
            writes and action in ("write", "delete") and resource not in _SECRET
        ):
            found[code] = "all"
    return found


class SupportService:
    """Let operators into the present firm, and see who was there."""

    def __init__(self, session: Session) -> None:
        self.session, self.tenant = session, context.tenant()

    # --- the owner --------------------------------------------------------------------------------------------

    def grant(self, hours: str, *, writes: bool) -> SupportGrant:
        """Let operators in for some hours, in place of what was allowed before.

        :raises InvalidInput: for "hours" when they are none of the choices.
        :raises Conflict: when another owner allowed it at the same moment.
        """
        actor = context.actor()
        actor.require(RIGHT)
        if not hours.isdecimal() or int(hours) not in HOURS or actor.member_id is None:
            text = _("Choose how long.")
            raise InvalidInput(text, fields={"hours": [text]})
        self._close()
        now = clock.now()
        made = SupportGrant(
            member_id=actor.member_id,
            member_name=actor.name,
            made_at=now,
            until=now + dt.timedelta(hours=int(hours)),
            writes=writes,
        )
        try:
            with self.session.begin_nested():
                self.session.add(made)
        except IntegrityError as error:
            raise Conflict(_("Somebody else allowed it a moment ago. Load the page again.")) from error
        self._note("granted", {"until": [None, made.until.isoformat()], "writes": [None, writes]})
        return made

    def end(self) -> None:
        """Let nobody in any more; who is inside is out with the next click."""
        context.actor().require(RIGHT)
        if self._close():
            self._note("revoked", {})

    def _close(self) -> bool:
        now = clock.now()
        closed = self.session.execute(
            update(SupportGrant)
            .where(SupportGrant.tenant_id == self.tenant.id, SupportGrant.ended_at.is_(None))
            .values(ended_at=now)
            .returning(SupportGrant.id)
        ).all()
        self.session.execute(
            update(SupportVisit)
            .where(SupportVisit.tenant_id == self.tenant.id, SupportVisit.ended_at.is_(None))
            .values(ended_at=now)
        )
        return bool(closed)

    def open_grant(self) -> SupportGrant | None:
        """Return what is allowed now: neither ended nor run out, by somebody who still may allow it."""
        statement = (
            select(SupportGrant)
            .join(Member, Member.id == SupportGrant.member_id)
            .join(Role, Role.id == Member.role_id)
            .where(
                SupportGrant.ended_at.is_(None),
                SupportGrant.until > clock.now(),
                Member.state == "active",
                Member.deleted_at.is_(None),
                or_(Role.code == "owner", Role.permissions.has_key(RIGHT)),
            )
        )
        return self.session.execute(statement).scalar_one_or_none()

    def visits(self) -> Sequence[SupportVisit]:
        """Return the latest visits."""
        statement = select(SupportVisit).order_by(SupportVisit.made_at.desc()).limit(SHOWN)
        return self.session.execute(statement).scalars().all()

    # --- the operator -----------------------------------------------------------------------------------------

    def enter(self, user: User, session_id: uuid.UUID, reason: str) -> SupportVisit:
        """Let an operator in from one browser; the caller has checked that it is an operator.

        :raises Conflict: while no owner allows it, or nobody gets into the firm.
        :raises InvalidInput: for "reason" when it is empty.
        """
        reason = clean(reason)[:300]
        if len(reason) < 3:
            text = _("Write why you go in: the firm reads it.")
            raise InvalidInput(text, fields={"reason": [text]})
        allowed = self.open_grant()
        if allowed is None or self.tenant.state != "active":
            raise Conflict(
                _("No owner of the firm lets support in now. Ask for it: Settings, Support access.")
            )
        made = SupportVisit(
            grant_id=allowed.id,
            user_id=user.id,
            session_id=session_id,
            name=user.name or user.email,
            reason=reason,
            made_at=clock.now(),
        )
        self.session.add(made)
        self.session.flush()  # The trail names it, and so does the cookie.
        with context.use(actor=acting(made, allowed)):
            self._note("entered", {"reason": [None, reason], "writes": [None, allowed.writes]})
        return made

    def live(self, visit_id: uuid.UUID, user_id: uuid.UUID, session_id: uuid.UUID) -> Actor | None:
        """Return who acts by a visit, or None when it is over, or another person's, browser's or firm's."""
        statement = select(SupportVisit).where(
            SupportVisit.id == visit_id,
            SupportVisit.user_id == user_id,
            SupportVisit.session_id == session_id,
        )
        return self._acting(self.session.execute(statement).scalar_one_or_none())

    def working(self, visit_id: uuid.UUID) -> Actor | None:
        """Return who acts by a visit in a job that it left behind; None once it is over."""
        statement = select(SupportVisit).where(SupportVisit.id == visit_id)
        return self._acting(self.session.execute(statement).scalar_one_or_none())

    def _acting(self, visit: SupportVisit | None) -> Actor | None:
        if visit is None or visit.ended_at is not None or visit.made_at + LONGEST_VISIT <= clock.now():
            return None
        allowed = self.open_grant()
        if allowed is None or allowed.id != visit.grant_id:
            return None
        signed_in = (
            select(User.id)
            .join(LoginSession, LoginSession.user_id == User.id)
            .where(
                User.id == visit.user_id,
                User.operator,
                User.active,
                LoginSession.id == visit.session_id,
                LoginSession.revoked_at.is_(None),
            )
        )
        if self.session.execute(signed_in).first() is None:
            return None
        return acting(visit, allowed)

    def leave(self, visit_id: uuid.UUID, user_id: uuid.UUID) -> None:
        """End a visit of a person's own."""
        left = self.session.execute(
            update(SupportVisit)
            .where(
                SupportVisit.tenant_id == self.tenant.id,
                SupportVisit.id == visit_id,
                SupportVisit.user_id == user_id,
                SupportVisit.ended_at.is_(None),
            )
            .values(ended_at=clock.now())
            .returning(SupportVisit.name)
        ).first()
        if left is not None:
            with context.use(actor=Actor(kind="support", name=left.name)):
                self._note("left", {})

    def saw(self, visit_id: uuid.UUID, path: str) -> None:
        """Keep that a page was opened."""
        self.session.execute(
            update(SupportVisit)
            .where(SupportVisit.tenant_id == self.tenant.id, SupportVisit.id == visit_id)
            .values(pages=SupportVisit.pages + 1)
        )
        self._note("opened", {}, path)

    def _note(self, action: str, changes: dict[str, list[object]], title: str = "") -> None:
        audit.write(
            self.session,
            object="support",
            record_id=self.tenant.id,
            action=action,
            title=title or self.tenant.name,
            changes=changes,
        )


def acting(visit: SupportVisit, allowed: SupportGrant) -> Actor:
    """Return the operator as who acts in the firm: in his own name, for the owner who let him in.

    The name stands in the firm's trail, so it is in the firm's language.
    """
    with force_locale(context.tenant().locale):
        name = _("%(operator)s of support for %(owner)s", operator=visit.name, owner=allowed.member_name)
    return Actor(
        kind="support",
        member_id=allowed.member_id,
        user_id=visit.user_id,
        name=name,
        role="support",
        permissions=rights(writes=allowed.writes),
        visit_id=visit.id,
        session_id=visit.session_id,
    )


def writes(actor: Actor) -> bool:
    """Tell whether the owner lets support change records."""
    return "customers:write" in actor.permissions
