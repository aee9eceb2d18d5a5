"""Figures of surveys: worked by hand, small groups hidden, answers read strictly."""

import pytest

from kehu.core.errors import InvalidInput
from kehu.core.ids import new_id
from kehu.surveys import statistics
from kehu.surveys.answering import read
from kehu.surveys.models import SurveyQuestion


def test_recommendation_by_hand():
    # 6 of 10 promote, 2 detract: 40 points; variance (0.6 + 0.2 - 0.16) / 10 = 0.064, 1.96 * 0.25298 = 0.4958.
    found = statistics.recommendation({10: 4, 9: 2, 8: 1, 7: 1, 6: 1, 0: 1})
    assert (found.n, round(found.value)) == (10, 40)
    assert (round(found.low, 1), round(found.high, 1)) == (-9.6, 89.6)
    same = statistics.recommendation({10: 5})
    assert (same.value, same.low, same.high) == (100, 100, 100)


def test_mean_and_index_by_hand():
    # Mean 8, deviations 4 + 0 + 0 + 1 + 1: variance 6 / 4, 1.96 * sqrt(1.5 / 5) = 1.0735.
    counts = {6: 1, 8: 2, 9: 2}
    found = statistics.mean(counts)
    assert (found.n, found.value) == (5, 8)
    assert (round(found.low, 2), round(found.high, 2)) == (6.93, 9.07)
    assert round(statistics.index(counts)) == 778


def test_small_groups_have_no_figures():
    assert statistics.recommendation({10: 4}).hidden
    assert statistics.mean({10: 4}).hidden
    assert statistics.index({10: 4}) is None
    assert statistics.shares({"a": 4}) is None
    assert statistics.shares({"a": 3, "b": 2}) == [("a", 3, 0.6), ("b", 2, 0.4)]
    assert (statistics.rate(1, 4), statistics.rate(0, 0)) == (0.25, None)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("scale", "10", 10),
        ("scale", "0", None),
        ("scale", "11", None),
        ("scale", "7.5", None),
        ("scale", "٣", None),
        ("recommend", "0", 0),
        ("recommend", "-1", None),
        ("choice", "Red", "Red"),
        ("choice", "red", None),
        ("text", "  It was\r\nfine ", "It was\nfine"),
        ("text", "x" * 4001, None),
    ],
)
def test_answers_are_read_strictly(kind, raw, value):
    question = SurveyQuestion(id=new_id(), kind=kind, name="Q", choices="Red\nBlue", needed=False)
    given = {f"q-{question.id}": raw}
    if value is None:
        with pytest.raises(InvalidInput) as error:
            read([question], given)
        assert set(error.value.fields) == set(given)
    else:
        assert read([question], given) == {question.id: value}


def test_needed_questions():
    question = SurveyQuestion(id=new_id(), kind="text", name="Q", needed=True)
    with pytest.raises(InvalidInput):
        read([question], {})
    question.needed = False
    assert read([question], {}) == {}
