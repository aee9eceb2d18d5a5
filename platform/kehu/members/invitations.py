"""Invitations: a link in a mail, made at delivery, by which a person becomes a member."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.accounts.models import User
from kehu.accounts.security import derived_key
from kehu.core import audit, clock, context, db, hooks, mail
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.members.models import Invitation, Member, Role
from kehu.members.roles import only_reads

VALID = dt.timedelta(days=14)
MAIL = "members/mail/invitation"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An invitation that can be accepted."""

    invitation: Invitation
    member: Member
    inviter: str


def _secret(invitation: Invitation) -> str:
    # Made from the installation's key, so that neither the table nor the queue of mails holds it.
    key = derived_key(str(current_app.config["SECRET_KEY"]), "invitation").encode()
    text = f"{invitation.id.hex}/{int(invitation.expires_at.timestamp())}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def issue(session: Session, member: Member, inviter: context.Actor) -> Invitation:
    """Offer membership; earlier offers to the same member end. The mail follows by a job."""
    withdraw(session, member)
    moment = clock.now()
    invitation = Invitation(
        id=new_id(),
        member_id=member.id,
        invited_by=inviter.member_id,
        created_at=moment,
        expires_at=(moment + VALID).replace(microsecond=0),
    )
    invitation.secret_hash = _hash(_secret(invitation))
    session.add(invitation)
    session.flush()  # The mail's job names it.
    mail.send(
        session,
        member.email,
        MAIL,
        invitation_id=str(invitation.id),
        name=member.name,
        inviter=inviter.name,
        firm=context.tenant().name,
    )
    return invitation


def withdraw(session: Session, member: Member) -> None:
    """End the open offers to a member."""
    statement = update(Invitation).where(
        Invitation.tenant_id == db.tenant_id(),
        Invitation.member_id == member.id,
        Invitation.accepted_at.is_(None),
    )
    session.execute(
        statement.values(expires_at=clock.now()), execution_options={"synchronize_session": False}
    )


def was_invited(session: Session, member: Member) -> bool:
    """Return whether a member was ever offered to join."""
    statement = select(Invitation.id).where(Invitation.member_id == member.id).limit(1)
    return session.execute(statement).first() is not None


def link(invitation: Invitation) -> str:
    """Return the address by which an offer is accepted."""
    base = current_app.extensions["kehu.settings"].base_url()
    return f"{base}/invitation/{context.tenant().id.hex}.{invitation.id.hex}.{_secret(invitation)}"


@mail.values_for(MAIL)
def _letter(session: Session, values: mail.Values) -> mail.Values | None:
    statement = select(Invitation).where(Invitation.id == uuid.UUID(values["invitation_id"]))
    invitation = session.execute(statement).scalar_one_or_none()
    if invitation is None or invitation.accepted_at is not None or invitation.expires_at <= clock.now():
        return None
    return {**values, "url": link(invitation), "days": VALID.days}


def find(token: str) -> Offer:
    """Return the offer of a link and bind its tenant to the unit of work.

    :raises NotFound: when it is used up, too old or made up.
    """
    parts = token.split(".")
    tenant_id, invitation_id = (parse_id(part) for part in parts[:2]) if len(parts) == 3 else (None, None)
    tenant = hooks.tenant_by_id(tenant_id) if tenant_id is not None else None
    if tenant is None or tenant.state != "active":
        raise _of_no_use()
    db.bind_tenant(tenant)
    session = db.session()
    invitation = session.execute(
        select(Invitation).where(Invitation.id == invitation_id)
    ).scalar_one_or_none()
    if (
        invitation is None
        or not hmac.compare_digest(invitation.secret_hash, _hash(parts[2]))
        or invitation.accepted_at is not None
        or invitation.expires_at <= clock.now()
    ):
        raise _of_no_use()
    member = session.execute(
        select(Member).where(Member.id == invitation.member_id, Member.deleted_at.is_(None))
    ).scalar_one_or_none()
    if member is None or member.state != "invited":
        raise _of_no_use()
    inviter = session.execute(
        select(Member.name).where(Member.id == invitation.invited_by)
    ).scalar_one_or_none()
    return Offer(invitation=invitation, member=member, inviter=inviter or tenant.name)


def _of_no_use() -> NotFound:
    return NotFound(
        _(
            "This invitation was used, withdrawn, or is older than two weeks. Ask for a new one from who invited you."
        )
    )


def need_seat(way: str, *, viewer: bool) -> None:
    """Make sure that somebody can be let in, before anything is written.

    :raises Conflict: when not, with the way out.
    """
    check: Any = hooks.first("kehu_seat_check", tenant_id=context.tenant().id, way=way, viewer=viewer)
    if check is not None and not check.allowed:
        raise Conflict(str(check.reason))


def accept(session: Session, offer: Offer, user: User) -> Member:
    """Make a person the member whom the offer names.

    :raises Conflict: when the person is a member already, or no seat is left.
    """
    member = offer.member
    role = session.execute(select(Role.permissions).where(Role.id == member.role_id)).scalar_one()
    need_seat("accept", viewer=only_reads(role))
    try:
        with session.begin_nested():
            member.user_id, member.state = user.id, "active"
            offer.invitation.accepted_at = clock.now()
            session.flush()  # The unique index says whether the person is a member already.
    except IntegrityError as error:
        raise Conflict(_("You are a member of %(firm)s already.", firm=context.tenant().name)) from error
    hooks.first("kehu_take_seat", tenant_id=context.tenant().id, member_id=member.id, way="accept")
    actor = context.Actor(member_id=member.id, user_id=user.id, name=member.name)
    with context.use(actor=actor):
        audit.write(
            session,
            object="members",
            record_id=member.id,
            action="joined",
            title=member.name,
            version=member.version,
            changes={"state": ["invited", "active"]},
        )
    return member
