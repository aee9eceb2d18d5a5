"""Writing down what was given back or taken back: credit notes, refunds, disputes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.accounts import AccountService
from billing.models import Account, CreditNote, Dispute, Refund
from billing.snapshot import DisputeState, Snapshot
from kehu.core import clock

log = structlog.get_logger(__name__)

_NOTE = (
    *("invoice_id", "number", "status", "currency", "net", "tax", "total", "refunded"),
    *("tax_note", "reason", "made_at"),
)
_REFUND = ("credit_note_id", "charge_id", "status", "currency", "amount", "made_at")
_DISPUTE = ("charge_id", "status", "reason", "currency", "amount", "made_at")
TAKEN_BACK = frozenset({"needs_response", "under_review", "lost"})
"""Statuses in which the money is gone for now; a bank that only asks (`warning_…`) has taken nothing yet."""


def converge_papers(session: Session, account: Account, snapshot: Snapshot) -> None:
    """Make credit notes, refunds and disputes of the present tenant equal to a snapshot."""
    _take_over(session, CreditNote, snapshot.credit_notes, _NOTE)
    _take_over(session, Refund, snapshot.refunds, _REFUND)
    rows = _take_over(session, Dispute, snapshot.disputes, _DISPUTE)
    for one in snapshot.disputes:
        _hold(session, account, rows[one.provider_id], one)


def _take_over(session: Session, model: Any, found: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    ids = [one.provider_id for one in found]
    rows: dict[str, Any] = {}
    if ids:
        statement = select(model).where(model.provider_id.in_(ids))
        rows = {row.provider_id: row for row in session.execute(statement).scalars()}
    for one in found:
        row = rows.setdefault(one.provider_id, model(provider_id=one.provider_id))
        for name in names:
            setattr(row, name, getattr(one, name))
        row.synced_at = clock.now()
        session.add(row)
    return rows


def _hold(session: Session, account: Account, row: Dispute, told: DisputeState) -> None:
    """Put the firm on hold for a payment that was taken back: once for each, though an operator lets go of it."""
    if row.held_at is not None or told.status not in TAKEN_BACK:
        return
    row.held_at = clock.now()
    log.error("billing_alarm", what="a payment is disputed", dispute=told.provider_id)
    if account.held_at is None:
        reason = f"dispute {told.provider_id}"
        account.held_at, account.held_reason = row.held_at, reason
        AccountService(session).note("held", {"reason": [None, reason]})
