"""A lead becomes a contact, a customer and a deal, or a further touch of a deal that runs."""

from __future__ import annotations

import re
import uuid
from typing import Any

from sqlalchemy import text

from kehu.api import Session, _, clock, func, select, service_for, show_phone, tenant
from plugins_builtin.automotive.leads import answering, consents, matching
from plugins_builtin.automotive.leads.matching import Known
from plugins_builtin.automotive.leads.models import Lead
from plugins_builtin.automotive.leads.normal import Person
from plugins_builtin.automotive.leads.routing import Routes
from plugins_builtin.automotive.leads.words import car_line, fact_lines
from plugins_builtin.automotive.protection.services import ProtectionService
from plugins_builtin.automotive.starting.stages import first_stage

_PRICE = re.compile(r"\d{1,3}(?:[ ,'\u00a0]\d{3})+(?:\.\d{1,2})?|\d{1,9}(?:\.\d{1,2})?")


def settle(session: Session, lead: Lead, person: Person) -> None:
    """Say whose a lead is and what becomes of it; one person asking twice at once is still asking once."""
    key = f"automotive.leads {tenant().id}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, text("0")))))
    known = matching.find_person(session, person)
    near: list[dict[str, object]] = [
        {"code": "shares", "kind": kind, "id": str(one)} for kind, one in known.near[:3]
    ]
    lead.doubts = [*lead.doubts, *near]
    first = matching.running_by_number(session, lead) or matching.running_by_person(session, lead, known)
    if first is not None:
        _attach(session, lead, first)
        consents.record(session, lead)
        return
    protection = ProtectionService(session)
    claims = protection.claims(known.customer_id, person.numbers[:3])
    _person(session, person, known)
    lead.customer_id, lead.contact_id = known.customer_id, known.contact_id
    consents.record(session, lead)
    # Who was in contact last, here or in the showroom, answers; with several a manager says whose the customer is.
    if known.customer_id is not None and protection.asked(claims, known.customer_id) is not None:
        lead.doubts = [*lead.doubts, {"code": "collision"}]
    lead.owner_id = Routes(session).give(lead, claims[0].holder if claims else known.owner_id)
    lead.deal_id = _deal(session, lead)
    lead.state, lead.reason = "open", ""
    answering.start(session, lead)


def _attach(session: Session, lead: Lead, first: Lead) -> None:
    lead.state, lead.reason, lead.first_id = "attached", "", first.id
    lead.customer_id, lead.contact_id, lead.deal_id = first.customer_id, first.contact_id, first.deal_id
    deal = service_for("deals", session).get(first.deal_id)
    lead.owner_id = deal.owner_id
    body = "\n".join(filter(None, (_car_text(lead), lead.comments, *fact_lines(lead.facts))))
    values: dict[str, Any] = {
        "kind": "task",
        "subject": _("%(name)s asked again (%(source)s)", name=lead.name, source=lead.source)[:200],
        "body": body[:4000],
        "due_at": clock.now(),
        "deal_id": deal.id,
        "contact_id": lead.contact_id,
        "customer_id": lead.customer_id,
        "owner_id": deal.owner_id,
    }
    service_for("activities", session).create(values)


def _person(session: Session, person: Person, known: Known) -> None:
    """Make what is missing of customer and contact, and add to the contact what is new."""
    reach: dict[str, Any] = {
        "emails": [{"address": one} for one in person.emails],
        "phones": [dict(one) for one in person.phones],
    }
    customers, contacts = service_for("customers", session), service_for("contacts", session)
    if known.contact_id is not None:
        _add_reach(contacts, known.contact_id, reach)
    if known.customer_id is None:
        values: dict[str, Any] = {
            "name": person.firm or name_of(person),
            "kind": "company" if person.firm else "person",
            "type_class": "prospect",
            "owner_id": known.owner_id,
            "addresses": [person.address] if person.address else [],
        }
        known.customer_id = customers.create(values if person.firm else {**values, **reach}).id
        if known.contact_id is not None:
            contacts.update(known.contact_id, {"customer_id": known.customer_id})
    if known.contact_id is None:
        known.contact_id = _contact_of(session, person, known.customer_id)
    if known.contact_id is None:
        made = contacts.create({"name": name_of(person), "customer_id": known.customer_id, **reach})
        known.contact_id = made.id


def _contact_of(session: Session, person: Person, customer_id: uuid.UUID | None) -> uuid.UUID | None:
    """Return the contact of a customer with the person's name, who had no number or address yet."""
    model: Any = service_for("contacts", session).type.model
    statement = select(model).where(
        model.tenant_id == tenant().id, model.customer_id == customer_id, model.deleted_at.is_(None)
    )
    for one in session.execute(statement.order_by(model.id).limit(50)).scalars():
        if one.name == name_of(person):
            return one.id  # type: ignore[no-any-return]
    return None


def name_of(person: Person) -> str:
    """Return the name of a person, or what stands for it."""
    return person.name or (show_phone(person.phones[0]["number"]) if person.phones else _("Unknown person"))


def _add_reach(contacts: Any, contact_id: uuid.UUID, reach: dict[str, Any]) -> None:
    record = contacts.get(contact_id)
    values: dict[str, Any] = {}
    for key, part in (("emails", "address"), ("phones", "number")):
        there = {str(one[part]).lower() for one in getattr(record, key)}
        new = [one for one in reach[key] if one[part].lower() not in there]
        if new:
            values[key] = [*getattr(record, key), *new]
    if values:
        contacts.update(contact_id, values)


def _deal(session: Session, lead: Lead) -> uuid.UUID:
    name = " – ".join(filter(None, (lead.wanted_name or _("Trade-in") * bool(lead.trade_ins), lead.name)))
    wanted: dict[str, Any] = dict(lead.wanted[0]) if lead.wanted else {}
    values: dict[str, Any] = {
        "name": name[:200],
        "customer_id": lead.customer_id,
        "contact_id": lead.contact_id,
        "owner_id": lead.owner_id,
        "source": lead.source[:200],
        "description": describe(lead)[:8000],
        **first_stage(session),
    }
    price = str(wanted.get("price", ""))
    if _PRICE.fullmatch(price) and wanted.get("currency", tenant().currency) == tenant().currency:
        values["amount"] = re.sub(r"[ ,'\u00a0]", "", price)
    deal = service_for("deals", session).create(values)
    return deal.id  # type: ignore[no-any-return]


def describe(lead: Lead) -> str:
    """Return a lead in lines: cars, wishes, what the person wrote."""
    lines = [_car_text(lead)]
    if lead.timeframe:
        lines.append(_("Wants to buy: %(when)s", when=lead.timeframe))
    return "\n".join(filter(None, (*lines, lead.comments)))


def _car_text(lead: Lead) -> str:
    wanted = [_("Wanted: %(car)s", car=car_line(one)) for one in lead.wanted]
    traded = [_("Trade-in: %(car)s", car=car_line(one)) for one in lead.trade_ins]
    return "\n".join([*wanted, *traded])
