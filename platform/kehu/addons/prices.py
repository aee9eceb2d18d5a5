"""What paid add-ons cost, and from when to when a tenant had one: kept for billing, which reads it.

Kehu takes no money for add-ons yet. What is switched on is noted with the price that was shown and the end of its
trial, so that billing can begin with true dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.addons.models import AddonPeriod
from kehu.core import clock, context, hooks
from kehu.core.ids import new_id
from kehu.core.money import to_minor
from kehu.members.models import Member
from plugins.manifest import Manifest
from plugins.pricing import Pricing
from plugins.records import PluginRecord
from plugins.results import BillingState


@dataclass(frozen=True, kw_only=True)
class Price:
    """What an add-on costs this tenant a month.

    :param amount: for the whole firm or for one member, in minor units; None when nobody said it yet.
    :param monthly: for the firm as it is now.
    :param trial_ends: the day on which the days to try are over, if they begin now or began before.
    """

    name: str
    per: str
    amount: int | None
    currency: str
    monthly: int | None
    members: int
    trial_days: int = 0
    trial_ends: dt.date | None = None
    since: dt.date | None = None


def price(session: Session, manifest: Manifest) -> Price | None:
    """Return what an add-on costs the present tenant; None for one without a price of its own."""
    pricing = manifest.pricing
    if not pricing.paid:
        return None
    amount, currency = amount_of(pricing, context.tenant().currency)
    zone = context.tenant().tz
    members = _members(session)
    times = members if pricing.per == "seat" else 1
    running = _open(session, manifest.slug)
    ends = running.trial_until if running else _trial_end(session, manifest, clock.now())
    return Price(
        name=manifest.name,
        per=pricing.per,
        amount=amount,
        currency=currency,
        monthly=amount * times if amount is not None else None,
        members=members,
        trial_days=pricing.trial_days,
        trial_ends=ends.astimezone(zone).date() if ends and ends > clock.now() else None,
        since=running.started_at.astimezone(zone).date() if running else None,
    )


def amount_of(pricing: Pricing, currency: str) -> tuple[int | None, str]:
    """Return the amount in the tenant's currency, or else in the first that the author names."""
    if not pricing.amounts:
        return None, currency
    chosen = currency if currency in pricing.amounts else next(iter(pricing.amounts))
    return to_minor(Decimal(pricing.amounts[chosen]), chosen), chosen


def begin(session: Session, record: PluginRecord) -> None:
    """Note that the present tenant has a paid add-on from now on."""
    manifest = record.manifest
    if manifest is None or not manifest.pricing.paid or _open(session, record.slug) is not None:
        return
    amount, currency = amount_of(manifest.pricing, context.tenant().currency)
    actor, now = context.current().actor, clock.now()
    session.add(
        AddonPeriod(
            id=new_id(),
            started_at=now,
            slug=record.slug,
            key=manifest.pricing.key,
            per=manifest.pricing.per,
            amount=amount,
            currency=currency if amount is not None else None,
            trial_until=_trial_end(session, manifest, now),
            started_by=actor.member_id if actor else None,
        )
    )


def end(session: Session, slug: str) -> None:
    """Note that the present tenant has it no more."""
    running = _open(session, slug)
    if running is not None:
        running.ended_at = clock.now()


def takes_money() -> bool:
    """Tell whether the installation takes real money by now."""
    state: BillingState | None = hooks.first("kehu_billing_state", tenant_id=context.tenant().id)
    return state is not None and state.live


def totals(prices: list[Price]) -> Mapping[str, int]:
    """Return what several cost together a month, by currency."""
    found: dict[str, int] = {}
    for one in prices:
        if one.monthly is not None:
            found[one.currency] = found.get(one.currency, 0) + one.monthly
    return found


def _open(session: Session, slug: str) -> AddonPeriod | None:
    statement = select(AddonPeriod).where(AddonPeriod.slug == slug, AddonPeriod.ended_at.is_(None))
    return session.execute(statement).scalar_one_or_none()


def _trial_end(session: Session, manifest: Manifest, now: dt.datetime) -> dt.datetime | None:
    """Return when the days to try end: they are given once, from the first day that the tenant had it."""
    if not manifest.pricing.trial_days:
        return None
    first = session.execute(
        select(func.min(AddonPeriod.started_at)).where(AddonPeriod.slug == manifest.slug)
    ).scalar()
    return (first or now) + dt.timedelta(days=manifest.pricing.trial_days)


def _members(session: Session) -> int:
    statement = (
        select(func.count()).select_from(Member).where(Member.state == "active", Member.deleted_at.is_(None))
    )
    return int(session.execute(statement).scalar_one())
