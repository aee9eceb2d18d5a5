"""Figures of a survey: pure, no database. A group of fewer than five answers has none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

SMALLEST = 5
"""Fewer answers would tell what one person said."""

Z = 1.959964
"""Quantile of the normal distribution for an interval of 95 %."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value with the number of answers and its interval; no value where the group is too small."""

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def hidden(self) -> bool:
        """Whether the group is too small for a figure."""
        return self.value is None


def recommendation(counts: Mapping[int, int]) -> Figure:
    """Return the net promoter score: the share of 9 and 10 less that of 0 to 6, from -100 to 100.

    Its variance is (p + d - (p - d)^2) / n with p and d the two shares.
    """
    n = sum(counts.values())
    if n < SMALLEST:
        return Figure(n=n)
    good = sum(count for score, count in counts.items() if score >= 9) / n
    bad = sum(count for score, count in counts.items() if score <= 6) / n
    net = good - bad
    half = Z * math.sqrt(max(0.0, good + bad - net * net) / n)
    return Figure(
        n=n, value=100 * net, low=max(-100.0, 100 * (net - half)), high=min(100.0, 100 * (net + half))
    )


def mean(counts: Mapping[int, int]) -> Figure:
    """Return the mean of a scale with its interval."""
    n = sum(counts.values())
    if n < SMALLEST:
        return Figure(n=n)
    average = sum(score * count for score, count in counts.items()) / n
    spread = sum(count * (score - average) ** 2 for score, count in counts.items()) / (n - 1)
    half = Z * math.sqrt(spread / n)
    return Figure(n=n, value=average, low=average - half, high=average + half)


def index(counts: Mapping[int, int]) -> float | None:
    """Return the satisfaction index of a scale from 1 to 10: 1000 times the mean of (answer - 1) / 9."""
    found = mean(counts)
    return None if found.value is None else 1000 * (found.value - 1) / 9


def shares(counts: Mapping[str, int]) -> list[tuple[str, int, float]] | None:
    """Return each choice with its count and share; None where there are too few answers."""
    n = sum(counts.values())
    if n < SMALLEST:
        return None
    return [(choice, count, count / n) for choice, count in counts.items()]


def rate(answered: int, sent: int) -> float | None:
    """Return which share of those who got an invitation answered."""
    return answered / sent if sent else None
