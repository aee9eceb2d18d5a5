"""Numbers of vehicles: the worked examples of the rules, and the published lists where they are at hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins_builtin.automotive.vehicles import vin
from plugins_builtin.automotive.vehicles.makers import agree, maker_of

THIS_YEAR = 2026


def test_the_check_digit_of_the_american_rule() -> None:
    assert vin.check_sum("1G4AH59H45G118341") == 411
    assert vin.check_digit("1G4AH59H45G118341") == "4"
    assert vin.check_sum("1J9RP1A36A1644345") == 314
    assert vin.check_digit("1M8GDM9AXKP042788") == "X"
    assert vin.fits("5GZCZ43D13S812715")
    assert not vin.fits("SGZCZ43D13S812715")


@pytest.mark.parametrize(
    ("number", "years"),
    [
        ("1M8GDM9AXKP042788", [1989]),
        ("1FUJGLDR69LAC9984", [2009]),  # A heavy truck: the rule of place seven says 2039.
        ("1J9RP1A36A1644345", [2010]),
        ("YV1TS592861433393", [2006]),
        ("WVWZZZ3CZEE140287", [2014, 1984]),
        ("XTAGFK330JY144213", [2018, 1988]),
        ("WP0ZZZ99ZTS392124", [2026, 1996]),
        ("WDD2470031J059461", [2001]),  # Is of 2021: place ten says nothing here, so it is a suggestion only.
        ("WBA11AA0000000001", []),
        ("1G4AH59H4UG118341", []),
        ("short", []),
    ],
)
def test_years_are_suggested(number: str, years: list[int]) -> None:
    assert vin.years(number, THIS_YEAR) == years


def test_a_year_after_the_next_is_dropped() -> None:
    assert vin.years("WVWZZZ3CZTE140287", 2024) == [1996]
    assert vin.years("WVWZZZ3CZTE140287", 2025) == [2026, 1996]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (" 1m8gdm9axkp-042788\n", "1M8GDM9AXKP042788"),
        ("1M8 GDM9A\u00a0XKP\u200b0427\u201188", "1M8GDM9AXKP042788"),
        ("\uff11\uff2d8GDM9AXKP042788", "1M8GDM9AXKP042788"),
        (" " * 17, ""),
    ],
)
def test_writing_is_brought_into_order(raw: str, kept: str) -> None:
    assert vin.normalise(raw) == kept


def test_bad_characters_are_named_with_their_place() -> None:
    found = vin.bad_characters("1G1YY22G2I51O000Ж")
    assert [(one.place, one.character) for one in found] == [(10, "I"), (13, "O"), (17, "Ж")]
    assert not vin.well_formed("WVWZZZ3CZEE14028")
    assert vin.well_formed("WVWZZZ3CZEE140287")


@pytest.mark.parametrize(
    ("number", "first"),
    [
        ("1M8GDM9AXKPO42788", "1M8GDM9AXKP042788"),
        ("1M8GDM9AXKPQ42788", "1M8GDM9AXKP042788"),
        ("IM8GDM9AXKP042788", "1M8GDM9AXKP042788"),
        ("SGZCZ43D13S812715", "5GZCZ43D13S812715"),
        ("1M8GDM9AXKP04278B", "1M8GDM9AXKP042788"),
        ("1M8GDM9AXKPO4278B", "1M8GDM9AXKP04278B"),  # What is surely wrong first, then what makes it fit.
    ],
)
def test_repairs_are_offered(number: str, first: str) -> None:
    assert vin.repairs(number)[0] == first


@pytest.mark.parametrize("number", ["1M8GDM9AXKP042788", "1M8GDM9AXKP04278", "1M8GDM9AXKP0427ЖO", ""])
def test_nothing_is_offered_where_nothing_is_known(number: str) -> None:
    assert vin.repairs(number) == []


def test_every_repair_but_the_plain_one_fits() -> None:
    assert all(vin.fits(one) for one in vin.repairs("1M8GDM9AXKPO4278B")[1:])


@pytest.mark.parametrize(
    ("first", "asked"), [("1", True), ("5", True), ("L", True), ("6", False), ("W", False), ("", False)]
)
def test_where_the_check_digit_is_law(first: str, asked: bool) -> None:
    assert vin.binding(first) is asked


def test_maker_and_country_are_hints() -> None:
    assert maker_of("WVWZZZ3CZEE140287").make == "Volkswagen"
    assert maker_of("WVWZZZ3CZEE140287").country == "Germany"
    assert maker_of("00000000000000000").country == ""
    assert maker_of("WVW").make == ""
    assert agree("Mercedes-Benz", "Mercedes Benz (car)")
    assert not agree("Opel", "Volkswagen")
    assert agree("anything", "")


# The published lists ----------------------------------------------------------------------


def rows(name: str) -> Iterator[dict[str, str]]:
    found = [folder / "shared" / "data" / "vin" for folder in Path(__file__).parents]
    folder = next((one for one in found if one.is_dir()), None)
    if folder is None:
        pytest.skip("the folder ../shared/data/vin with real numbers is not on this machine")
    with (folder / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def test_the_hard_cases_that_were_published() -> None:
    for row in rows("vin_edge_cases.csv"):
        number = row["vin"]
        assert vin.well_formed(number) is (row["structure_ok"] == "yes"), number
        if row["check_digit_ok"]:
            assert vin.fits(number) is (row["check_digit_ok"] == "yes"), number
            assert vin.fits(number) or not vin.binding(number), number
        if row["expected_model_year"]:
            assert int(row["expected_model_year"]) in vin.years(number, THIS_YEAR), number


def test_cars_of_north_america() -> None:
    makes = 0
    for row in rows("vins_na_listed.csv"):
        assert vin.fits(row["vin"])
        assert vin.years(row["vin"], THIS_YEAR)[0] == int(row["model_year"])
        makes += agree(row["make"], maker_of(row["vin"]).make)
    assert makes >= 81


def test_electric_cars_of_washington() -> None:
    for row in rows("wa_ev_registrations.csv"):
        built_abroad = row["VIN (1-10)"] + "0000000"
        assert int(row["Model Year"]) in vin.years(built_abroad, THIS_YEAR)
        assert vin.years("1" + built_abroad[1:], THIS_YEAR) == [int(row["Model Year"])]
