"""Arithmetic of seats."""

from __future__ import annotations

import random

import pytest

from billing.quantities import QuantityStep, billed, floor_after, steps


def free(quantity: int) -> QuantityStep:
    return QuantityStep(quantity=quantity, charge=False)


def charged(quantity: int) -> QuantityStep:
    return QuantityStep(quantity=quantity, charge=True)


@pytest.mark.parametrize(("wanted", "minimum", "found"), [(1, 3, 3), (3, 3, 3), (4, 3, 4), (2, 1, 2)])
def test_case_51_never_fewer_than_the_plan_asks_for(wanted: int, minimum: int, found: int) -> None:
    assert billed(wanted, minimum) == found


@pytest.mark.parametrize(
    ("now", "floor", "wanted", "found"),
    [
        (5, 0, 5, []),
        (5, 0, 3, [free(3)]),
        (3, 5, 5, [free(5)]),
        (3, 5, 4, [free(4)]),
        (3, 5, 8, [free(5), charged(8)]),
        (5, 5, 8, [charged(8)]),
        (5, 0, 8, [charged(8)]),
    ],
)
def test_case_48_up_to_the_floor_is_paid_and_only_the_rest_is_charged(
    now: int, floor: int, wanted: int, found: list[QuantityStep]
) -> None:
    assert steps(now, floor, wanted) == found


def test_case_48_no_way_of_changes_pays_a_seat_twice() -> None:
    rng = random.Random(48)
    for _round in range(500):
        now = first = rng.randint(1, 20)
        floor, paid = now, 0
        for _change in range(rng.randint(1, 8)):
            wanted = rng.randint(1, 30)
            for step in steps(now, floor, wanted):
                paid += step.quantity - now if step.charge else 0
                now = step.quantity
            floor = floor_after(now, floor, wanted)
            assert now == wanted
        assert paid == floor - first
