"""The catalogue that is checked in can be used, and one that can't says where and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.catalogue import FEATURES, FILE, NAMES, CatalogueError, catalogue, read
from kehu.core.money import digits


def test_the_catalogue_that_is_checked_in() -> None:
    found = catalogue()
    assert found.currencies == ["USD", "EUR", "GBP", "CNY", "RUB", "JPY"]
    assert {plan.key for plan in found.newest()} == set(NAMES)
    assert set(found.features) == set(FEATURES)
    for plan in found.plans.values():
        for currency in found.currencies:
            assert 0 < plan.price("year", currency) < 12 * plan.price("month", currency)
    assert found.plan("team@1") is found.current("team")
    assert found.plan("nothing@1") is None
    assert found.currency_for("CHF") == "USD"
    assert found.currency_for("CNY") == "CNY"


def test_case_67_a_currency_without_smaller_units_is_not_multiplied() -> None:
    team = catalogue().plans["team@1"]
    assert digits("JPY") == 0
    assert (team.price("month", "JPY"), team.price("month", "USD")) == (2000, 1500)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 1\nminimum_seats = 1", 'version = "a"\nminimum_seats = 1', "write a whole number"),
        ("minimum_seats = 3", "minimum_seats = 0", "minimum_seats is 0"),
        ('key = "business"\nversion', 'key = "team"\nversion', "same key and version"),
        ('JPY = "2000" }', 'JPY = "2000.5" }', "no whole number of the smallest unit of JPY"),
        ('JPY = "2000" }', 'JPY = "-1" }', "no whole number"),
        ('JPY = "2000" }', 'JPY = "much" }', "write an amount"),
        ('JPY = "2000" }', 'XXQ = "2000" }', "no ISO 4217 currency"),
        ('month = { USD = "15", ', "month = { ", "same currencies"),
        ("plugins = true, webhooks = false", "plugins = true, hooks = false", "features must name each"),
        ("viewers = 10", "viewers = true", "which is no number"),
        ('kind = "number"', 'kind = "some"', "write yes_no or number"),
        ('plan = "business"', 'plan = "gold"', "there is no plan 'gold'"),
        ("[trial]\ndays = 14", "[trial]\ndays = 0", "trial.days"),
        ("seats = 5", 'seats = "five"', "trial.seats"),
        ('DE = "19"', 'DE = "190"', "no rate in percent"),
        ('DE = "19"', 'DE = "x"', "write percent"),
        ("[trial]", "[trials]", "[trial] is missing"),
        ("[trial]", "[trial", "can't be read"),
    ],
)
def test_a_fault_names_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = FILE.read_text()
    assert old in text
    path = tmp_path / "catalogue.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CatalogueError) as raised:
        read(path)
    assert said in str(raised.value)
