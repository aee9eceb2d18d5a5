"""What add-ons of a ledger's subscription counted: due with the bill of the next period, and once only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from billing import usage
from billing.providers.base import Line, Wish

KEY = "counts"
"""Where a subscription remembers which add-ons count in its period, with the versions of their prices."""


def begin(session: Session, sub: dict[str, Any], wish: Wish) -> None:
    """Let new add-ons count from now on; what they counted before they were paid for is free."""
    counts = sub.setdefault(KEY, {})
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
        for line in usage.lines(session, slug, version, sub["interval"], sub["currency"], before)
    )


def settle(session: Session, sub: dict[str, Any], before: dt.datetime | None) -> None:
    """Note that what was counted stands on a bill; what went off the bill counts no more."""
    for slug in sub.get(KEY, {}):
        usage.settle(session, slug, before, charged=sub["status"] != "trialing")
    sub[KEY] = {one["slug"]: one["version"] for one in sub.get("addons") or ()}
