"""What plugins count for their price (`[[pricing.meters]]`): each event once, in the transaction of what was done."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.addons.models import UsageEvent
from kehu.core import clock, context, db, hooks, schedule
from plugins.manifest import Manifest

LONGEST = 200
MOST = 1_000_000_000
KEPT = dt.timedelta(days=400)
"""How long events are kept; until then the same one is not counted again."""


def count_usage(session: Session, meter: str, event: str, quantity: int = 1) -> bool:
    """Count something that a plugin takes money for, in the running transaction; the same event counts once.

    One write by an index, and no question whether somebody pays: the add-on's price says how many are included, and
    billing looks at what is more when the period ends.

    :param meter: slug and name of the meter as the manifest has them, as `dentist.visits`.
    :param event: what happened, unlike any other of this meter: the id of a message or a booking, as text.
    :param quantity: how many that were, a whole number from 1.
    :return: whether it was counted now; False for an event that was counted before.
    :raises LookupError: when no plugin declares the meter.
    :raises ValueError: for an event without a name or with one of more than 200 characters, or a quantity below 1.
    """
    slug, _dot, name = meter.partition(".")
    if name not in meters_of(slug):
        raise LookupError(
            f"No plugin declares the meter {meter!r}. Add it to [[pricing.meters]] in plugin.toml."
        )
    if not 0 < len(event) <= LONGEST:
        raise ValueError(
            f"The event has {len(event)} characters. Give it a name of 1 to {LONGEST}, as an id."
        )
    if not 1 <= quantity <= MOST:
        raise ValueError(f"The quantity is {quantity}. Count a whole number from 1 to {MOST}.")
    statement = (
        insert(UsageEvent)
        .values(
            tenant_id=context.tenant().id,
            slug=slug,
            meter=name,
            event=event,
            quantity=quantity,
            at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(UsageEvent.quantity)
    )
    return session.execute(statement).first() is not None


def meters_of(slug: str) -> frozenset[str]:
    """Return the names of the meters that a plugin declares."""
    record = hooks.host().installed.get(slug)
    manifest: Manifest | None = record.manifest if record is not None else None
    return frozenset(one.name for one in manifest.pricing.meters) if manifest is not None else frozenset()


def counted_usage(session: Session, meter: str) -> int:
    """Return how much of a meter was counted and stands on no bill yet.

    :param meter: slug and name, as `dentist.visits`.
    """
    slug, _dot, name = meter.partition(".")
    statement = select(func.coalesce(func.sum(UsageEvent.quantity), 0)).where(
        UsageEvent.tenant_id == context.tenant().id,
        UsageEvent.slug == slug,
        UsageEvent.meter == name,
        UsageEvent.settled_at.is_(None),
    )
    return int(session.execute(statement).scalar_one())


@schedule.every_tenant("addons.forget_usage", at="03:50")
def forget_usage(_tenant_id: uuid.UUID) -> None:
    """Forget events that were counted more than 400 days ago."""
    statement = delete(UsageEvent).where(
        UsageEvent.tenant_id == context.tenant().id, UsageEvent.at < clock.now() - KEPT
    )
    db.session().execute(statement)
