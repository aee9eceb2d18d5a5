"""Messages are kept first, byte for byte, and read afterwards: what can't be read is never lost."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import undefer

from kehu.api import (
    Actor,
    Call,
    InvalidInput,
    NotFound,
    ReceivedMail,
    Session,
    _,
    actor,
    audit,
    clean,
    clock,
    insert,
    new_id,
    or_,
    parse_id,
    run_later,
    select,
    tenant,
)
from plugins_builtin.automotive.leads.models import LeadAddress, LeadMessage
from plugins_builtin.automotive.leads.permissions import SETUP

TAKEN = 1024 * 1024
"""Bytes of a message that is kept at all; a longer one is refused, so that its sender knows."""
READ_JOB = "automotive.leads_read"


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A message on its way in.

    :param source: what leads are called by that name no provider: the address at which they came in.
    """

    raw: bytes
    channel: str
    sender: str = ""
    message_id: str = ""
    charset: str = ""
    source: str = ""


def keep(session: Session, message: Incoming) -> uuid.UUID:
    """Keep a message and ask for its reading; the same bytes again give the same id."""
    now = clock.now()
    again = _same_mail(session, message)
    if again is not None:
        again.times, again.last_at = again.times + 1, now
        return again.id
    row = {
        "tenant_id": tenant().id,
        "id": new_id(),
        "channel": message.channel,
        "content_hash": hashlib.sha256(message.raw).hexdigest(),
        "message_id": clean(message.message_id)[:998],
        "sender": clean(message.sender)[:254],
        "charset": clean(message.charset)[:40],
        "source": clean(message.source)[:120],
        "raw": message.raw,
        "size": len(message.raw),
        "received_at": now,
        "last_at": now,
        "times": 1,
    }
    statement = insert(LeadMessage).values(row)
    kept: uuid.UUID = session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "content_hash"],
            set_={"times": LeadMessage.times + 1, "last_at": now},
            where=LeadMessage.tenant_id == tenant().id,
        ).returning(LeadMessage.id)
    ).scalar_one()
    run_later(session, READ_JOB, once=str(kept), message_id=str(kept))
    return kept


def take_mail(ctx: Call, mail: ReceivedMail) -> bool:
    """Keep a mail to the mailbox of leads."""
    if mail.box != str(ctx.settings["leads_box"]).strip().lower():
        return False
    keep(
        ctx.session,
        Incoming(raw=mail.raw, channel="mail", sender=mail.sender, message_id=mail.message_id),
    )
    return True


def _same_mail(session: Session, message: Incoming) -> LeadMessage | None:
    """Return the message that came under the same id: a mail that took two ways differs in its headers.

    What says something else is another message: there are senders that give all their mails one id.
    """
    if not message.message_id:
        return None
    statement = (
        select(LeadMessage)
        .options(undefer(LeadMessage.raw))
        .where(LeadMessage.message_id == clean(message.message_id)[:998])
        .order_by(LeadMessage.received_at.desc())
        .limit(20)
        .with_for_update()
    )
    said = _said(message.raw)
    return next((one for one in session.execute(statement).scalars() if _said(one.raw) == said), None)


def _said(raw: bytes) -> bytes:
    """Return a mail without its headers and white space, which mail servers change."""
    return b"".join(re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1].split())


class AddressService:
    """Make and close the addresses at which leads come in.

    :param session: the unit of work.
    """

    def __init__(self, session: Session, who: Actor | None = None) -> None:
        self.session = session
        self.actor = who or actor()

    def all(self) -> list[LeadAddress]:
        """Return the addresses, open ones first, then by name."""
        self.actor.require(SETUP)
        statement = (
            select(LeadAddress).order_by(LeadAddress.deleted_at.is_not(None), LeadAddress.name).limit(200)
        )
        return list(self.session.execute(statement).scalars())

    def make(self, name: str) -> tuple[LeadAddress, str]:
        """Make an address and return it with its secret, which is told this once.

        :raises InvalidInput: when it has no name.
        """
        self.actor.require(SETUP)
        name = clean(name)[:80]
        if not name:
            message = _("Say who sends leads to this address, for example the name of a website.")
            raise InvalidInput(message, fields={"name": [message]})
        secret = secrets.token_urlsafe(24)
        made = LeadAddress(
            id=new_id(), tenant_id=tenant().id, version=1, name=name, secret_hash=hashed(secret),
            created_by=self.actor.member_id, updated_by=self.actor.member_id,
        )  # fmt: skip
        self.session.add(made)
        self._trail(made, "created")
        return made, secret

    def close(self, address_id: object) -> LeadAddress:
        """Close an address: what is sent to it is answered as if it had never been there."""
        return self._set_closed(address_id, True)

    def reopen(self, address_id: object) -> LeadAddress:
        """Open a closed address again, with the same secret."""
        return self._set_closed(address_id, False)

    def _set_closed(self, address_id: object, closed: bool) -> LeadAddress:
        self.actor.require(SETUP)
        found = parse_id(address_id)
        address: Any = None
        if found is not None:
            statement = select(LeadAddress).where(LeadAddress.id == found).with_for_update()
            address = self.session.execute(statement).scalar_one_or_none()
        if address is None or (address.deleted_at is not None) == closed:
            raise NotFound(_("There is no such address for leads."))
        address.deleted_at = clock.now() if closed else None
        address.deleted_by = self.actor.member_id if closed else None
        self._trail(address, "trashed" if closed else "restored")
        return address  # type: ignore[no-any-return]

    def _trail(self, address: LeadAddress, action: str) -> None:
        audit(
            self.session,
            object="automotive.lead_addresses",
            record_id=address.id,
            action=action,
            title=address.name,
        )


def used(session: Session, address: LeadAddress) -> None:
    """Note that an address was used, to the minute; past its version, since many may post at once."""
    now = clock.now()
    session.execute(
        update(LeadAddress)
        .where(
            LeadAddress.tenant_id == tenant().id,
            LeadAddress.id == address.id,
            or_(LeadAddress.used_at.is_(None), LeadAddress.used_at < now - dt.timedelta(minutes=1)),
        )
        .values(used_at=now, version=LeadAddress.version),
        execution_options={"synchronize_session": False},
    )


def hashed(secret: str) -> str:
    """Return under what a secret is found; it has 192 random bits, so that a plain hash keeps it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def address_of(session: Session, secret: str) -> LeadAddress | None:
    """Return the open address that a secret belongs to."""
    statement = select(LeadAddress).where(
        LeadAddress.secret_hash == hashed(secret), LeadAddress.deleted_at.is_(None)
    )
    return session.execute(statement).scalar_one_or_none()
