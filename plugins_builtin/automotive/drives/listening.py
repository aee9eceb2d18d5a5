"""Follow what is done with the booking of a drive on the platform's own pages."""

from __future__ import annotations

from typing import Any

from kehu.api import Call, Event, select, service_for
from plugins_builtin.automotive.drives.services import DriveService

FOLLOWED = frozenset({"booking.updated", "booking.trashed", "booking.restored"})


def after_change(ctx: Call, event: Event) -> None:
    """Take over times and state of a booking. Safe to run again."""
    if event.name not in FOLLOWED:
        return
    model: Any = service_for("bookings", ctx.session).type.model
    statement = select(model).where(model.id == event.payload["record_id"])
    booking = ctx.session.execute(statement).scalar_one_or_none()
    if booking is not None:
        DriveService(ctx.session, ctx.actor).follow(booking)
