"""Coupons: percent off each bill, for so many months, in the ledger's modes and at Stripe alike."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from billing import coupons
from billing.catalogue import catalogue
from kehu.core import clock
from kehu.core.errors import InvalidInput
from kehu.testkit.fixtures import Shop
from tests.functional.billing.till import DAY, Till, end_trial

PAGE = "/settings/billing"


def test_case_68_a_coupon_is_in_the_preview_and_on_each_bill_of_its_months(till: Till) -> None:
    end_trial(till.session)
    shown = till.buy(seats=3, code=" welcome20 ")
    assert [(line.code, line.amount) for line in shown.lines] == [("seats", 3600), ("discount", -720)]
    assert (shown.net, shown.next_net) == (2880, 2880)
    till.service.pay_open()
    till.provider.run_ahead(DAY * 10)
    shown = till.buy(seats=5)
    last = till.invoices()[-1]
    assert (last.net, last.total) == (shown.net, shown.total)
    whole = next(line.amount for line in shown.lines if line.code == "more_seats")
    assert shown.net == whole - coupons.off(whole, till.subscription.coupon, clock.now())
    for _month in range(3):
        till.pass_time()
    # Three bills were less; the fourth is whole.
    assert [one.net for one in till.invoices()][2:] == [4800, 4800, 6000]


def test_a_coupon_counts_once_and_names_what_is_wrong(till: Till) -> None:
    for code in ("NOTHING", "welcome 20", "'; --"):
        with pytest.raises(InvalidInput) as raised:
            till.buy(seats=2, code=code)
        assert "There is no such coupon" in raised.value.fields["coupon"][0]
    till.subscribed(seats=2)
    with pytest.raises(InvalidInput) as raised:
        till.buy(seats=3, code="WELCOME20")
    assert "yours runs already" in raised.value.fields["coupon"][0]


def test_a_coupon_ends_with_its_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    today = dt.date(2027, 1, 31)
    known = catalogue().coupons["WELCOME20"]
    monkeypatch.setitem(catalogue().coupons, "WELCOME20", replace(known, until=today))  # type: ignore[arg-type]
    assert coupons.valid("welcome20", today)
    assert coupons.valid("welcome20", today + dt.timedelta(days=1)) is None
    began = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
    held = coupons.granted(known, began)
    assert coupons.percent(held, dt.datetime(2027, 2, 27, 23, tzinfo=dt.UTC)) == 20
    assert coupons.percent(held, dt.datetime(2027, 2, 28, tzinfo=dt.UTC)) == 0


def test_the_pages_take_a_coupon(demo: None, over: Any, shop: Shop) -> None:
    over()
    client = shop.client()
    query = {"plan": "team", "interval": "month", "seats": "2", "coupon": "welcome20"}
    page = client.get(f"{PAGE}/plan", query_string=query).get_data(as_text=True)
    assert "Coupon WELCOME20: 20 % off" in page
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    # A price with the coupon is no price without it.
    assert client.post(f"{PAGE}/plan", data=query | {"token": token[1], "coupon": ""}).status_code == 422
    assert client.post(f"{PAGE}/plan", data=query | {"token": token[1]}).status_code == 303
    client.post(f"{PAGE}/demo", data={"act": "pay"})
    page = client.get(PAGE).get_data(as_text=True)
    assert "WELCOME20: 20 % off until" in page
    assert 'id="f-coupon"' not in client.get(f"{PAGE}/plan?plan=team&seats=3").get_data(as_text=True)
    wrong = client.get(f"{PAGE}/plan", query_string=query | {"coupon": "TYPO"}).get_data(as_text=True)
    assert "yours runs already" in wrong
