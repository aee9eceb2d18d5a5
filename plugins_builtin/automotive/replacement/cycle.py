"""Cars that customers have had for so many months, as dated things for which the platform makes offers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Date, cast
from sqlalchemy.orm import aliased

from kehu.api import Call, DatedThing, OfferSource, _, _l, and_, day_text, func, or_, parse_id, select
from plugins_builtin.automotive.vehicles.models import Vehicle, VehicleParty

MONTHS = 48
"""So long most keep a car, unless the firm says otherwise."""

MOST = 20_000
LATELY = dt.timedelta(days=180)
"""Who got another car within these days needs no offer."""


def due(ctx: Call, since: dt.date, until: dt.date) -> Sequence[DatedThing]:
    """Return the cars whose owner has had them for so many months within these days."""
    months, party = int(ctx.settings.get("replacement_months") or MONTHS), VehicleParty
    day = cast(party.from_on + func.make_interval(0, months), Date)
    statement = (
        select(
            party.id,
            party.customer_id,
            party.from_on,
            party.owner_id,
            Vehicle.name,
            Vehicle.owned_item_id,
            day.label("day"),
        )
        .join(Vehicle, and_(Vehicle.tenant_id == party.tenant_id, Vehicle.id == party.vehicle_id))
        .where(
            party.tenant_id == ctx.tenant.id,
            party.role == "owner",
            party.deleted_at.is_(None),
            or_(party.to_on.is_(None), party.to_on > ctx.today),
            day >= since,
            day <= until,
            # The index knows the day from which on; 31 days cover every month.
            party.from_on >= since - dt.timedelta(days=31 * months),
            Vehicle.deleted_at.is_(None),
            Vehicle.status == "in_use",
        )
        .order_by(party.from_on, party.id)
        .limit(MOST)
    )
    return [
        DatedThing(
            key=f"{row.id} {months}",
            customer_id=row.customer_id,
            item_id=row.owned_item_id,
            owner_id=row.owner_id,
            name=row.name or _("Car"),
            due_on=row.day,
            basis=_("His since %(day)s.", day=day_text(row.from_on)),
        )
        for row in ctx.session.execute(statement)
    ]


def fates(ctx: Call, keys: Sequence[str]) -> Mapping[str, str]:
    """Return whose car was handed on, and who has got another one."""
    ids = {parse_id(key.partition(" ")[0]): key for key in keys}
    party, other = VehicleParty, aliased(VehicleParty)
    newer = (
        select(other.id)
        .where(
            other.tenant_id == party.tenant_id,
            other.customer_id == party.customer_id,
            other.vehicle_id != party.vehicle_id,
            other.role == "owner",
            other.deleted_at.is_(None),
            other.from_on > ctx.today - LATELY,
            other.from_on > party.from_on,
        )
        .exists()
    )
    kept = and_(
        party.deleted_at.is_(None),
        or_(party.to_on.is_(None), party.to_on > ctx.today),
        Vehicle.deleted_at.is_(None),
        Vehicle.status == "in_use",
    )
    statement = (
        select(party.id, newer.label("newer"))
        .join(Vehicle, and_(Vehicle.tenant_id == party.tenant_id, Vehicle.id == party.vehicle_id))
        .where(
            party.tenant_id == ctx.tenant.id,
            party.id.in_([one for one in ids if one is not None]),
            or_(newer, ~kept),
        )
    )
    found: dict[uuid.UUID, Any] = {
        row.id: "bought" if row.newer else "sold" for row in ctx.session.execute(statement)
    }
    return {ids[key]: fate for key, fate in found.items()}


SOURCE = OfferSource(
    key="automotive.replacement",
    label=_l("A customer has had a car for so long"),
    due=due,
    fates=fates,
)
