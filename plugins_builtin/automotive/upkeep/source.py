"""Services as dated things for which a firm makes offers: the ladder, the gate and the work list are the platform's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from kehu.api import Call, DatedThing, OfferSource, _l, and_, parse_id, select
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.upkeep.models import ServiceItem
from plugins_builtin.automotive.vehicles.models import Vehicle

MOST = 20_000


def _joined(*columns: Any) -> Any:
    same = and_(Vehicle.tenant_id == ServiceItem.tenant_id, Vehicle.id == ServiceItem.vehicle_id)
    return select(*columns).join(Vehicle, same)


def due(ctx: Call, since: dt.date, until: dt.date) -> list[DatedThing]:
    """Return the services of cars in use whose day lies within; each time it comes round is another thing."""
    item, car = ServiceItem, Vehicle
    statement = (
        _joined(
            item.id,
            item.name,
            item.due_on,
            item.basis,
            item.done_on,
            car.name.label("car"),
            car.customer_id,
            car.owned_item_id,
            car.owner_id,
        )
        .where(
            item.due_on >= since,
            item.due_on <= until,
            item.deleted_at.is_(None),
            item.paused.is_(False),
            car.deleted_at.is_(None),
            car.status == "in_use",
            car.customer_id.is_not(None),
        )
        .order_by(item.due_on, item.id)
        .limit(MOST)
    )
    return [
        DatedThing(
            key=f"{row.id} {row.done_on.isoformat()}",
            customer_id=row.customer_id,
            name=f"{row.name} – {row.car}",
            due_on=row.due_on,
            item_id=row.owned_item_id,
            owner_id=row.owner_id,
            basis=row.basis or "",
        )
        for row in ctx.session.execute(statement)
    ]


def fates(ctx: Call, keys: Sequence[str]) -> Mapping[str, str]:
    """Return what became of services that were offered: done, the car gone, or the service itself."""
    ids = {key: parse_id(key.partition(" ")[0]) for key in keys}
    item, car = ServiceItem, Vehicle
    statement = _joined(
        item.id, item.done_on, item.deleted_at, item.paused, car.status, car.deleted_at.label("car_gone")
    ).where(item.id.in_([one for one in ids.values() if one is not None]))
    rows = {row.id: row for row in ctx.session.execute(statement)}
    found: dict[str, str] = {}
    for key, item_id in ids.items():
        row = rows.get(item_id)
        if row is None or row.deleted_at is not None or row.paused:
            found[key] = "gone"
        elif row.car_gone is not None or row.status != "in_use":
            found[key] = "sold"
        elif row.done_on.isoformat() != key.partition(" ")[2]:
            found[key] = "bought"
    return found


SERVICES = OfferSource(key=f"{SLUG}.service", label=_l("A service of a car is due"), due=due, fates=fates)
