"""What the card of a vehicle and the list of ends show."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kehu.api import Session, _l, and_, clock, plugin_settings, readable, select, service_for, tenant
from plugins_builtin.automotive.vehicles.models import Vehicle
from plugins_builtin.automotive.warranty.ends import FAR, Confidence, confidence, is_overdue
from plugins_builtin.automotive.warranty.forecasting import (
    TERMS,
    Forecast,
    coverages,
    forecasts,
    own_pace,
)

MOST = 20
PAGE = 50
DAYS = 90
BEFORE = 90
"""The list also shows what ended in the last days, since a forecast may have passed."""

CONFIDENCE: dict[Confidence, tuple[Any, str]] = {
    "sure": (_l("certain"), "ok"),
    "good": (_l("well observed"), "info"),
    "fair": (_l("a fair guess"), ""),
    "poor": (_l("a rough guess"), "warn"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A coverage as card and list show it."""

    term: Any
    forecast: Forecast
    today: dt.date
    vehicle: Any = None
    customer: str = ""

    @property
    def end(self) -> dt.date | None:
        """When it ends, by the calendar or by distance."""
        return self.forecast.expiry.on if (self.forecast.expiry.on or FAR) < FAR else None

    @property
    def by_distance(self) -> bool:
        """Whether the distance comes first."""
        return self.forecast.expiry.by == "distance"

    @property
    def overdue(self) -> bool:
        """Whether only the forecast says that it is over."""
        return is_overdue(self.forecast.expiry, self.today)

    @property
    def confidence(self) -> tuple[Any, str]:
        """How much the end can be relied on, with its colour."""
        return CONFIDENCE[confidence(self.forecast.expiry, self.forecast.pace, self.today)]

    @property
    def time_share(self) -> int | None:
        """How much of the time has gone by, in percent."""
        starts, ends = self.term.starts_on, self.term.ends_on
        if ends is None:
            return None
        return _percent((self.today - starts).days, (ends - starts).days)

    @property
    def km_now(self) -> int:
        """What the car has probably run today."""
        pace = self.forecast.pace
        return pace.last.km + round(pace.rate * max((self.today - pace.last.on).days, 0))

    @property
    def km_from(self) -> int:
        """What it had run when the coverage began."""
        return self.forecast.coverage.start_km

    @property
    def km_to(self) -> int | None:
        """What it will have run when the distance is used up."""
        return self.forecast.coverage.limit_km

    @property
    def distance_share(self) -> int | None:
        """How much of the distance is used up, in percent."""
        return None if self.km_to is None else _percent(self.km_now - self.km_from, self.km_to - self.km_from)


def _percent(part: int, whole: int) -> int:
    return max(0, min(100, round(100 * part / whole))) if whole > 0 else 100


def of_vehicle(session: Session, vehicle: Vehicle) -> Sequence[Line]:
    """Return the coverages of a vehicle that the actor may see, the running ones first."""
    term: Any = service_for(TERMS, session).type.model
    statement = (
        select(term)
        .where(term.tenant_id == tenant().id, term.item_id == vehicle.owned_item_id, readable(TERMS))
        .order_by(term.state != "active", term.effective_end, term.id)
        .limit(MOST)
    )
    terms = list(session.execute(statement).scalars()) if vehicle.owned_item_id is not None else []
    return _lines(session, terms, {})


def ending(session: Session, after: tuple[dt.date, uuid.UUID] | None = None) -> Sequence[Line]:
    """Return the coverages of vehicles that end in the next 90 days, by date or by distance, a page and one more."""
    term: Any = service_for(TERMS, session).type.model
    customers: Any = service_for("customers", session).type.model
    today = clock.today(tenant().tz)
    statement = (
        select(term, Vehicle, customers.name)
        .join(Vehicle, and_(Vehicle.tenant_id == term.tenant_id, Vehicle.owned_item_id == term.item_id))
        .outerjoin(
            customers,
            and_(
                customers.tenant_id == term.tenant_id, customers.id == term.customer_id, readable("customers")
            ),
        )
        .where(
            term.tenant_id == tenant().id,
            term.state == "active",
            term.item_in_use,
            term.effective_end >= today - dt.timedelta(days=BEFORE),
            term.effective_end <= today + dt.timedelta(days=DAYS),
            Vehicle.deleted_at.is_(None),
            readable(TERMS),
        )
        .order_by(term.effective_end, term.id)
        .limit(PAGE + 1)
    )
    if after is not None:
        day, term_id = after
        statement = statement.where(
            (term.effective_end > day) | ((term.effective_end == day) & (term.id > term_id))
        )
    rows = session.execute(statement).all()
    return _lines(session, [row[0] for row in rows], {row[0].id: (row[1], row[2] or "") for row in rows})


def _lines(session: Session, terms: Sequence[Any], beside: dict[uuid.UUID, tuple[Any, str]]) -> list[Line]:
    if not terms:
        return []
    term: Any = service_for(TERMS, session).type.model
    found = coverages(session, term.id.in_([one.id for one in terms]), limit=len(terms))
    reckoned = forecasts(session, found, own_pace(plugin_settings(session, "automotive")))
    by_id = {one.coverage.term_id: one for one in reckoned}
    today = clock.today(tenant().tz)
    return [
        Line(
            term=one,
            forecast=by_id[one.id],
            today=today,
            vehicle=beside.get(one.id, (None, ""))[0],
            customer=beside.get(one.id, (None, ""))[1],
        )
        for one in terms
        if one.id in by_id
    ]
