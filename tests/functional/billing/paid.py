"""A built-in plugin that has a price for a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kehu.core import hooks
from plugins.pricing import Meter, Pricing

SLUG = "automotive"
AMOUNTS = {"USD": "5", "EUR": "4.50", "GBP": "4", "JPY": "500"}
PRICE = Pricing(
    kind="addon",
    key="cars",
    trial_days=14,
    per="firm",
    amounts=AMOUNTS,
    yearly={"USD": "50", "EUR": "45", "GBP": "40", "JPY": "5000"},
    meters=(
        Meter(
            name="messages",
            label="Messages sent",
            included=100,
            amounts={"USD": "0.03", "EUR": "0.02", "GBP": "0.02", "JPY": "3"},
        ),
    ),
)


def charge(monkeypatch: pytest.MonkeyPatch, pricing: Pricing = PRICE, slug: str = SLUG) -> None:
    """Let a plugin cost something until the test is over."""
    record = hooks.host().installed.get(slug)
    assert record is not None
    assert record.manifest is not None
    made = replace(record, manifest=replace(record.manifest, pricing=pricing))
    monkeypatch.setitem(hooks.host().installed._records, slug, made)
