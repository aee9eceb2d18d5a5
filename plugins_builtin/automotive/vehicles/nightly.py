"""What happens to vehicles without anybody's doing."""

from __future__ import annotations

import datetime as dt

from kehu.api import Call, or_, select
from plugins_builtin.automotive.vehicles.models import Vehicle, VehicleParty
from plugins_builtin.automotive.vehicles.parties import PartyService
from plugins_builtin.automotive.vehicles.services import VehicleService

BACK = dt.timedelta(days=14)
"""Days that are looked at again, in case the job did not run."""
TURN = 500


def follow_owners(ctx: Call, today: dt.date | None = None) -> None:
    """Bring the owner of today in step on vehicles that change hands today or did so lately; safe to run again.

    Vehicles with an owner that the platform has no record of yet, as those of an earlier release, get theirs.
    """
    day, party = today or ctx.today, VehicleParty
    statement = (
        select(party.vehicle_id)
        .where(
            party.tenant_id == ctx.tenant.id,
            party.role == "owner",
            party.deleted_at.is_(None),
            or_(party.from_on.between(day - BACK, day), party.to_on.between(day - BACK, day)),
        )
        .distinct()
        .order_by(party.vehicle_id)
    )
    ids = list(ctx.session.execute(statement).scalars())
    for at in range(0, len(ids), TURN):
        PartyService(ctx.session).follow(ids[at : at + TURN], day)
    bare = select(Vehicle).where(
        Vehicle.customer_id.is_not(None), Vehicle.owned_item_id.is_(None), Vehicle.deleted_at.is_(None)
    )
    VehicleService(ctx.session).adopt(list(ctx.session.execute(bare.limit(TURN)).scalars()))
