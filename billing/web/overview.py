"""What the page of plan and seats shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from billing import addon_offers, facts, taxes
from billing.accounts import AccountService, left_open
from billing.catalogue import Plan, catalogue
from billing.entitlements import PLUGIN, Grant, grant
from billing.models import Account, CreditNote, Invoice, Override, Refund, Seat, SeatEntry, Subscription
from billing.phases import Standing
from billing.usage import Used, used
from billing.web import words
from kehu.core import clock, context, hooks
from kehu.core.audit import AuditEntry
from kehu.core.i18n import _, _l
from kehu.members.models import Member, Role
from plugins.addon_offers import AddonOffer

SHOWN = 20
TOLD = dt.timedelta(days=30)
PEOPLE = 200


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line of the history."""

    at: dt.datetime
    text: str
    who: str


@dataclass(frozen=True, kw_only=True)
class PaperLine:
    """One line of the list of papers: an invoice, a credit note, or money that went back without one.

    :param url: of our own paper; empty where the provider draws it.
    :param amount: in minor units, below nought for what was given back.
    """

    at: dt.datetime
    label: str
    text: str
    url: str
    state: tuple[Any, str]
    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class AddonLine:
    """A paid add-on: its name, where the firm has it from or what can be done, and by whom it was given."""

    slug: str
    name: str
    offer: AddonOffer
    by: str = ""
    used: Sequence[Used] = ()


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All of the page."""

    standing: Standing
    account: Account
    subscription: Subscription | None
    plan: Plan | None
    plans: Sequence[Plan]
    grants: Sequence[tuple[str, Grant]]
    addons: Sequence[AddonLine]
    people: Sequence[Any]
    parked: Sequence[Any]
    invoices: Sequence[Invoice]
    open: Sequence[Invoice]
    papers: Sequence[PaperLine]
    history: Sequence[Happening]
    called_off: Happening | None = None

    @property
    def running(self) -> bool:
        """Whether there is a subscription that goes on."""
        return self.subscription is not None and self.subscription.live


def overview(session: Session, account: Account) -> Overview:
    """Return what the page shows of the present tenant."""
    tenant = context.tenant()
    subscription = AccountService(session).subscription()
    people = _people(session)
    trail = _trail(session)
    found = [(key, grant(tenant, key)) for key in catalogue().features]
    bills = invoices(session)
    return Overview(
        standing=facts.standing(tenant),
        account=account,
        subscription=subscription,
        plan=facts.plan_of(facts.fact_of(tenant)),
        plans=catalogue().newest(),
        addons=_addons(session, subscription if subscription is not None and subscription.live else None),
        grants=[(key, one) for key, one in found if one is not None],
        people=[one for one in people if one.state != "parked"],
        parked=[one for one in people if one.state == "parked"],
        invoices=bills,
        open=[one for one in reversed(bills) if left_open(one, subscription)],
        papers=_papers(session, bills, own=account.mode != "stripe"),
        history=_history(session, trail),
        called_off=_called_off(trail),
    )


def _addons(session: Session, running: Subscription | None) -> list[AddonLine]:
    givers: dict[str, str] = {}
    if any(key.startswith(PLUGIN) for key in facts.fact_of(context.tenant()).get("grants") or ()):
        statement = select(Override.feature, Override.actor).where(Override.feature.startswith(PLUGIN))
        givers = {row.feature: row.actor for row in session.execute(statement.limit(200))}
    found = []
    for record in hooks.host().installed:
        said = addon_offers.offer(session, record.slug)
        if said is not None:
            by = givers.get(PLUGIN + record.slug, "")
            counted = used(session, record.slug, running)
            found.append(AddonLine(slug=record.slug, name=_(record.name), offer=said, by=by, used=counted))
    return found


def invoices(session: Session) -> list[Invoice]:
    """Return the last invoices, the newest first."""
    statement = select(Invoice).order_by(Invoice.made_at.desc(), Invoice.id.desc()).limit(SHOWN)
    return list(session.execute(statement).scalars())


def _papers(session: Session, bills: Sequence[Invoice], *, own: bool) -> list[PaperLine]:
    """Return invoices, credit notes and refunds without one in one list, the newest first."""
    numbers = {one.provider_id: one.number for one in bills}
    notes = select(CreditNote).order_by(CreditNote.made_at.desc(), CreditNote.id.desc()).limit(SHOWN)
    lone = select(Refund).where(Refund.credit_note_id == "").order_by(Refund.made_at.desc()).limit(SHOWN)
    found = [_invoice_line(one, own) for one in bills]
    found += [_note_line(one, numbers, own) for one in session.execute(notes).scalars()]
    found += [_refund_line(one) for one in session.execute(lone).scalars()]
    return sorted(found, key=lambda one: one.at, reverse=True)[:SHOWN]


def _invoice_line(one: Invoice, own: bool) -> PaperLine:
    return PaperLine(
        at=one.made_at,
        label=one.number,
        text=taxes.reason(one.tax_note) if one.net and not one.tax else "",
        url=f"/settings/billing/invoices/{one.id}{'.pdf' if own else ''}",
        state=words.INVOICE_STATES.get(one.status, (one.status, "")),
        amount=one.total,
        currency=one.currency,
    )


def _note_line(one: CreditNote, numbers: Mapping[str, str], own: bool) -> PaperLine:
    number = numbers.get(one.invoice_id, "")
    state = (_l("Paid back"), "ok") if one.refunded else (_l("Credited"), "ok")
    return PaperLine(
        at=one.made_at,
        label=one.number,
        text=_("Credit note on %(number)s", number=number) if number else _("Credit note"),
        url=f"/settings/billing/credit-notes/{one.id}.pdf" if own else "",
        state=(_l("Void"), "") if one.status == "void" else state,
        amount=-one.total,
        currency=one.currency,
    )


def _refund_line(one: Refund) -> PaperLine:
    return PaperLine(
        at=one.made_at,
        label=_("Refund"),
        text="",
        url="",
        state=words.REFUND_STATES.get(one.status, (one.status, "")),
        amount=-one.amount,
        currency=one.currency,
    )


def _people(session: Session) -> list[Any]:
    statement = (
        select(
            Member.id,
            Member.name,
            Member.email,
            Role.name.label("role"),
            Seat.state,
            Seat.kind,
            Seat.reserved_until,
        )
        .join(Member, and_(Member.tenant_id == Seat.tenant_id, Member.id == Seat.member_id))
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Seat.state != "released", Member.deleted_at.is_(None))
        .order_by(Member.name_norm, Member.id)
    )
    return list(session.execute(statement.limit(PEOPLE)))


def _trail(session: Session) -> list[AuditEntry]:
    statement = select(AuditEntry).where(
        AuditEntry.object == "billing", AuditEntry.record_id == context.tenant().id
    )
    return list(session.execute(statement.order_by(AuditEntry.id.desc()).limit(SHOWN)).scalars())


def _called_off(trail: Sequence[AuditEntry]) -> Happening | None:
    """Return the last smaller plan that was called off, until another change of the plan or a month later."""
    last = next((one for one in trail if one.action in ("called_off", "waits", "kept")), None)
    if last is None or last.action != "called_off" or clock.now() - last.at > TOLD:
        return None
    return Happening(at=last.at, text=words.change_text(last.action, last.changes), who=last.actor_name)


def _history(session: Session, trail: Sequence[AuditEntry]) -> list[Happening]:
    ledger = session.execute(
        select(SeatEntry)
        .where(SeatEntry.reason != "begin")
        .order_by(SeatEntry.at.desc(), SeatEntry.id.desc())
        .limit(SHOWN)
    ).scalars()
    said = [(one, words.change_text(one.action, one.changes)) for one in trail]
    found = [Happening(at=one.at, text=text, who=one.actor_name) for one, text in said if text]
    found += [
        Happening(at=one.at, text=f"{one.name}: {words.REASONS.get(one.reason, one.reason)}", who=one.by_name)
        for one in ledger
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:SHOWN]
