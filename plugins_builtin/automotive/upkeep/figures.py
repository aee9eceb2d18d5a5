"""Services that are due, for the dealer's dashboard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from kehu.api import Session, _, clock, func, readable, select, tenant
from plugins_builtin.automotive.dashboard.numbers import Number
from plugins_builtin.automotive.upkeep.models import ServiceItem
from plugins_builtin.automotive.upkeep.services import NAME

SOON = 30


def services(session: Session) -> Sequence[Number]:
    """What is due in 30 days, and what is late."""
    today = clock.today(tenant().tz)
    due, base = ServiceItem.due_on, "/x/automotive/service_items?view=all&paused=0"
    statement = select(
        func.count().filter(due >= today, due <= today + dt.timedelta(days=SOON)).label("soon"),
        func.count().filter(due < today).label("late"),
    ).where(readable(NAME), ServiceItem.paused.is_(False))
    row = session.execute(statement).one()
    return [
        Number(
            label=_("Services due in 30 days"),
            count=row.soon,
            url=f"{base}&due_on.gte=today&due_on.lte=today%2B{SOON}&sort=due_on",
        ),
        Number(
            label=_("Services overdue"),
            count=row.late,
            url=f"{base}&due_on.lte=today-1&sort=due_on",
            bad=True,
        ),
    ]
