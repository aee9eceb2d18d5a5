"""Rates with the range in which they lie, and how far two of them are apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.959964
"""The normal quantile of a range of 95 %."""

FEW = 30
"""Below so many a rate says little, and the page says so."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """So many of `n` did it."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        """The share; 0 of none."""
        return self.hits / self.n if self.n else 0.0

    @property
    def few(self) -> bool:
        """Whether there are too few to say much."""
        return self.n < FEW

    @property
    def interval(self) -> tuple[float, float]:
        """The range of 95 % by Wilson's score (E. B. Wilson 1927), which holds for few and for shares near 0 and 1."""
        if not self.n:
            return 0.0, 1.0
        share, square = self.value, Z * Z / self.n
        middle = (share + square / 2) / (1 + square)
        half = Z / (1 + square) * sqrt(share * (1 - share) / self.n + square / (4 * self.n))
        return max(middle - half, 0.0), min(middle + half, 1.0)


@dataclass(frozen=True, kw_only=True)
class Lift:
    """How much more often those did it who were contacted."""

    contacted: Rate
    held_out: Rate

    @property
    def value(self) -> float:
        """The difference of the shares."""
        return self.contacted.value - self.held_out.value

    @property
    def interval(self) -> tuple[float, float]:
        """The range of 95 % of the difference, by Newcombe's hybrid score (R. G. Newcombe 1998, method 10)."""
        first, second = self.contacted, self.held_out
        low_1, high_1 = first.interval
        low_2, high_2 = second.interval
        below = sqrt((first.value - low_1) ** 2 + (high_2 - second.value) ** 2)
        above = sqrt((high_1 - first.value) ** 2 + (second.value - low_2) ** 2)
        return max(self.value - below, -1.0), min(self.value + above, 1.0)

    @property
    def certain(self) -> bool:
        """Whether the range leaves out zero."""
        low, high = self.interval
        return bool(self.contacted.n and self.held_out.n) and (low > 0 or high < 0)
