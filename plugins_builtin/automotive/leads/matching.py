"""Whether the person of a lead is known, and whether the request is one that runs already."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from kehu.api import Session, clock, or_, select, service_for, tenant
from plugins_builtin.automotive.leads.models import Lead
from plugins_builtin.automotive.leads.normal import Person, same_person

WINDOW = dt.timedelta(days=30)
"""How long the same person asking for the same car is the same request, counted from the last sign of life."""


@dataclass
class Known:
    """Who a person is; `near` are those (kind, id) who share a number or a mailbox under another name."""

    customer_id: uuid.UUID | None = None
    contact_id: uuid.UUID | None = None
    owner_id: uuid.UUID | None = None
    near: list[tuple[str, uuid.UUID]] = field(default_factory=list)


def find_person(session: Session, person: Person) -> Known:
    """Return the customer and contact that a person is, by mail address or number and a name that fits.

    With several the one that fits in more ways, then the one that was changed last, is taken.
    """
    found: list[tuple[int, Any, Any, str]] = []
    near: list[tuple[str, uuid.UUID]] = []
    for kind in ("contacts", "customers"):
        model: Any = service_for(kind, session).type.model
        reached = or_(model.email_norm.in_(person.emails), model.phone_norm.in_(person.numbers))
        statement = (
            select(model)
            .where(model.tenant_id == tenant().id, model.deleted_at.is_(None), reached)
            .order_by(model.updated_at.desc(), model.id)
            .limit(20)
        )
        for one in session.execute(statement).scalars():
            names = [name for name in (person.name, person.firm) if name]
            if not any(same_person(name, one.name) for name in names):
                near.append((kind, one.id))
                continue
            ways = (one.email_norm in person.emails) + (one.phone_norm in person.numbers)
            found.append((ways, one.updated_at, one, kind))
    if not found:
        return Known(near=near)
    _ways, _at, best, kind = max(found, key=lambda one: (one[0], one[3] == "contacts", one[1]))
    if kind == "customers":
        return Known(customer_id=best.id, owner_id=best.owner_id, near=near)
    return Known(customer_id=best.customer_id, contact_id=best.id, owner_id=best.owner_id, near=near)


def running_by_number(session: Session, lead: Lead) -> Lead | None:
    """Return the lead of an open deal that the sender gave the same number."""
    if not lead.provider_lead_id:
        return None
    return _running(
        session,
        lead,
        Lead.provider_key == lead.provider_key,
        Lead.provider_lead_id == lead.provider_lead_id,
    )


def running_by_person(session: Session, lead: Lead, known: Known) -> Lead | None:
    """Return the lead of an open deal by which the same person asked for the same car within the window."""
    who = Lead.contact_id == known.contact_id if known.contact_id else Lead.customer_id == known.customer_id
    if known.customer_id is None and known.contact_id is None:
        return None
    deals: Any = service_for("deals", session).type.model
    since = clock.now() - WINDOW
    lively = or_(Lead.received_at >= since, deals.updated_at >= since)
    return _running(session, lead, who, Lead.car_key == lead.car_key, lively)


def _running(session: Session, lead: Lead, *conditions: Any) -> Lead | None:
    deals: Any = service_for("deals", session).type.model
    statement = (
        select(Lead)
        .join(deals, (deals.tenant_id == Lead.tenant_id) & (deals.id == Lead.deal_id))
        .where(
            Lead.id != lead.id,
            Lead.state.in_(("open", "contacted")),
            Lead.deleted_at.is_(None),
            deals.tenant_id == tenant().id,
            deals.status == "open",
            deals.deleted_at.is_(None),
            *conditions,
        )
        .order_by(Lead.received_at.desc())
        .limit(1)
    )
    found: Lead | None = session.execute(statement).scalar_one_or_none()
    return found
