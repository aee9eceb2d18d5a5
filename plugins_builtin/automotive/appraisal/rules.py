"""The sums of a trade-in, and for how long its answers hold (AUTOMOTIVE.md 7, chapter 11 of datafield.dev)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

VALID_DAYS = 7
VALID_KM = 500
PAYOFF_DAYS = 10
"""A lender's figure is asked for again after so many days: interest runs."""


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What follows from the figures; None where one is missing.

    :param acv: actual cash value: what the car is worth to the dealer today.
    :param equity: what is left for the customer after the lender has been paid; negative when he owes more.
    :param over: what is given beyond the car's worth; it lowers the gross profit of the deal.
    """

    acv: int | None = None
    equity: int | None = None
    over: int | None = None


def sums(
    *,
    market: int | None,
    repairs: int = 0,
    transport: int = 0,
    margin: int = 0,
    allowance: int | None = None,
    payoff: int = 0,
) -> Sums:
    """Reckon a trade-in, in minor units.

    ACV = market retail - reconditioning - transport - wanted margin; equity = allowance - payoff;
    over-allowance = allowance - ACV. An allowance of 18,000 on an ACV of 16,500 with 15,000 to pay off leaves 3,000
    and gives 1,500 too much.
    """
    acv = None if market is None else market - repairs - transport - margin
    return Sums(
        acv=acv,
        equity=None if allowance is None else allowance - payoff,
        over=None if allowance is None or acv is None else allowance - acv,
    )


def middle(amounts: Iterable[int]) -> int | None:
    """Return the mean of comparable prices, or None without any."""
    found = list(amounts)
    return round(sum(found) / len(found)) if found else None


def payoff_stale(said_on: dt.date | None, today: dt.date) -> bool:
    """Tell whether what the lender said must be asked for again."""
    return said_on is None or said_on < today - dt.timedelta(days=PAYOFF_DAYS)


def expired(valid_until: dt.date | None, km: int | None, km_now: int | None, today: dt.date) -> str:
    """Return what an offer has run out by, days or km, or an empty text while it holds."""
    if valid_until is not None and today > valid_until:
        return "days"
    if km is not None and km_now is not None and km_now > km + VALID_KM:
        return "km"
    return ""
