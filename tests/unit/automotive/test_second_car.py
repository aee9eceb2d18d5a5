"""The second-car model: what counts, why, what is not known; how good it is on a survey; a fit of one's own."""

import csv
from pathlib import Path

import pytest

from plugins_builtin.automotive.second_car.fitting import (
    LEAST,
    TooFewError,
    enough,
    fit,
    held_out,
    quality,
    solve,
)
from plugins_builtin.automotive.second_car.model import SHIPPED, Evidence, auc, score

AT_LEAST = 0.86


def known(row):
    """A household of the survey; negative codes are missing."""
    code = {key: int(value) for key, value in row.items() if key not in ("HOUSEID", "WTHHFIN")}

    def given(key):
        return code[key] if code[key] >= 0 else None

    income, home, place = given("HHFAMINC"), given("HOMEOWN"), given("URBRUR")
    return Evidence(
        drivers=given("DRVRCNT"),
        workers=given("WRKCOUNT"),
        people=given("HHSIZE"),
        child=code["YOUNGCHILD"] > 0 or code["PPT517"] > 0,
        income=None if income is None else 125 if income >= 9 else 50 if income >= 6 else 0,
        owner=None if home is None else home == 1,
        rural=None if place is None else place == 2,
    )


@pytest.fixture(scope="module")
def survey():
    """The households of the survey, and whether each has two or more cars."""
    folders = (up / "shared/data/nhts2022-households" for up in Path(__file__).resolve().parents)
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        pytest.skip("the folder ../shared/data/nhts2022-households is not on this machine")
    with (folder / "households.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [known(row) for row in rows], [int(row["HHVEHCNT"]) >= 2 for row in rows]


def test_shipped_weights_on_the_survey(survey, record_testsuite_property):
    found = quality(*survey)
    record_testsuite_property("second_car_auc", f"{found:.4f}")
    assert found >= AT_LEAST, f"AUC {found:.4f} on {len(survey[0])} households"
    assert found == pytest.approx(0.8874, abs=0.0005)  # The figure that we report.


def test_a_fit_keeps_what_the_survey_says(survey):
    households, outcomes = survey[0][:1000], survey[1][:1000]
    mine = fit(households, outcomes)
    assert quality(survey[0][1000:], survey[1][1000:], mine) >= AT_LEAST
    assert mine.by_signal["drivers_2"] > 1


def test_a_fit_needs_outcomes():
    with pytest.raises(TooFewError) as error:
        enough([True, *[False] * (LEAST - 2)])
    assert (error.value.there, error.value.hits) == (LEAST - 1, 1)
    with pytest.raises(TooFewError):
        enough([True] * LEAST)
    enough([True, False] * (LEAST // 2))


def test_each_fifth_hit_and_miss_is_held_out():
    assert held_out([True] * 5 + [False] * 6) == [False] * 4 + [True] + [False] * 4 + [True, False]


def test_two_drivers_with_one_car():
    found = score(Evidence(drivers=2, workers=2, people=4, child=True, income=60, owner=True, rural=True))
    assert found.chance == pytest.approx(0.949, abs=0.01)
    assert [one.signal for one in found.reasons] == ["drivers_2", "rural", "people"]
    assert found.unknown == ()


@pytest.mark.parametrize(
    ("evidence", "unknown"),
    [
        (Evidence(), ("drivers", "workers", "people", "child", "income", "owner", "rural")),
        (Evidence(drivers=1, owner=False), ("workers", "people", "child", "income", "rural")),
    ],
)
def test_unknown_is_not_zero(evidence, unknown):
    found = score(evidence)
    assert found.unknown == unknown
    zero = Evidence(drivers=1, workers=0, people=1, child=False, income=0, owner=False, rural=False)
    assert found.chance > score(zero).chance
    assert found.reasons == ()


def test_the_mean_household_stands_in():
    nothing = SHIPPED.intercept + sum(SHIPPED.by_signal[key] * SHIPPED.means[key] for key in SHIPPED.means)
    assert 0.5 < score(Evidence()).chance < 0.7
    assert 0 < nothing < 1
    assert score(Evidence(people=50)).chance == score(Evidence(people=5)).chance


def test_auc_counts_ties_by_half():
    assert auc([0.1, 0.4, 0.4, 0.8], [False, True, False, True]) == 0.875
    assert auc([1, 1], [True, False]) == 0.5
    with pytest.raises(ValueError, match="one hit"):
        auc([1, 2], [True, True])


def test_equations():
    assert solve([[0, 2], [1, 1]], [4, 3]) == [1, 2]
