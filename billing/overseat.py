"""More people than seats, because the number was cut from outside: nobody is signed out.

For 14 days all goes on and the banner asks whom to park; then the newest of those that are too many can't write.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from billing.models import Account, Seat
from kehu.members.models import Member, Role

CHOICE_WITHIN = dt.timedelta(days=14)
"""How long a firm has to choose whom to park."""


def stopped(session: Session, account: Account, now: dt.datetime) -> list[uuid.UUID]:
    """Return who may not write any more; owners always may, since they have to choose."""
    more = account.seats_used - account.seats_cap
    since = account.over_seat_since
    if since is None or more <= 0 or now < since + CHOICE_WITHIN:
        return []
    statement = (
        select(Seat.member_id)
        .join(Member, and_(Member.tenant_id == Seat.tenant_id, Member.id == Seat.member_id))
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Seat.state == "active", Seat.kind == "full", Role.code != "owner")
        .order_by(Seat.taken_at.desc(), Seat.member_id.desc())
    )
    return list(session.execute(statement.limit(more)).scalars())
