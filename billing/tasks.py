"""Work of billing that comes back: each hour, for each firm."""

from __future__ import annotations

import datetime as dt
import uuid

from billing import modes, notices
from billing.accounts import AccountService
from billing.purchases import PurchaseService
from billing.seats import SeatService
from kehu.core import db, jobs, schedule
from plugins.results import BillingMode

HOURLY = "billing.hourly"


def start() -> None:
    """Let the hourly work come back, where anything is billed."""
    if modes.mode() is not BillingMode.OFF:
        schedule.register(schedule.Schedule(name=HOURLY, task=HOURLY, every=dt.timedelta(hours=1)))


@jobs.tenant_task(HOURLY)
def hourly(tenant_id: uuid.UUID) -> None:
    """Free seats of lapsed invitations, mend what drifted, ask the provider, send the mail that is due."""
    if modes.mode() is BillingMode.OFF:
        return
    seats = SeatService(db.session())
    account = seats.locked()
    seats.recount(account)
    asks = modes.mode() in (BillingMode.DEMO, BillingMode.MANUAL)
    if asks and AccountService(db.session()).subscription() is not None:
        PurchaseService(db.session()).check()
        return
    found = AccountService(db.session()).refresh(account)
    notices.send_due(db.session(), account, found)
