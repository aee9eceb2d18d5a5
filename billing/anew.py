"""Letting a firm begin anew here: what another kind of billing knew of it is dropped, its own data stays."""

from __future__ import annotations

import uuid

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from billing.accounts import AccountService
from billing.catalogue import catalogue
from billing.kinds import kind_of
from billing.models import (
    Account,
    Addon,
    CreditNote,
    DemoLedger,
    Dispute,
    Invoice,
    Refund,
    Subscription,
)
from billing.periods import trial_end
from billing.seats import SeatService
from billing.stripe.models import Operation, Sync
from kehu.core import clock, context, db

_PLAYED = ("demo", "test")
"""Kinds whose papers mean nothing; those of money that moved are kept."""
_BY_HAND = "manual"
"""How the ids of the operator's own invoices begin."""

_FIRMS = text(
    "SELECT a.tenant_id FROM billing_accounts a WHERE a.mode = :mode AND a.livemode = :live "
    "AND (a.stripe_customer_id IS NOT NULL "
    "OR EXISTS (SELECT FROM billing_subscriptions s WHERE s.tenant_id = a.tenant_id)) ORDER BY a.tenant_id"
)


def firms_of(kind: str) -> list[uuid.UUID]:
    """Return the firms that are customers of a kind."""
    mode = kind if kind in ("demo", "manual") else "stripe"
    with db.cross_tenant(f"kehu billing begin-anew --kind {kind}") as session:
        rows = session.execute(_FIRMS, {"mode": mode, "live": kind == "live"}).scalars()
        return list(rows)


def begin_anew(session: Session) -> None:
    """Drop what another kind of billing knew of the present firm, and let its trial begin again.

    Nothing is told to a provider: whoever pays at Stripe goes on paying there until somebody ends it.
    """
    service = AccountService(session)
    account = service.lock()
    before = kind_of(account.mode, live=account.livemode)
    for table in (DemoLedger, Operation, Subscription, Addon):
        session.execute(delete(table))
    if before in _PLAYED:
        _drop_papers(session)
    # What is owed is asked for elsewhere, if at all; here it holds up nothing any more.
    session.execute(update(Invoice).where(Invoice.status == "open").values(status="uncollectible"))
    if account.stripe_customer_id:
        session.execute(delete(Sync).where(Sync.customer_id == account.stripe_customer_id))
    _reset(account)
    SeatService(session).set_cap(account, max(catalogue().trial.seats, account.seats_used), "begin")
    service.adopt(account)
    service.note("begun_anew", {"kind": [before, kind_of(account.mode, live=account.livemode)]})
    service.refresh(account)


def _drop_papers(session: Session) -> None:
    """Drop papers that mean nothing; those of an earlier time by hand (`manual`) are kept."""
    real = select(CreditNote.provider_id).where(CreditNote.invoice_id.startswith(_BY_HAND))
    session.execute(delete(Refund).where(Refund.credit_note_id.not_in(real)))
    session.execute(delete(CreditNote).where(CreditNote.invoice_id.not_like(f"{_BY_HAND}%")))
    session.execute(delete(Invoice).where(Invoice.provider_id.not_like(f"{_BY_HAND}%")))
    session.execute(delete(Dispute))


def _reset(account: Account) -> None:
    account.stripe_customer_id = account.ended_at = account.seats_paid_until = None
    account.seats_billed = account.seats_paid_floor = account.clock_ahead = 0
    account.checkout_id, account.checkout_url, account.checkout_until = "", "", None
    account.tax_told = ""  # Another provider, or another customer of it, was told.
    account.trial_ends_at = trial_end(clock.now(), context.tenant().tz, catalogue().trial.days)
