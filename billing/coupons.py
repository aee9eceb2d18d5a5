"""Coupons: so many percent off each bill of a subscription, typed with its first order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from billing.catalogue import Coupon, catalogue
from billing.facts import moment, written
from billing.periods import months_later
from billing.providers.base import Line, whole


def valid(code: str, today: dt.date) -> Coupon | None:
    """Return the coupon that people type as `code`, however they write it, if it can be used today."""
    found = catalogue().coupons.get(code.strip().upper())
    return found if found is not None and (found.until is None or today <= found.until) else None


def granted(coupon: Coupon | None, at: dt.datetime) -> dict[str, Any] | None:
    """Return what a subscription that begins at a moment holds of a coupon: code, percent and until when."""
    if coupon is None:
        return None
    until = months_later(at, coupon.months) if coupon.months else None
    return {"code": coupon.code, "percent": coupon.percent, "until": written(until)}


def percent(held: Mapping[str, Any] | None, at: dt.datetime) -> int:
    """Return how many percent a bill of a moment is less."""
    until = moment(held["until"]) if held else None
    return int(held["percent"]) if held and (until is None or at < until) else 0


def off(amount: int, held: Mapping[str, Any] | None, at: dt.datetime) -> int:
    """Return what comes off an amount in minor units, rounded half up, as away from nought for a credit."""
    part = Decimal(amount) * percent(held, at) / 100
    return int(part.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def lines(of: Sequence[Line], held: Mapping[str, Any] | None, at: dt.datetime) -> tuple[Line, ...]:
    """Return the lines of a bill with the one that takes the discount off."""
    return (*of, *line(held, at, off(sum(line.amount for line in of), held, at)))


def line(held: Mapping[str, Any] | None, at: dt.datetime, less: int) -> tuple[Line, ...]:
    """Return the line that takes so much off; none where that is nothing."""
    if not held or not less:
        return ()
    return (Line(code="discount", plan=str(held["code"]), seats=percent(held, at), amount=-less),)


def left(part: Fraction, held: Mapping[str, Any] | None, at: dt.datetime) -> int:
    """Return what is left of a part of a bill at Stripe: a part of a period is rounded once it is discounted."""
    if part.denominator == 1:
        return int(part) - off(int(part), held, at)
    return whole(part * (100 - percent(held, at)) / 100)
