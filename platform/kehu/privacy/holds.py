"""Legal holds: somebody has to be kept for a reason, until a day or until the hold is released."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context
from kehu.core.errors import Conflict, InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records.service import service_for
from kehu.core.text import clean
from kehu.customers.models import Contact
from kehu.privacy.collecting import Subject
from kehu.privacy.models import LegalHold

LONGEST = 300


def holding() -> tuple[Any, ...]:
    """Return the conditions of holds that hold today."""
    today = clock.today(context.tenant().tz)
    return LegalHold.released_at.is_(None), or_(LegalHold.until.is_(None), LegalHold.until >= today)


def of(session: Session, subject: Subject) -> Sequence[LegalHold]:
    """Return the holds of a person, of the contacts who go with him, and of the firm that a contact belongs to."""
    theirs = select(Contact.customer_id).where(Contact.id.in_(subject.contacts))
    statement = select(LegalHold).where(
        or_(
            LegalHold.customer_id.in_(subject.customers),
            LegalHold.contact_id.in_(subject.contacts),
            LegalHold.customer_id.in_(theirs),
        ),
        *holding(),
    )
    return session.execute(statement.order_by(LegalHold.id).limit(50)).scalars().all()


def touching(session: Session, model: Any, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Return which records that are no persons belong to a customer or contact who has to be kept."""
    held = select(LegalHold.customer_id).where(LegalHold.customer_id.is_not(None), *holding())
    people = select(LegalHold.contact_id).where(LegalHold.contact_id.is_not(None), *holding())
    bound = []
    if hasattr(model, "customer_id"):
        bound.append(model.customer_id.in_(held))
    if hasattr(model, "contact_id"):
        bound.append(model.contact_id.in_(people))
        bound.append(model.contact_id.in_(select(Contact.id).where(Contact.customer_id.in_(held))))
    if not bound or not ids:
        return set()
    return set(session.execute(select(model.id).where(model.id.in_(ids), or_(*bound))).scalars())


def refuse(session: Session, subject: Subject) -> None:
    """Refuse to erase somebody who has to be kept.

    :raises Conflict: with the reason.
    """
    for one in of(session, subject):
        raise Conflict(
            _(
                "A legal hold says that this person has to be kept: %(reason)s. Release it first.",
                reason=one.reason,
            )
        )


class HoldService:
    """Hold somebody, and release him; the right is the one to erase."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session, self.actor = session, actor or context.actor()

    def hold(self, object_name: str, record_id: object, reason: str, until: str = "") -> LegalHold:
        """Say that somebody has to be kept.

        :param until: the last day, as 2030-12-31; empty until it is released.
        :raises InvalidInput: names what is wrong.
        """
        self.actor.require("privacy:erase")
        said, day = clean(reason)[:LONGEST], None
        if not said:
            message = _("Say why this person has to be kept.")
            raise InvalidInput(message, fields={"reason": [message]})
        try:
            day = dt.date.fromisoformat(until) if until else None
        except ValueError as error:
            message = _("Write the day as 2030-12-31.")
            raise InvalidInput(message, fields={"until": [message]}) from error
        record = service_for(object_name, self.session, context.SYSTEM).get(record_id, lock=True)
        made = LegalHold(
            id=new_id(),
            customer_id=record.id if object_name == "customers" else None,
            contact_id=record.id if object_name == "contacts" else None,
            reason=said,
            until=day,
            said_at=clock.now(),
            member_id=self.actor.member_id,
            actor_name=self.actor.name,
        )
        self.session.add(made)
        self._note(object_name, record, "held", [None, said])
        return made

    def release(self, object_name: str, record_id: object, hold_id: object) -> None:
        """Say that somebody need not be kept any more.

        :raises NotFound: when there is no such hold, or it was released already.
        """
        self.actor.require("privacy:erase")
        record = service_for(object_name, self.session, context.SYSTEM).get(record_id, lock=True)
        column: Any = LegalHold.customer_id if object_name == "customers" else LegalHold.contact_id
        statement = select(LegalHold).where(
            LegalHold.id == parse_id(hold_id), column == record.id, LegalHold.released_at.is_(None)
        )
        found = self.session.execute(statement).scalar_one_or_none()
        if found is None:
            raise NotFound(_("This hold was released already."))
        found.released_at, found.released_by = clock.now(), self.actor.member_id
        self._note(object_name, record, "released", [found.reason, None])

    def _note(self, object_name: str, record: Any, action: str, said: list[Any]) -> None:
        audit.write(
            self.session,
            object=object_name,
            record_id=record.id,
            action=action,
            title=record.name,
            changes={"legal_hold": said},
            version=record.version,
            customer_id=record.id if object_name == "customers" else record.customer_id,
        )
