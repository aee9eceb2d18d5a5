"""How likely a household has two or more cars, by what is known of it.

A logistic model of nine signals, fitted on the US National Household Travel Survey 2022. A household that is
known to have one car but looks like those with two is one to call. What is not known counts as the mean of
all households, never as zero, and is returned as questions to ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_PEOPLE = 5
"""A sixth person tells no more than the fifth."""
REASONS = 3


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a household; None for what is not.

    :param income: yearly, in thousands of the currency in which the weights were fitted.
    """

    drivers: int | None = None
    workers: int | None = None
    people: int | None = None
    child: bool | None = None
    income: int | None = None
    owner: bool | None = None
    rural: bool | None = None


QUESTIONS = ("drivers", "workers", "people", "child", "income", "owner", "rural")
"""The facts of an Evidence in the order in which they are worth asking."""

FACT_OF = {
    "drivers_2": "drivers",
    "drivers_3": "drivers",
    "workers_2": "workers",
    "people": "people",
    "child": "child",
    "income_50": "income",
    "income_125": "income",
    "owner": "owner",
    "rural": "rural",
}
"""Signal -> the fact that it is made of."""
SIGNALS = tuple(FACT_OF)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A fitted model: log odds and what each signal adds; `means` stand in for what is not known."""

    intercept: float
    by_signal: Mapping[str, float]
    means: Mapping[str, float]


SHIPPED = Weights(
    intercept=-2.35,
    by_signal={
        "drivers_2": 2.45,
        "drivers_3": 1.02,
        "workers_2": 0.49,
        "people": 0.29,
        "child": -0.46,
        "income_50": 0.71,
        "income_125": 0.39,
        "owner": 0.18,
        "rural": 0.78,
    },
    means={
        "drivers_2": 0.609,
        "drivers_3": 0.096,
        "workers_2": 0.294,
        "people": 2.217,
        "child": 0.224,
        "income_50": 0.691,
        "income_125": 0.254,
        "owner": 0.461,
        "rural": 0.204,
    },
)
"""Weights from AUTOMOTIVE.md 11, means of the survey's households, unweighted."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What a signal adds to the log odds of a household, against the mean household."""

    signal: str
    adds: float


@dataclass(frozen=True, kw_only=True)
class Score:
    """The chance of two or more cars, what speaks for it most, and what would be good to know."""

    chance: float
    reasons: Sequence[Reason] = field(default_factory=tuple)
    unknown: Sequence[str] = field(default_factory=tuple)


def signals(known: Evidence) -> dict[str, float | None]:
    """Return the signals of a household; None where the fact is not known."""

    def least(value: int | None, bound: int) -> float | None:
        return None if value is None else float(value >= bound)

    return {
        "drivers_2": least(known.drivers, 2),
        "drivers_3": least(known.drivers, 3),
        "workers_2": least(known.workers, 2),
        "people": None if known.people is None else float(min(known.people, MOST_PEOPLE)),
        "child": None if known.child is None else float(known.child),
        "income_50": least(known.income, 50),
        "income_125": least(known.income, 125),
        "owner": None if known.owner is None else float(known.owner),
        "rural": None if known.rural is None else float(known.rural),
    }


def score(known: Evidence, weights: Weights = SHIPPED) -> Score:
    """Return how likely a household has two or more cars: logistic(intercept + Σ weight · signal)."""
    found = signals(known)
    odds = weights.intercept
    adds: dict[str, float] = {}
    for name, value in found.items():
        mean = weights.means[name]
        odds += weights.by_signal[name] * (mean if value is None else value)
        if value is not None:
            adds[name] = weights.by_signal[name] * (value - mean)
    best = sorted((name for name in adds if adds[name] > 0), key=lambda name: -adds[name])[:REASONS]
    return Score(
        chance=logistic(odds),
        reasons=tuple(Reason(signal=name, adds=adds[name]) for name in best),
        unknown=tuple(fact for fact in QUESTIONS if getattr(known, fact) is None),
    )


def logistic(odds: float) -> float:
    """Return 1 / (1 + e^-odds) without overflow."""
    if odds >= 0:
        return 1 / (1 + math.exp(-odds))
    small = math.exp(odds)
    return small / (1 + small)


def auc(scores: Sequence[float], outcomes: Sequence[bool]) -> float:
    """Return the area under the ROC curve: the chance that a hit ranks above a miss, ties by half (Mann-Whitney U).

    :raises ValueError: without at least one hit and one miss.
    """
    hits = sum(outcomes)
    misses = len(outcomes) - hits
    if not hits or not misses:
        raise ValueError("needs at least one hit and one miss")
    pairs = sorted(zip(scores, outcomes, strict=True))
    ranks, start = 0.0, 0
    while start < len(pairs):
        end = start
        while end < len(pairs) and pairs[end][0] == pairs[start][0]:
            end += 1
        ranks += sum(hit for _value, hit in pairs[start:end]) * (start + 1 + end) / 2
        start = end
    return (ranks - hits * (hits + 1) / 2) / (hits * misses)
