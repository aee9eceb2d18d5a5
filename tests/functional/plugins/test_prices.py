"""Prices in manifests, where nothing is charged; where something is, `tests/functional/billing` looks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from kehu.addons.models import AddonPeriod
from kehu.core import hooks
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from plugins.manifest import ManifestError, parse_manifest
from plugins.pricing import Pricing

SLUG = "automotive"
PAID = Pricing(kind="addon", key="cars", trial_days=14, per="seat", amounts={"EUR": "4.50", "JPY": "500"})


def test_where_nothing_is_charged_no_price_is_shown_and_nothing_is_noted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode off: all plugins, no prices (case 69)."""
    record = hooks.host().installed.get(SLUG)
    assert record is not None
    assert record.manifest is not None
    made = replace(record, manifest=replace(record.manifest, pricing=PAID))
    monkeypatch.setitem(hooks.host().installed._records, SLUG, made)
    client = shop.client()
    before = client.get(f"/settings/plugins/{SLUG}").get_data(as_text=True)
    assert "Nothing is charged here" in before
    assert "€4.50" not in before
    client.post(f"/settings/plugins/{SLUG}/on", data={"agreed": SLUG})
    enable(shop, SLUG)
    with shop.work() as session:
        assert session.execute(select(AddonPeriod)).first() is None


SHORT = 'slug = "cars"\nname = "Cars"\nversion = "1.0"\nsummary = "Cars"\napi = "0.1"\n[pricing]\n'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('kind = "addon:cars"\namounts = { eur = "1" }', "three letters of ISO 4217"),
        ('kind = "addon:cars"\namounts = { EUR = 4.5 }', "Write it in quotes"),
        ('kind = "addon:cars"\namounts = { EUR = "-4" }', "is no amount"),
        ('kind = "addon:cars"\namounts = "4 EUR"', "Write it as a table"),
        ('kind = "addon:cars"\nper = "hour"', "Use one of: firm, seat"),
        ('kind = "plan:cars"\namounts = { EUR = "4" }', "Only an add-on has a price"),
    ],
)
def test_a_wrong_price_is_refused_with_the_remedy(lines: str, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        parse_manifest(SHORT + lines)
