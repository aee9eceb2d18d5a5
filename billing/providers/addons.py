"""What paid add-ons of a subscription cost: a line each, and what a change costs for the rest of a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import structlog
from sqlalchemy.orm import Session

from billing import addon_prices
from billing.providers.base import AddonWish, Line, Wish, more_of, whole
from kehu.core.errors import Conflict
from kehu.core.i18n import _

log = structlog.get_logger(__name__)


def held(
    session: Session, rows: Iterable[Mapping[str, Any]], interval: str, currency: str
) -> tuple[AddonWish, ...]:
    """Return add-ons that rows hold, at the price of their version; what has no price any more is left out."""
    found = []
    for one in rows:
        try:
            found.append(wish_for(session, one["slug"], one["version"], one["per"], interval, currency))
        except Conflict:
            log.error("billing_alarm", what="an add-on without a price", addon=one["slug"])
    return tuple(found)


def wish_for(session: Session, slug: str, version: int, per: str, interval: str, currency: str) -> AddonWish:
    """Return an add-on at its price.

    :raises Conflict: when it has none by this interval in this currency.
    """
    amount = addon_prices.amount(session, slug, version, interval, currency)
    if amount is None:
        name = addon_prices.name_of(slug)
        raise Conflict(
            _(
                "%(plugin)s has no price in %(currency)s. Ask whoever runs this installation.",
                plugin=name,
                currency=currency,
            )
        )
    return AddonWish(slug=slug, version=version, per=per, amount=amount)


def line(code: str, addon: AddonWish, seats: int, part: Fraction = Fraction(1)) -> Line:
    """Return the line of an add-on for a part of a period.

    :param seats: those of the firm, of which an add-on for the whole firm takes no notice.
    """
    count = addon.quantity(seats)
    return Line(code=code, plan=addon.slug, seats=count, amount=whole(addon.amount * count * part))


def difference(before: Wish, wish: Wish, floors: Mapping[str, int], rest: Fraction) -> Iterator[Line]:
    """Give the lines of what changes among add-ons for the rest of the period.

    What the firm takes off is not paid back; what the new plan brings, or another interval bills anew, is.

    :param floors: how often each is paid until the end of the period.
    """
    anew = before.interval != wish.interval
    for addon in before.addons:
        if anew or (addon.slug not in wish.slugs and addon_prices.comes_with(addon.slug, wish.plan.key)):
            gone = line("unused_addon", addon, before.seats, rest)
            yield Line(code=gone.code, plan=gone.plan, seats=gone.seats, amount=-gone.amount)
    if anew:
        yield from (line("addon", addon, wish.seats) for addon in wish.addons)
        return
    had = {one.slug: one.quantity(before.seats) for one in before.addons}
    for addon in wish.addons:
        paid = max(had.get(addon.slug, 0), floors.get(addon.slug, 0))
        wanted = addon.quantity(wish.seats)
        if wanted > paid:
            code = "more_addon" if paid else "addon"
            yield more_of(code, addon.slug, addon.amount * rest, paid, wanted)
