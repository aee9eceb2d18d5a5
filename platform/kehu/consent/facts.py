"""What the gate needs to know of recipients, read for many of them in a fixed number of statements."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Text, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from kehu.consent.hours import zones_of
from kehu.consent.models import ConsentState
from kehu.consent.rules import Rules
from kehu.core.db import tenant_id
from kehu.core.records.kinds import show_address
from kehu.core.tables import metadata
from kehu.relations.mates import lives_with

YEAR = dt.timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """How much somebody got that nobody asked for: when last, and how often in the days of each rule."""

    last: dt.datetime | None = None
    in_cap_days: int = 0
    in_household_days: int = 0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One recipient, a contact or a customer."""

    id: uuid.UUID
    object: str
    name: str
    customer_id: uuid.UUID | None
    stop: str | None
    preferred: str | None
    best_hours: str | None
    gap_days: int
    language: str | None
    mail: str | None
    phone: str | None
    post: str | None
    zones: tuple[ZoneInfo, ...] = ()
    consents: Mapping[tuple[str, str], str] = field(default_factory=dict)
    sent: Sent = field(default_factory=Sent)
    household_sent: int = 0
    complains: bool = False


def read(
    session: Session,
    contact_ids: Iterable[uuid.UUID],
    customer_ids: Iterable[uuid.UUID],
    rules: Rules,
    home: ZoneInfo,
    at: dt.datetime,
) -> dict[uuid.UUID, Facts]:
    """Return the facts of recipients by their id; those in the trash have none."""
    rows = [
        *_people(session, "contacts", list(contact_ids), rules, at),
        *_people(session, "customers", list(customer_ids), rules, at),
    ]
    ids = [row.id for row in rows]
    if not ids:
        return {}
    consents, sent = _consents(session, ids), _sent(session, ids, rules, at)
    return {
        row.id: Facts(
            id=row.id,
            object=row.object,
            name=row.name,
            customer_id=row.customer_id,
            stop=_stricter(row.do_not_contact, row.firm_stop),
            preferred=row.preferred_channel,
            best_hours=row.best_hours,
            gap_days=int(row.contact_gap or 0),
            language=row.language,
            mail=row.emails[0]["address"] if row.emails else None,
            phone=row.phones[0]["number"] if row.phones else None,
            post=show_address(row.addresses[0]) if row.addresses else None,
            zones=zones_of(_country(row), [one["number"] for one in row.phones], home),
            consents=consents.get(row.id, {}),
            sent=sent.get(row.id, Sent()),
            household_sent=max(row.household_sent or 0, sent.get(row.id, Sent()).in_household_days),
            complains=row.complains,
        )
        for row in rows
    }


def opted_out(customer: Any, channel: str, purpose: str) -> Any:
    """Return the condition under which a customer wants no such messages: marked so, or consent withdrawn.

    :param customer: the model or columns of customers in the query that is narrowed down.
    """
    said = exists().where(
        ConsentState.tenant_id == customer.tenant_id,
        ConsentState.person_id == customer.id,
        ConsentState.channel == channel,
        ConsentState.purpose == purpose,
        ConsentState.state == "withdrawn",
    )
    return or_(customer.do_not_contact.is_not(None), said)


def _people(
    session: Session, name: str, ids: Sequence[uuid.UUID], rules: Rules, at: dt.datetime
) -> Sequence[Any]:
    if not ids:
        return ()
    row, firm = metadata.tables[name], metadata.tables["customers"].alias("firm")
    own = row.c.id if name == "customers" else row.c.customer_id
    statement = (
        select(
            literal(name, Text).label("object"),
            row.c.id,
            row.c.name,
            own.label("customer_id"),
            row.c.do_not_contact,
            row.c.preferred_channel,
            row.c.best_hours,
            row.c.contact_gap,
            row.c.language,
            row.c.emails,
            row.c.phones,
            firm.c.do_not_contact.label("firm_stop"),
            firm.c.country,
            firm.c.addresses,
            _household_sent(own, at - dt.timedelta(days=rules.household_days)).label("household_sent"),
            _complains(own).label("complains"),
        )
        .select_from(row)
        .outerjoin(firm, (firm.c.tenant_id == tenant_id()) & (firm.c.id == own))
        .where(row.c.tenant_id == tenant_id(), row.c.id.in_(ids), row.c.deleted_at.is_(None))
    )
    return session.execute(statement).all()


def _household_sent(customer: Any, since: dt.datetime) -> Any:
    """Return how much those who live with a customer got since then that nobody asked for; groups do not count."""
    sent = metadata.tables["messages"].alias("sent")
    return (
        select(func.count())
        .select_from(sent)
        .where(
            sent.c.tenant_id == tenant_id(),
            sent.c.customer_id.in_(lives_with(customer)),
            sent.c.purpose != "transactional",
            sent.c.sent_at > since,
        )
        .correlate(customer.table)
        .scalar_subquery()
    )


def _complains(customer: Any) -> Any:
    """Return whether a ticket is open that a low score in a survey opened."""
    asked, ticket = (
        metadata.tables["survey_invitations"].alias("asked"),
        metadata.tables["tickets"].alias("care"),
    )
    return (
        exists()
        .where(
            asked.c.tenant_id == tenant_id(),
            asked.c.customer_id == customer,
            ticket.c.tenant_id == tenant_id(),
            ticket.c.id == asked.c.ticket_id,
            ticket.c.status.in_(("new", "open", "waiting")),
            ticket.c.deleted_at.is_(None),
        )
        .correlate(customer.table)
    )


def _stricter(own: str | None, firm: str | None) -> str | None:
    return "all" if "all" in (own, firm) else own or firm


def _country(row: Any) -> str | None:
    codes = [one.get("country") for one in row.addresses or ()] + [row.country]
    return next((code for code in codes if code and len(code) == 2), None)


def _consents(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[tuple[str, str], str]]:
    statement = select(
        ConsentState.person_id, ConsentState.channel, ConsentState.purpose, ConsentState.state
    ).where(ConsentState.person_id.in_(ids), ConsentState.state != "cleared")
    found: dict[uuid.UUID, dict[tuple[str, str], str]] = {}
    for row in session.execute(statement):
        found.setdefault(row.person_id, {})[row.channel, row.purpose] = row.state
    return found


def _sent(session: Session, ids: Sequence[uuid.UUID], rules: Rules, at: dt.datetime) -> dict[uuid.UUID, Sent]:
    row = metadata.tables["messages"]

    def since(days: int) -> Any:
        return func.count().filter(row.c.sent_at > at - dt.timedelta(days=days))

    statement = (
        select(
            row.c.person_id,
            func.max(row.c.sent_at).label("last"),
            since(rules.cap_days).label("in_cap_days"),
            since(rules.household_days).label("in_household_days"),
        )
        .where(
            row.c.tenant_id == tenant_id(),
            row.c.person_id.in_(ids),
            row.c.purpose != "transactional",
            row.c.sent_at > at - YEAR,
        )
        .group_by(row.c.person_id)
    )
    return {
        one.person_id: Sent(
            last=one.last, in_cap_days=one.in_cap_days, in_household_days=one.in_household_days
        )
        for one in session.execute(statement)
    }
