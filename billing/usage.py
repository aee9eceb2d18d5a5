"""What add-ons counted (`kehu.api.count_usage`): what a period's bill says of it, and what the firm sees of it now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from billing import addon_prices, facts
from billing.addon_prices import AddonPrice
from billing.models import Subscription
from billing.providers.base import Line
from kehu.addons.models import UsageEvent
from kehu.core import clock, context
from kehu.core.i18n import _


@dataclass(frozen=True, kw_only=True)
class Used:
    """What was used of a meter in the present period.

    :param amount: what it costs by now beyond the add-on's price, in minor units.
    """

    label: str
    count: int
    included: int
    amount: int
    currency: str


def more(price: AddonPrice, count: int) -> int:
    """Return how many go beyond what is in the price."""
    return max(0, count - price.included)


def open_counts(session: Session, slug: str, before: dt.datetime | None = None) -> dict[str, int]:
    """Return what was counted and stands on no bill yet, by meter.

    :param before: the end of a period; None for all.
    """
    statement = select(UsageEvent.meter, func.sum(UsageEvent.quantity).label("total")).where(
        UsageEvent.tenant_id == context.tenant().id,
        UsageEvent.slug == slug,
        UsageEvent.settled_at.is_(None),
    )
    if before is not None:
        statement = statement.where(UsageEvent.at < before)
    return {row.meter: int(row.total) for row in session.execute(statement.group_by(UsageEvent.meter))}


def settle(session: Session, slug: str, before: dt.datetime | None = None, *, charged: bool = False) -> None:
    """Note that billing has looked at what was counted: it stands on a bill, or nothing is charged for it."""
    statement = update(UsageEvent).where(
        UsageEvent.tenant_id == context.tenant().id,
        UsageEvent.slug == slug,
        UsageEvent.settled_at.is_(None),
    )
    if before is not None:
        statement = statement.where(UsageEvent.at < before)
    session.execute(statement.values(settled_at=clock.now(), charged=charged))


def lines(
    session: Session, slug: str, version: int, interval: str, currency: str, before: dt.datetime | None
) -> Iterator[Line]:
    """Give the lines of a period's bill for what goes beyond the price of an add-on."""
    prices = addon_prices.meter_prices(session, slug, version, interval, currency)
    for meter, count in sorted(open_counts(session, slug, before).items()):
        over = more(prices[meter], count) if meter in prices else 0
        if over:
            yield Line(code="meter", plan=f"{slug}:{meter}", seats=over, amount=over * prices[meter].amount)


def used(session: Session, slug: str, running: Subscription | None) -> list[Used]:
    """Return what the firm used of an add-on's meters in the present period."""
    manifest = addon_prices.sold(slug)
    if manifest is None or not manifest.pricing.meters:
        return []
    mine = _charged(slug, running)
    version = mine if mine is not None else manifest.pricing.version
    interval = running.interval if running is not None else "month"
    currency = running.currency if running is not None else context.tenant().currency
    prices = addon_prices.meter_prices(session, slug, version, interval, currency)
    counts = _since(session, slug, running) if running is not None else open_counts(session, slug)
    free = facts.moment((running.raw.get("free_from") or {}).get(slug)) if running is not None else None
    due = counts if free is None else open_counts(session, slug, free)
    found = []
    for meter in manifest.pricing.meters:
        price, count = prices.get(meter.name), counts.get(meter.name, 0)
        if price is not None:
            amount = more(price, due.get(meter.name, 0)) * price.amount if mine is not None else 0
            found.append(
                Used(
                    label=_(meter.label),
                    count=count,
                    included=price.included,
                    amount=amount,
                    currency=currency,
                )
            )
    return found


def _charged(slug: str, running: Subscription | None) -> int | None:
    """Return the version of the price by which the present period's bill counts; None where it counts nothing."""
    if running is None or running.status == "trialing":
        return None
    ledger: dict[str, int] = running.raw.get("counts") or {}  # Has what was taken off the bill as well.
    return (ledger | {one["slug"]: one["version"] for one in running.addons}).get(slug)


def _since(session: Session, slug: str, running: Subscription) -> dict[str, int]:
    """Return what was counted since the period began; where that is billed by a ledger, what stands on no bill yet."""
    if not running.provider_id.startswith("sub_") or running.period_start is None:
        return open_counts(session, slug)
    ahead = int(facts.fact_of(context.tenant()).get("ahead") or 0)
    since = running.period_start - dt.timedelta(seconds=ahead)
    statement = select(UsageEvent.meter, func.sum(UsageEvent.quantity).label("total")).where(
        UsageEvent.tenant_id == context.tenant().id,
        UsageEvent.slug == slug,
        UsageEvent.at >= since,
        or_(UsageEvent.settled_at.is_(None), UsageEvent.charged.is_(True)),
    )
    return {row.meter: int(row.total) for row in session.execute(statement.group_by(UsageEvent.meter))}
