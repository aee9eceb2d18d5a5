"""What test drives led to, by host and by model."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from kehu.api import Session, and_, func, readable, select, service_for, tenant
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.services import NAME, RATINGS

HASTY = dt.timedelta(minutes=3)
"""A drive that came back sooner was written down, not driven."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """The drives of one host or model.

    :param won: drives that were driven and whose deal is won by now.
    :param hasty: came back within three minutes, or without a kilometre.
    """

    key: Any
    planned: int
    driven: int
    missed: int
    cancelled: int
    won: int
    km: int
    hasty: int
    rating: float | None

    @property
    def share_won(self) -> int | None:
        """Percent of the driven ones whose deal is won."""
        return round(100 * self.won / self.driven) if self.driven else None

    @property
    def share_missed(self) -> int | None:
        """Percent of those expected who did not come."""
        expected = self.driven + self.missed
        return round(100 * self.missed / expected) if expected else None


def lines(session: Session, column: Any, since: dt.datetime, until: dt.datetime) -> list[Line]:
    """Count the drives that began in a time and that the actor may see, by a column, the most driven first."""
    deals: Any = service_for("deals", session).type.model
    driven = TestDrive.state == "back"
    rated = [getattr(TestDrive, key) for key in RATINGS]
    marks = sum((func.coalesce(one, 0) for one in rated[1:]), func.coalesce(rated[0], 0))
    count = sum((func.num_nonnulls(one) for one in rated[1:]), func.num_nonnulls(rated[0]))
    statement = (
        select(
            column.label("key"),
            func.count().label("planned"),
            func.count().filter(driven).label("driven"),
            func.count().filter(TestDrive.state == "no_show").label("missed"),
            func.count().filter(TestDrive.state == "cancelled").label("cancelled"),
            func.count().filter(driven, deals.status == "won").label("won"),
            func.coalesce(func.sum(TestDrive.back_km - TestDrive.out_km).filter(driven), 0).label("km"),
            func.count()
            .filter(
                driven,
                (TestDrive.back_at - TestDrive.out_at < HASTY) | (TestDrive.back_km == TestDrive.out_km),
            )
            .label("hasty"),
            func.sum(marks).label("marks"),
            func.sum(count).label("marked"),
        )
        .select_from(TestDrive)
        .outerjoin(
            deals,
            and_(deals.tenant_id == TestDrive.tenant_id, deals.id == TestDrive.deal_id, readable("deals")),
        )
        .where(
            TestDrive.tenant_id == tenant().id,
            TestDrive.from_at >= since,
            TestDrive.from_at < until,
            readable(NAME),
        )
        .group_by(column)
    )
    found = [_line(row) for row in session.execute(statement)]
    return sorted(found, key=lambda one: (-one.driven, -one.planned, str(one.key)))


def _line(row: Any) -> Line:
    return Line(
        key=row.key,
        planned=row.planned,
        driven=row.driven,
        missed=row.missed,
        cancelled=row.cancelled,
        won=row.won,
        km=int(row.km),
        hasty=row.hasty,
        rating=round(int(row.marks) / int(row.marked), 1) if row.marked else None,
    )
