"""Keeping Stripe's idea of a firm's tax and ours together: the tax id comes from there, how it is taxed from here."""

from __future__ import annotations

from sqlalchemy.orm import Session

from billing.accounts import AccountService
from billing.snapshot import Snapshot
from billing.stripe.models import Operation
from billing.stripe.operations import OperationService
from kehu.core import context

_TELLS = ("details", "subscribe")


def take_over(session: Session, snapshot: Snapshot) -> None:
    """Take over which tax id Stripe has and how far it is checked, unless we are about to tell it another.

    An id that was removed at Stripe is removed here; one that Stripe refused stays, so that it can be corrected.
    """
    service = AccountService(session)
    account = service.lock()
    waiting = OperationService(session).open()
    if snapshot.gone or not account.tax_told or (waiting is not None and waiting.kind in _TELLS):
        return
    before = (account.tax_id, account.tax_id_state)
    if snapshot.tax_id:
        account.tax_id, account.tax_id_state = snapshot.tax_id, snapshot.tax_id_state
    elif account.tax_id_state in ("pending", "verified", "unverified"):
        account.tax_id, account.tax_id_state = "", ""
    if before != (account.tax_id, account.tax_id_state):
        with context.use(actor=context.SYSTEM):
            service.note("tax_id", {"state": [before[1], account.tax_id_state]})


def follow(session: Session) -> Operation | None:
    """Order that Stripe taxes the firm as it has to be taxed now: its id was checked, or a rate has changed.

    What was billed before stays; what is under way is waited for, and what Stripe refuses is told again hours later.
    """
    from billing.stripe.execution import buyer_of  # Carrying out orders follows as well.

    account = AccountService(session).lock()
    if not account.tax_told or account.tax_told == buyer_of(account).told or not account.stripe_customer_id:
        return None
    service = OperationService(session)
    if service.open() is not None or service.told_in_vain():
        return None
    with context.use(actor=context.SYSTEM):
        return service.details()
