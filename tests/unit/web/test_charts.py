"""Charts drawn on the server."""

from __future__ import annotations

import pytest

from kehu.web.charts import Chart, Series, nice_ticks, short_number


@pytest.mark.parametrize(
    ("highest", "whole", "ticks"),
    [
        (36800, False, [0, 10000, 20000, 30000, 40000]),
        (0, False, [0, 1]),
        (3, True, [0, 1, 2, 3]),
        (9, True, [0, 3, 6, 9]),
        (1, True, [0, 1]),
    ],
)
def test_ticks_are_round(highest: float, whole: bool, ticks: list[float]) -> None:
    assert nice_ticks(highest, whole=whole) == ticks


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (95, "95"), (1500, "1.5K"), (4e4, "40K"), (2e6, "2M"), (3e9, "3B")]
)
def test_axis_numbers_are_short(value: float, text: str) -> None:
    assert short_number(value) == text


def make(kind: str = "line", **changes: object) -> Chart:
    values = {
        "labels": ["Jan", "<Feb>"],
        "series": [Series("Now", [1, 2]), Series("Before", [3, None], before=True)],
    }
    return Chart("Won", kind=kind, **(values | changes))  # type: ignore[arg-type]


def test_a_line_chart_has_two_widths_and_no_inline_style() -> None:
    drawn = make().svg()
    assert drawn.count("<svg ") == 2
    assert "style" not in drawn.replace("k-", "")
    assert drawn.count('aria-hidden="true"') == 2
    assert "&lt;Feb&gt;" in drawn


def test_the_year_before_is_grey_and_takes_no_colour() -> None:
    chart = make(series=[Series("Before", [1, 2], before=True), Series("Now", [1, 2])])
    assert chart.legend() == [("Before", "k-s0"), ("Now", "k-s1")]


def test_bars_leave_out_nothing_and_nought() -> None:
    assert make("bar").svg().count("<rect") == 2 * 3


def test_the_table_says_the_same_numbers() -> None:
    chart = make(write=lambda value: f"£{value:g}")
    assert chart.rows() == [("Jan", ["£1", "£3"]), ("<Feb>", ["£2", "–"])]


def test_a_chart_without_numbers_is_drawn() -> None:
    assert make(labels=[], series=[Series("Now", [])]).svg().count("<svg ") == 2


def test_seven_series_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 6"):
        make(series=[Series(str(number), [1, 2]) for number in range(7)])
