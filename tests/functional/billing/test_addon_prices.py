"""Prices of add-ons: from the manifests into the catalogue of the installation, and never changed there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import delete

from billing import addon_prices, commands
from billing.catalogue import CatalogueError
from billing.models import Price
from kehu.core import db
from kehu.testkit.fixtures import Shop
from tests.functional.billing.paid import PRICE, charge


@pytest.fixture
def command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(commands, "make_app", lambda: app)

    def clear() -> None:
        with app.app_context(), db.unit_of_work(tenant=None) as session:
            session.execute(delete(Price))

    clear()
    yield lambda *words: CliRunner().invoke(commands.group, ["catalogue", *words])
    clear()


def test_the_catalogue_takes_the_prices_of_add_ons(
    command: Any, demo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch)
    looked = command("--dry-run").output
    assert "add    kehu_x-automotive-v1-month-eur" in looked
    assert "kehu_x-automotive-v1-messages-year-jpy" in looked
    assert "40 prices, 40 to add with --apply." in looked
    assert "40 written down" in command("--apply").output
    assert "40 prices, 0 to add" in command("--dry-run").output
    charge(monkeypatch, replace(PRICE, amounts={**PRICE.amounts, "EUR": "5"}))
    refused = command("--dry-run").exception
    assert isinstance(refused, CatalogueError)
    assert "Set version = 2 in [pricing]" in str(refused)
    meter = replace(PRICE.meters[0], included=50)
    charge(monkeypatch, replace(PRICE, meters=(meter,)))
    assert "can't become x:automotive@1:messages:50" in str(command("--dry-run").exception)
    charge(monkeypatch, replace(PRICE, amounts={**PRICE.amounts, "EUR": "5"}, version=2))
    assert "16 to add" in command("--dry-run").output


def test_a_firm_keeps_the_version_that_it_bought(
    command: Any, demo: None, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch)
    command("--apply")
    charge(monkeypatch, replace(PRICE, amounts={**PRICE.amounts, "EUR": "9"}, version=2))
    with shop.work() as session:
        amounts = [addon_prices.amount(session, "automotive", one, "month", "EUR") for one in (1, 2, 3)]
    assert amounts == [450, 900, None]


def test_an_amount_below_the_smallest_unit_is_refused(
    command: Any, demo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch, replace(PRICE, amounts={**PRICE.amounts, "JPY": "5.5"}))
    assert "plugin.toml of automotive: 5.5 is no whole number" in str(command("--dry-run").exception)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("kehu_x-car-v2-month-eur", ("car", 2, "")),
        ("kehu_x-car_v2-v2-big_visits-year-jpy", ("car_v2", 2, "big_visits")),
        ("kehu_team_v1_month_eur", None),
        ("kehu_x-car-vx-month-eur", None),
    ],
)
def test_a_provider_s_price_names_its_add_on(key: str, found: Any) -> None:
    assert addon_prices.of_lookup_key(key) == found
