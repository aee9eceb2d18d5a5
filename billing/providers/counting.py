"""What add-ons of a ledger's subscription counted: due with the bill of the next period, and once only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from billing import addon_prices, usage
from billing.facts import moment, written
from billing.providers.base import Line, Wish
from kehu.core import clock

KEY = "counts"
"""Where a subscription remembers which add-ons count in its period, with the versions of their prices."""
FREE = "free_from"
"""Where it remembers since when in its period the plan brings some of them."""


def begin(session: Session, sub: dict[str, Any], wish: Wish) -> None:
    """Let new add-ons count from now on; what they counted before they were paid for is free.

    What an add-on counts is free, too, from now on when the new plan brings it.
    """
    counts = sub.setdefault(KEY, {})
    brought = {slug for slug in counts if addon_prices.comes_with(slug, wish.plan.key)}
    sub[FREE] = {slug: written(clock.now()) for slug in brought} | sub.get(FREE, {})
    for slug in set(wish.slugs) - set(counts):
        usage.settle(session, slug)
    sub[KEY] = counts | {one.slug: one.version for one in wish.addons}


def counted(session: Session, sub: Mapping[str, Any], before: dt.datetime | None) -> tuple[Line, ...]:
    """Return the lines for what goes beyond the prices of add-ons; nothing before the first bill.

    :param before: the end of the period; None for all that was counted.
    """
    if sub["status"] == "trialing":
        return ()
    return tuple(
        line
        for slug, version in sorted(sub.get(KEY, {}).items())
        for line in usage.lines(
            session, slug, version, sub["interval"], sub["currency"], _until(sub, slug) or before
        )
    )


def settle(session: Session, sub: dict[str, Any], before: dt.datetime | None) -> None:
    """Note that what was counted stands on a bill; what went off the bill counts no more."""
    charged = sub["status"] != "trialing"
    for slug in sub.get(KEY, {}):
        until = _until(sub, slug)
        usage.settle(session, slug, until or before, charged=charged)
        if until is not None:
            usage.settle(session, slug, before)
    sub.pop(FREE, None)
    sub[KEY] = {one["slug"]: one["version"] for one in sub.get("addons") or ()}


def _until(sub: Mapping[str, Any], slug: str) -> dt.datetime | None:
    return moment(sub.get(FREE, {}).get(slug))
