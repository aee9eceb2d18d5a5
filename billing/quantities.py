"""Arithmetic of seats: what is billed, and how a new number is asked for without paying a seat twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantityStep:
    """One change of the quantity at the provider.

    :param charge: whether what is more is invoiced at once; else the change costs nothing now.
    :param addons: how often each add-on is wanted with it; None leaves them as they are.
    """

    quantity: int
    charge: bool
    addons: Mapping[str, int] | None = None


def billed(wanted: int, minimum: int) -> int:
    """Return how many seats are billed: never fewer than the plan asks for."""
    return max(wanted, minimum)


def steps(now: int, floor: int, wanted: int) -> list[QuantityStep]:
    """Return the steps from a quantity to another one.

    Seats up to the floor are paid until the end of the period, though fewer were asked for since: going up to it
    again costs nothing, and only the rest is charged.

    :param floor: seats that are paid until the end of the period.
    """
    if wanted <= now:
        return [QuantityStep(quantity=wanted, charge=False)] if wanted < now else []
    paid = min(wanted, max(floor, now))
    found = [QuantityStep(quantity=paid, charge=False)] if paid > now else []
    return [*found, QuantityStep(quantity=wanted, charge=True)] if wanted > paid else found


def floor_after(now: int, floor: int, wanted: int) -> int:
    """Return the floor after a change: what was paid stays paid until the period ends."""
    return max(now, floor, wanted)
