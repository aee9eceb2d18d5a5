"""Fit the weights of the second-car model to a firm's own outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from plugins_builtin.automotive.second_car.model import (
    SHIPPED,
    SIGNALS,
    Evidence,
    Weights,
    auc,
    logistic,
    score,
    signals,
)

LEAST = 200
"""Outcomes that a fit needs: about ten of the rarer kind for each weight."""
LEAST_OF_EACH = 50
ROUNDS = 50
CLOSE = 1e-9
PULL = 1.0
"""How strongly a weight is held near the shipped one (ridge): a firm's few hundred calls should not turn signs."""


class TooFewError(Exception):
    """Raised when a fit would tell nothing."""

    def __init__(self, there: int, hits: int) -> None:
        super().__init__(f"{there} outcomes, {hits} of them hits")
        self.there, self.hits = there, hits


def enough(outcomes: Sequence[bool]) -> None:
    """Refuse outcomes of which a fit would tell nothing.

    :raises TooFewError: under `LEAST` outcomes, or under `LEAST_OF_EACH` hits or misses.
    """
    hits = sum(outcomes)
    if len(outcomes) < LEAST or min(hits, len(outcomes) - hits) < LEAST_OF_EACH:
        raise TooFewError(len(outcomes), hits)


def fit(known: Sequence[Evidence], outcomes: Sequence[bool], start: Weights = SHIPPED) -> Weights:
    """Return weights by iteratively reweighted least squares: b += (X'WX + PI)^-1 (X'(y - p) - P(b - b0))."""
    found = [signals(one) for one in known]
    means = {name: _mean([row[name] for row in found], start.means[name]) for name in SIGNALS}
    rows = [[1.0, *(means[name] if (v := row[name]) is None else v for name in SIGNALS)] for row in found]
    first = [start.intercept, *(start.by_signal[name] for name in SIGNALS)]
    found_weights = _newton(rows, [float(hit) for hit in outcomes], first)
    return Weights(
        intercept=found_weights[0],
        by_signal=dict(zip(SIGNALS, found_weights[1:], strict=True)),
        means=means,
    )


def held_out(outcomes: Sequence[bool], every: int = 5) -> list[bool]:
    """Tell of each outcome whether it is kept apart to judge a fit: each fifth hit and each fifth miss."""
    seen = {True: 0, False: 0}
    apart = []
    for hit in outcomes:
        seen[hit] += 1
        apart.append(seen[hit] % every == 0)
    return apart


def quality(known: Sequence[Evidence], outcomes: Sequence[bool], weights: Weights = SHIPPED) -> float:
    """Return the area under the ROC curve of weights on outcomes."""
    return auc([score(one, weights).chance for one in known], outcomes)


def _mean(values: Sequence[float | None], otherwise: float) -> float:
    given = [value for value in values if value is not None]
    return sum(given) / len(given) if given else otherwise


def _newton(rows: Sequence[Sequence[float]], hits: Sequence[float], first: Sequence[float]) -> list[float]:
    size = len(first)
    pull = [0.0, *[PULL] * (size - 1)]  # The intercept is the firm's own.
    weights = list(first)
    for _round in range(ROUNDS):
        slope = [-pull[i] * (weights[i] - first[i]) for i in range(size)]
        bend = [[pull[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
        for row, hit in zip(rows, hits, strict=True):
            chance = logistic(sum(w * x for w, x in zip(weights, row, strict=True)))
            weight = chance * (1 - chance)
            for i, x in enumerate(row):
                slope[i] += x * (hit - chance)
                for j in range(i + 1):
                    bend[i][j] += weight * x * row[j]
        for i in range(size):
            for j in range(i):
                bend[j][i] = bend[i][j]
        step = solve(bend, slope)
        weights = [w + d for w, d in zip(weights, step, strict=True)]
        if max(abs(d) for d in step) < CLOSE:
            break
    return weights


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Solve a small system of linear equations (Gauss with pivots).

    :raises ZeroDivisionError: for a singular matrix.
    """
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for at in range(size):
        best = max(range(at, size), key=lambda line: abs(rows[line][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for line in range(at + 1, size):
            factor = rows[line][at] / rows[at][at]
            for column in range(at, size + 1):
                rows[line][column] -= factor * rows[at][column]
    found = [0.0] * size
    for at in reversed(range(size)):
        known = sum(rows[at][column] * found[column] for column in range(at + 1, size))
        found[at] = (rows[at][size] - known) / rows[at][at]
    return found
