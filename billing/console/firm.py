"""The parts of billing on the page of one firm: standing, papers, seats, what was asked of Stripe, notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import facts, modes
from billing.accounts import AccountService
from billing.console.listing import billed
from billing.models import Invoice, Notice, Override, Seat, SeatEntry
from billing.stripe.models import Operation, StripeEvent, Sync
from billing.web import words
from kehu.core import clock
from kehu.core.context import TenantInfo
from kehu.core.i18n import _, _l
from kehu.members.models import Member
from plugins.results import BillingMode
from tenants.console.registry import Section, add

SHOWN = 20
PEOPLE = 200


def on_stripe() -> bool:
    """Tell whether Stripe takes the money here."""
    return modes.mode() is BillingMode.STRIPE


def standing(session: Session, tenant: TenantInfo) -> Mapping[str, Any]:
    """Return account, subscription and phase with its cause."""
    service = AccountService(session)
    found, account = facts.standing(tenant), service.find()
    name, tone = words.PHASES[found.phase]
    subscription = service.subscription()
    return {
        "account": account,
        "phase": name,
        "tone": tone,
        "until": found.until,
        "why": why(tenant, account.held_reason if account is not None else ""),
        "alarm": found.alarm,
        "subscription": subscription,
        "plan": words.plan_name(subscription.plan) if subscription is not None else "",
        "mode": modes.mode().value,
    }


def why(tenant: TenantInfo, held: str) -> list[str]:
    """Return the facts that a phase is made from, a line each."""
    fact = facts.fact_of(tenant)
    lines = [_("On hold: %(reason)s", reason=held)] if held else []
    for key, text in (
        ("status", _l("Status at the provider: %(value)s")),
        ("trial", _l("The trial ends: %(value)s")),
        ("open", _l("The oldest open invoice waits since: %(value)s")),
        ("cancel", _l("Cancelled for: %(value)s")),
        ("ended", _l("Ended: %(value)s")),
        ("over", _l("More people than seats since: %(value)s")),
    ):
        if fact.get(key):
            lines.append(str(text) % {"value": str(fact[key])[:16].replace("T", " ")})
    return lines


def papers(session: Session, tenant: TenantInfo) -> Mapping[str, Any]:
    """Return the latest invoices."""
    statement = select(Invoice).order_by(Invoice.made_at.desc()).limit(SHOWN)
    return {
        "invoices": session.execute(statement).scalars().all(),
        "states": words.INVOICE_STATES,
        "url": f"/operator/tenants/{tenant.id}/invoices" if not on_stripe() else "",
    }


def seats(session: Session, _tenant: TenantInfo) -> Mapping[str, Any]:
    """Return who holds a seat, and the latest lines of the ledger."""
    holders = (
        select(Seat.kind, Seat.state, Seat.taken_at, Member.name)
        .join(Member, Member.id == Seat.member_id)
        .where(Seat.state != "released")
        .order_by(Seat.taken_at)
        .limit(PEOPLE)
    )
    ledger = select(SeatEntry).order_by(SeatEntry.at.desc(), SeatEntry.id.desc()).limit(SHOWN)
    return {
        "holders": session.execute(holders).all(),
        "states": words.SEAT_STATES,
        "ledger": session.execute(ledger).scalars().all(),
        "reasons": words.REASONS,
    }


def grants(session: Session, _tenant: TenantInfo) -> Mapping[str, Any]:
    """Return what operators gave or took, with the reason and until when."""
    rows = session.execute(select(Override).order_by(Override.feature).limit(100)).scalars().all()
    return {"rows": rows, "now": clock.now(), "names": words.feature_name}


def traffic(session: Session, _tenant: TenantInfo) -> Mapping[str, Any]:
    """Return what the firm asked of Stripe, and what Stripe told of it."""
    account = AccountService(session).find()
    customer = account.stripe_customer_id if account is not None else None
    operations = select(Operation).order_by(Operation.made_at.desc()).limit(SHOWN)
    events = (
        select(StripeEvent)
        .where(StripeEvent.customer_id == customer)
        .order_by(StripeEvent.received_at.desc())
        .limit(SHOWN)
    )
    return {
        "customer": customer,
        "sync": session.get(Sync, customer) if customer else None,
        "operations": session.execute(operations).scalars().all(),
        "events": session.execute(events).scalars().all() if customer else [],
    }


def notices(session: Session, _tenant: TenantInfo) -> Mapping[str, Any]:
    """Return the latest mails about billing."""
    statement = select(Notice).order_by(Notice.sent_at.desc()).limit(SHOWN)
    return {"rows": session.execute(statement).scalars().all()}


def join() -> None:
    """Put these parts into the console."""
    folder = "billing/console"
    for order, (key, title, load) in enumerate(
        (
            ("standing", _l("Plan and phase"), standing),
            ("papers", _l("Invoices"), papers),
            ("seats", _l("Seats"), seats),
            ("grants", _l("Overrides"), grants),
            ("notices", _l("Mails about billing"), notices),
        )
    ):
        add(
            Section(
                key=key,
                title=title,
                template=f"{folder}/_{key}.html",
                load=load,
                order=20 + order,
                offered=billed,
            )
        )
    add(
        Section(
            key="traffic",
            title=_l("Stripe"),
            template=f"{folder}/_traffic.html",
            load=traffic,
            order=40,
            offered=on_stripe,
        )
    )
