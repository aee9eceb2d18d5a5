"""What is proposed to a new firm."""

from __future__ import annotations

import pytest

from kehu.core.i18n import LOCALES
from tenants import places


@pytest.mark.parametrize(
    ("tags", "zone", "locale", "country", "currency", "where"),
    [
        (["en-GB", "en"], "", "", "GB", "GBP", "Europe/London"),
        (["en-US"], "", "", "US", "USD", "America/New_York"),
        (["de-DE", "en"], "Europe/Berlin", "", "DE", "EUR", "Europe/Berlin"),
        (["zh-CN"], "", "", "CN", "CNY", "Asia/Shanghai"),
        (["zh-TW"], "", "", "TW", "TWD", "Asia/Taipei"),
        (["ru"], "", "", "RU", "RUB", "Europe/Moscow"),
        (["zh-Hant-HK"], "", "", "HK", "HKD", "Asia/Hong_Kong"),
        ([], "Mars/Olympus", "", "GB", "GBP", "Europe/London"),
        (["en"], "Asia/Tokyo", "ru", "JP", "JPY", "Asia/Tokyo"),
        (["en-AQ"], "", "", "AQ", "EUR", None),
    ],
)
def test_proposals_follow_the_browser(
    tags: list[str], zone: str, locale: str, country: str, currency: str, where: str | None
) -> None:
    found = places.propose(tags, zone, locale)
    assert (found["country"], found["currency"]) == (country, currency)
    assert found["zone"] == where or (where is None and places.is_zone(found["zone"]))
    assert found["locale"] in LOCALES


@pytest.mark.parametrize("locale", list(LOCALES))
def test_the_lists_are_whole_in_every_language(locale: str) -> None:
    countries, currencies = dict(places.countries(locale)), dict(places.currencies(locale))
    assert len(countries) > 200
    assert "ZZ" not in countries
    assert {"EUR", "GBP", "USD", "CNY", "TWD", "RUB", "JPY"} <= set(currencies)
    assert "DEM" not in currencies
    assert "Europe/London" in places.zones()
