"""A dispute that was lost ends the subscription: ordered once, when nothing else is under way."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.accounts import AccountService
from billing.models import Dispute, Subscription
from billing.stripe.operations import OperationService
from kehu.core import clock, context


def end_lost(session: Session) -> None:
    """Order the end for disputes of the present firm that were lost; what is in the way is waited for."""
    statement = select(Dispute).where(Dispute.status == "lost", Dispute.acted_at.is_(None)).limit(100)
    lost = list(session.execute(statement).scalars())
    if not lost:
        return
    live = session.execute(select(Subscription.id).where(Subscription.live.is_(True)).limit(1)).first()
    with context.use(actor=context.SYSTEM):
        if live is not None and OperationService(session).end() is None:
            return
        for row in lost:
            row.acted_at = clock.now()
            AccountService(session).note("dispute", {"lost": [None, row.provider_id]})
