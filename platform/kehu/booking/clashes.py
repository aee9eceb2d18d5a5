"""What stands against a booking: others that hold a resource or a member at the time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from flask_babel import get_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.booking.models import Booking, BookingLine
from kehu.core import context
from kehu.core.db import tenant_id
from kehu.core.i18n import _
from kehu.core.records import scope
from kehu.core.records.types import get
from kehu.core.tables import metadata


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A booking that is in the way of another one.

    :param holder_id: the resource or member that it holds.
    :param name: what it is for; empty when the actor may not see it.
    """

    holder_id: uuid.UUID
    name: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    closure: bool = False

    def sentence(self, what: str) -> str:
        """Say what is in the way and until when."""
        span = span_text(self.begins_at, self.ends_at)
        if self.closure:
            return _("%(what)s is out of service %(span)s. Choose another time.", what=what, span=span)
        if self.name:
            return _(
                "%(what)s is taken %(span)s by “%(name)s”. Choose another time.",
                what=what,
                span=span,
                name=self.name,
            )
        return _("%(what)s is taken %(span)s. Choose another time.", what=what, span=span)


def span_text(start: dt.datetime, end: dt.datetime) -> str:
    """Write a span in the firm's zone: with its day, and with both when it ends on another one."""
    zone, locale = context.tenant().tz, str(get_locale() or "en")
    begins, ends = start.astimezone(zone), end.astimezone(zone)
    day = format_date(begins.date(), "medium", locale=locale)
    if begins.date() == ends.date():
        return f"{day}, {begins:%H:%M}–{ends:%H:%M}"
    return f"{day}, {begins:%H:%M} – {format_date(ends.date(), 'medium', locale=locale)}, {ends:%H:%M}"


def lock(session: Session, resources: Iterable[uuid.UUID], member_id: uuid.UUID | None) -> None:
    """Hold the rows of what is booked, so that two who book it come one after the other.

    In the order of ids: two who take several wait for each other, never crosswise.
    """
    for name, ids in (("resources", sorted(resources)), ("members", [member_id] if member_id else [])):
        if ids:
            table = metadata.tables[name]
            session.execute(
                select(table.c.id)
                .where(table.c.tenant_id == tenant_id(), table.c.id.in_(ids))
                .order_by(table.c.id)
                .with_for_update(key_share=True)
            )


def of_resources(
    session: Session, spans: Collection[tuple[uuid.UUID, dt.datetime, dt.datetime]], booking_id: uuid.UUID
) -> Clash | None:
    """Return what else holds one of some resources in its time, or None."""
    for resource_id, begins_at, ends_at in spans:
        statement = _with_name(BookingLine.begins_at, BookingLine.ends_at).where(
            BookingLine.booking_id == Booking.id,
            BookingLine.resource_id == resource_id,
            BookingLine.living,
            BookingLine.ends_at > begins_at,
            BookingLine.begins_at < ends_at,
            BookingLine.booking_id != booking_id,
        )
        found = session.execute(statement.order_by(BookingLine.begins_at).limit(1)).first()
        if found is not None:
            return _clash(resource_id, found)
    return None


def of_member(session: Session, booking: Booking) -> Clash | None:
    """Return another booking that its member is busy with at the time, or None."""
    statement = _with_name(Booking.busy_from, Booking.busy_to).where(
        Booking.member_id == booking.member_id,
        Booking.state.in_(("booked", "out")),
        Booking.deleted_at.is_(None),
        Booking.busy_to > booking.busy_from,
        Booking.busy_from < booking.busy_to,
        Booking.id != booking.id,
    )
    found = session.execute(statement.order_by(Booking.busy_from).limit(1)).first()
    return _clash(booking.member_id, found) if found is not None else None


def _with_name(begins: Any, ends: Any) -> Any:
    actor = context.actor()
    seen = scope.condition(get("bookings"), Booking, actor, actor.scope("bookings:read"))
    return select(
        Booking.name, Booking.closure, seen.label("seen"), begins.label("begins_at"), ends.label("ends_at")
    )


def _clash(holder_id: Any, row: Any) -> Clash:
    return Clash(
        holder_id=holder_id,
        name=row.name if row.seen else "",
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        closure=row.closure,
    )
