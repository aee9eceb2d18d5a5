"""How often deliveries were refused, and what that says about our clock; kept by day, for the page of health."""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import BigInteger, Date, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from kehu.core import clock
from kehu.core.tables import Base, Instant

FEW = 3
"""So many old signatures of one day are a pattern; one or two can be somebody who replays."""
NARROW = 120
"""Seconds: signatures that are late by nearly the same time were sent on time, and our clock is off."""

_STAMP = re.compile(r"(?:^|,)\s*t=(\d{1,12})")


class Refusal(Base):
    """Deliveries of one day that were refused for one cause.

    :param least: seconds by which the freshest of them was late; only for those whose signature was ours.
    :param most: the same of the latest.
    """

    __tablename__ = "billing_stripe_refusals"
    __table_args__ = ({"info": {"scope": "local"}},)

    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    why: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    last_at: Mapped[Instant]
    least: Mapped[int | None] = mapped_column(BigInteger)
    most: Mapped[int | None] = mapped_column(BigInteger)


def note(session: Session, why: str, header: str = "") -> None:
    """Count a refused delivery.

    :param header: its signature's header; its stamp counts only where the signature was ours (`why` is "old").
    """
    now = clock.now()
    stamp = _STAMP.search(header) if why == "old" else None
    late = round(now.timestamp()) - int(stamp[1]) if stamp else None
    statement = insert(Refusal).values(day=now.date(), why=why, count=1, last_at=now, least=late, most=late)
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Refusal.day, Refusal.why],
            set_={
                "count": Refusal.count + 1,
                "last_at": now,
                # Either side may be empty; the database then takes the other one.
                "least": func.least(Refusal.least, new.least),
                "most": func.greatest(Refusal.most, new.most),
            },
        )
    )


def clock_ahead(session: Session) -> int | None:
    """Return by how many seconds our clock seems to run ahead, from what was refused today and yesterday.

    None while nothing points at it.
    """
    statement = select(Refusal).where(
        Refusal.why == "old", Refusal.day >= clock.now().date() - dt.timedelta(days=1), Refusal.count >= FEW
    )
    for row in session.execute(statement).scalars():
        if row.least is not None and row.most is not None and row.most - row.least <= NARROW:
            return int(row.least)
    return None
