"""Kept messages are read: each prospect becomes a lead, what can't be taken in waits with its reason."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import undefer

from kehu.api import Call, KehuError, Session, clean, clock, fold, parse_id, run_later, select, tenant
from plugins_builtin.automotive.leads import adf, mails, normal
from plugins_builtin.automotive.leads.adf import Prospect, Unreadable
from plugins_builtin.automotive.leads.intake import READ_JOB
from plugins_builtin.automotive.leads.models import Lead, LeadMessage
from plugins_builtin.automotive.leads.normal import Person
from plugins_builtin.automotive.leads.services import LeadService
from plugins_builtin.automotive.leads.settling import name_of, settle

LEFT_BEHIND = dt.timedelta(minutes=2)


def read_job(ctx: Call, message_id: str) -> None:
    """Read one message that came in."""
    read_message(ctx.session, message_id)


def sweep_job(ctx: Call) -> None:
    """Ask again for messages whose reading was lost with a worker."""
    statement = (
        select(LeadMessage.id)
        .where(LeadMessage.read_at.is_(None), LeadMessage.received_at < clock.now() - LEFT_BEHIND)
        .order_by(LeadMessage.received_at)
        .limit(200)
    )
    for message_id in ctx.session.execute(statement).scalars():
        run_later(ctx.session, READ_JOB, once=str(message_id), message_id=str(message_id))


def read_message(session: Session, message_id: object) -> list[Lead]:
    """Make the leads of a message; one that was read stays as it is."""
    statement = (
        select(LeadMessage)
        .where(LeadMessage.id == parse_id(message_id), LeadMessage.read_at.is_(None))
        .with_for_update()
        .options(undefer(LeadMessage.raw))
    )
    message = session.execute(statement).scalar_one_or_none()
    if message is None:
        return []
    message.read_at = clock.now()
    try:
        prospects = _prospects(message)
    except Unreadable as error:
        return [_waiting(session, message, error.code)]
    return [_lead(session, message, place, one) for place, one in enumerate(prospects)]


def _prospects(message: LeadMessage) -> list[Prospect]:
    return mails.read(message.raw) if message.channel == "mail" else adf.read(message.raw, message.charset)


def _waiting(session: Session, message: LeadMessage, reason: str, place: int = 0) -> Lead:
    values = {"state": "quarantine", "reason": reason, "source": message.source or message.sender}
    name = message.sender or message.source or "–"
    return LeadService(session).add(message, place, {**values, "name": name})


def _lead(session: Session, message: LeadMessage, place: int, prospect: Prospect) -> Lead:
    """Make the lead of one prospect; a fault in one keeps the others, and itself waits for a person."""
    try:
        with session.begin_nested():
            return take(session, message, place, prospect)
    except KehuError as error:
        said = " ".join([error.message, *(line for lines in error.fields.values() for line in lines)])
        return _waiting(session, message, said[:500], place)
    except (DataError, IntegrityError, LookupError, TypeError, ValueError):
        return _waiting(session, message, "failed", place)


def take(session: Session, message: LeadMessage, place: int, prospect: Prospect) -> Lead:
    """Make a lead of a prospect and settle it, unless nobody could be answered."""
    person, mended = normal.person_of(prospect, tenant().country)
    values, more = values_of(message, prospect, person)
    values["repairs"] = list(dict.fromkeys([*prospect.repairs, *mended, *more]))
    service = LeadService(session)
    if not person.reachable:
        return service.add(message, place, {**values, "state": "quarantine", "reason": "no_contact"})
    lead = service.add(message, place, {**values, "state": "open"})
    settle(session, lead, person)
    service.settled(lead)
    return lead


def values_of(message: LeadMessage, prospect: Prospect, person: Person) -> tuple[dict[str, Any], list[str]]:
    """Return what a lead keeps of a prospect, and what was mended of its date."""
    moment, mended = normal.requested_at(prospect.requested, tenant().tz)
    cars = [*prospect.wanted, *prospect.trade_ins]
    wanted = prospect.wanted[0] if prospect.wanted else None
    source = clean(prospect.provider or prospect.service)[:120] or message.source or message.sender
    odd = [*normal.doubts(cars), *({"code": "unusable", "value": one} for one in person.unusable[:5])]
    return {
        "name": name_of(person),
        "wanted_name": wanted.name[:200] if wanted else "",
        "source": source,
        "provider_key": fold(prospect.provider or message.source)[:120],
        "provider_lead_id": clean(prospect.ids[0])[:120] if prospect.ids else "",
        "car_key": normal.car_key(wanted)[:200],
        "preferred": prospect.preferred,
        "timeframe": clean(prospect.timeframe)[:200],
        "comments": clean(prospect.comments, lines=True),
        "person": person_dict(person),
        "facts": prospect.facts,
        "wanted": [adf.as_dict(car) for car in prospect.wanted],
        "trade_ins": [adf.as_dict(car) for car in prospect.trade_ins],
        "doubts": odd,
        "requested_at": moment,
    }, mended


def person_dict(person: Person) -> dict[str, Any]:
    """Return a person as a lead keeps it."""
    return {
        "name": person.name,
        "firm": person.firm,
        "emails": person.emails,
        "phones": person.phones,
        "address": person.address,
    }


def raw_of(session: Session, message_id: uuid.UUID) -> LeadMessage | None:
    """Return a message with its bytes."""
    statement = select(LeadMessage).where(LeadMessage.id == message_id).options(undefer(LeadMessage.raw))
    return session.execute(statement).scalar_one_or_none()
