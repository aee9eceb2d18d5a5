"""From when to when a tenant had a paid add-on switched on, with the price that it was shown: kept for billing.

What an add-on costs and where it stands is billing's to say (`kehu.addons.cards.offer`); where nothing is charged,
nothing is noted.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.cards import offer
from kehu.addons.models import AddonPeriod
from kehu.core import clock, context
from kehu.core.ids import new_id
from plugins.records import PluginRecord


def begin(session: Session, record: PluginRecord) -> None:
    """Note that the present tenant has a paid add-on from now on."""
    manifest = record.manifest
    if manifest is None or not manifest.pricing.paid or _open(session, record.slug) is not None:
        return
    found = offer(record.slug)
    if found is None:
        return
    actor = context.current().actor
    session.add(
        AddonPeriod(
            id=new_id(),
            started_at=clock.now(),
            slug=record.slug,
            key=manifest.pricing.key,
            per=found.per,
            amount=found.amount,
            currency=found.currency if found.amount is not None else None,
            trial_until=found.trial_until,
            started_by=actor.member_id if actor else None,
        )
    )


def end(session: Session, slug: str) -> None:
    """Note that the present tenant has it no more."""
    running = _open(session, slug)
    if running is not None:
        running.ended_at = clock.now()


def _open(session: Session, slug: str) -> AddonPeriod | None:
    statement = select(AddonPeriod).where(AddonPeriod.slug == slug, AddonPeriod.ended_at.is_(None))
    return session.execute(statement).scalar_one_or_none()
