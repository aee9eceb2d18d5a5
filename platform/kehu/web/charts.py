"""Draw line and bar charts as SVG on the server: two widths, no script, no inline style."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10

from babel.numbers import format_compact_decimal
from flask_babel import get_locale
from markupsafe import Markup, escape

MOST_SERIES = 6
_WIDE = (720, 260)
_NARROW = (360, 220)
_TOP, _BOTTOM, _RIGHT = 10, 28, 8
_LETTER = 6.6
_WIDE_FROM = 0x2E7F


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers; ``before`` draws it grey and dotted, as the year before."""

    name: str
    values: Sequence[float | None]
    before: bool = False


def nice_ticks(highest: float, steps: int = 4, whole: bool = False) -> list[float]:
    """Return round tick values from nought to just above the highest value."""
    if highest <= 0:
        return [0, 1] if whole else [0.0, 1.0]
    raw = highest / steps
    power = 10 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    if whole:
        step = max(1, ceil(step))
    return [step * index for index in range(ceil(highest / step) + 1)]


def short_number(value: float) -> str:
    """Write a number for an axis in the reader's language: 40K, 1.5M, 4万."""
    return str(format_compact_decimal(value, locale=str(get_locale() or "en"), fraction_digits=1))


def _letters(text: str) -> int:
    """Return how many narrow letters a text is as wide as."""
    return sum(2 if ord(letter) > _WIDE_FROM else 1 for letter in text)


@dataclass(slots=True)
class Chart:
    """A chart with a title, a sentence about it and a table of the same numbers.

    :param kind: ``line`` or ``bar``.
    :param whole: the values are counts, so the axis has whole steps.
    :param write: how a value is written in the table; ``axis`` how on the axis.
    """

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    sentence: str = ""
    kind: str = "line"
    label_title: str = ""
    whole: bool = False
    write: Callable[[float], str] = field(default=lambda value: f"{value:g}")
    axis: Callable[[float], str] = short_number

    def __post_init__(self) -> None:
        if len(self.series) > MOST_SERIES:
            raise ValueError(f"A chart shows at most {MOST_SERIES} series; group the rest as others.")

    def marks(self) -> list[str]:
        """Return the class of each series: its colour's number, or grey for the year before."""
        found, number = [], 0
        for series in self.series:
            number += 0 if series.before else 1
            found.append("k-s0" if series.before else f"k-s{number}")
        return found

    def legend(self) -> list[tuple[str, str]]:
        """Return the name and class of each series."""
        return list(zip([series.name for series in self.series], self.marks(), strict=True))

    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the table behind the chart, each value as text."""
        return [
            (
                label,
                [
                    "–" if series.values[at] is None else self.write(series.values[at] or 0)
                    for series in self.series
                ],
            )
            for at, label in enumerate(self.labels)
        ]

    def svg(self) -> Markup:
        """Draw the chart for wide and for narrow places."""
        return Markup("").join((self._draw(*_WIDE, "k-chart-l"), self._draw(*_NARROW, "k-chart-s")))

    def _draw(self, width: int, height: int, name: str) -> Markup:
        values = [value for series in self.series for value in series.values if value is not None]
        ticks = nice_ticks(max(values, default=0), whole=self.whole)
        texts = [self.axis(tick) for tick in ticks]
        left = max(_letters(text) for text in texts) * _LETTER + 12
        plot = _Plot(left, width - _RIGHT, _TOP, height - _BOTTOM, ticks[-1], len(self.labels))
        parts = [
            Markup('<svg class="{}" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">').format(
                name, width, height
            )
        ]
        for tick, text in zip(ticks, texts, strict=True):
            y = plot.y(tick)
            parts.append(
                Markup(
                    '<path class="k-gridline" d="M{0} {1}H{2}"/><text class="k-axis" x="{3}" y="{4}" '
                    'text-anchor="end">{5}</text>'
                ).format(_n(left), _n(y), _n(plot.right), _n(left - 8), _n(y + 4), text)
            )
        parts.extend(self._labels(plot, height))
        draw = self._bars if self.kind == "bar" else self._lines
        return Markup("").join([*parts, *draw(plot), Markup("</svg>")])

    def _labels(self, plot: "_Plot", height: int) -> list[Markup]:
        widest = max((_letters(label) for label in self.labels), default=1)
        every = max(1, ceil((widest + 2) * _LETTER / plot.step)) if self.labels else 1
        return [
            Markup('<text class="k-axis" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                _n(plot.x(at)), height - 8, escape(label)
            )
            for at, label in enumerate(self.labels)
            if at % every == 0
        ]

    def _lines(self, plot: "_Plot") -> list[Markup]:
        parts = []
        for at, (series, mark) in enumerate(zip(self.series, self.marks(), strict=True)):
            points = [
                (plot.x(index), plot.y(value))
                for index, value in enumerate(series.values)
                if value is not None
            ]
            if not points:
                continue
            line = _smooth(points)
            if at == 0 and not series.before and len(points) > 1:
                floor_y = _n(plot.bottom)
                parts.append(
                    Markup('<path class="k-plot-area {}" d="{}L{} {}L{} {}Z"/>').format(
                        mark, line, _n(points[-1][0]), floor_y, _n(points[0][0]), floor_y
                    )
                )
            parts.append(Markup('<path class="k-plot-line {}" d="{}"/>').format(mark, line))
        return parts

    def _bars(self, plot: "_Plot") -> list[Markup]:
        each = min(34.0, plot.step * 0.7 / max(1, len(self.series)))
        parts = []
        for at, (series, mark) in enumerate(zip(self.series, self.marks(), strict=True)):
            for index, value in enumerate(series.values):
                if not value:
                    continue
                x = plot.x(index) - each * len(self.series) / 2 + at * each
                parts.append(
                    Markup(
                        '<rect class="k-plot-bar {}" x="{}" y="{}" width="{}" height="{}" rx="3"/>'
                    ).format(
                        mark,
                        _n(x + 1),
                        _n(plot.y(value)),
                        _n(max(1.0, each - 2)),
                        _n(plot.bottom - plot.y(value)),
                    )
                )
        return parts


@dataclass(frozen=True, slots=True)
class _Plot:
    left: float
    right: float
    top: float
    bottom: float
    highest: float
    count: int

    @property
    def step(self) -> float:
        return (self.right - self.left) / max(1, self.count)

    def x(self, at: int) -> float:
        return self.left + self.step * (at + 0.5)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * value / self.highest


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _smooth(points: list[tuple[float, float]]) -> str:
    """Join points by curves that never swing past a point: both handles stay at its height."""
    x, y = points[0]
    parts = [f"M{_n(x)} {_n(y)}"]
    for next_x, next_y in points[1:]:
        middle = _n((x + next_x) / 2)
        parts.append(f"C{middle} {_n(y)} {middle} {_n(next_y)} {_n(next_x)} {_n(next_y)}")
        x, y = next_x, next_y
    return "".join(parts)
