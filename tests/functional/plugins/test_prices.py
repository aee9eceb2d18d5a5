"""Paid add-ons: the price before the switch, the time that a firm had one, kept for billing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from kehu.addons.models import AddonPeriod
from kehu.addons.prices import amount_of
from kehu.core import clock, hooks
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import disable, enable, purge
from plugins.manifest import ManifestError, parse_manifest
from plugins.pricing import Pricing

SLUG = "automotive"
PAID = Pricing(kind="addon", key="cars", trial_days=14, per="seat", amounts={"EUR": "4.50", "JPY": "500"})


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Shop:
    """A firm in an installation where the built-in plugin has a price."""
    record = hooks.host().installed.get(SLUG)
    assert record is not None
    monkeypatch.setitem(hooks.host().installed._records, SLUG, replace_pricing(record, PAID))
    shop.member("member")
    return shop


def replace_pricing(record: Any, pricing: Pricing) -> Any:
    from dataclasses import replace

    return replace(record, manifest=replace(record.manifest, pricing=pricing))


def periods(shop: Shop) -> list[AddonPeriod]:
    with shop.work() as session:
        return list(session.execute(select(AddonPeriod).order_by(AddonPeriod.started_at)).scalars())


def test_the_plan_tells_the_price_before_and_the_page_tells_it_after(paid: Shop) -> None:
    client = paid.client()
    assert "Price and switching on" in client.get("/settings/plugins").get_data(as_text=True)
    before = client.get(f"/settings/plugins/{SLUG}").get_data(as_text=True)
    assert "€4.50 a month for each member" in before
    assert "€9 a month" in before
    assert "for the 2 members you have now" in before
    assert "This installation takes no money yet." in before
    assert "free to try until" in before
    client.post(f"/settings/plugins/{SLUG}/on", data={"agreed": SLUG})
    after = client.get(f"/settings/plugins/{SLUG}").get_data(as_text=True)
    assert "on since" in after
    (kept,) = periods(paid)
    assert (kept.slug, kept.key, kept.per, kept.amount, kept.currency) == (SLUG, "cars", "seat", 450, "EUR")
    assert kept.started_by == paid.owner.member_id
    assert kept.ended_at is None


def test_the_days_to_try_are_given_once_and_a_purge_keeps_the_periods(
    paid: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable(paid, SLUG)
    disable(paid, SLUG)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(days=20))
    enable(paid, SLUG)
    disable(paid, SLUG)
    purge(paid, SLUG)
    first, second = periods(paid)
    assert first.trial_until == second.trial_until == first.started_at + dt.timedelta(days=14)
    assert second.started_at > second.trial_until
    assert second.ended_at is not None
    page = paid.client().get(f"/settings/plugins/{SLUG}").get_data(as_text=True)
    assert "the days to try are over" in page


def test_a_free_one_keeps_nothing(shop: Shop) -> None:
    enable(shop, SLUG)
    assert periods(shop) == []
    assert "Free" in shop.client().get(f"/settings/plugins/{SLUG}").get_data(as_text=True)


def test_amounts_are_chosen_by_currency() -> None:
    assert amount_of(PAID, "JPY") == (500, "JPY")
    assert amount_of(PAID, "USD") == (450, "EUR")
    assert amount_of(Pricing(kind="addon", key="cars"), "USD") == (None, "USD")


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
