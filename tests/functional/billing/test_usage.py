"""Meters of add-ons: each event counted once, what goes beyond the price on the next bill, and shown before."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from billing.addons import AddonService
from billing.usage import used
from billing.web import words
from kehu.addons.models import UsageEvent
from kehu.addons.usage import KEPT, forget_usage
from kehu.api import count_usage
from kehu.core import clock
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import usage_of
from tests.functional.billing.paid import PRICE, SLUG, charge
from tests.functional.billing.till import DAY, Till, at_the_till

METER = f"{SLUG}.messages"


@pytest.fixture
def metered(monkeypatch: pytest.MonkeyPatch) -> None:
    """£4 a month with a hundred messages; each further one is two pence."""
    charge(monkeypatch)


def buy(till: Till) -> None:
    service = AddonService(till.session)
    _wish, shown = service.preview(SLUG)
    service.buy(SLUG, shown.at, shown.total)


def use(till: Till, name: str, quantity: int) -> None:
    assert count_usage(till.session, METER, name, quantity)


def meters(till: Till) -> list[tuple[int, int]]:
    return [(one["seats"], one["amount"]) for one in till.invoices()[-1].lines if one["code"] == "meter"]


def test_an_event_counts_once_and_by_one_write(shop: Shop, metered: None) -> None:
    with shop.work() as session:
        with count_queries() as found:
            assert count_usage(session, METER, "message 1", 3)
        assert len(found) == 1
        assert not count_usage(session, METER, "message 1", 3)
    assert usage_of(shop, METER) == 3

    def again(number: int) -> bool:
        with shop.work() as session:
            return count_usage(session, METER, f"message {number % 4}")

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(again, range(24)))
    assert (sum(done), usage_of(shop, METER)) == (3, 6)  # Message 1 was counted already.


def test_what_is_rolled_back_was_not_counted(shop: Shop, metered: None) -> None:
    with pytest.raises(RuntimeError), shop.work() as session:
        count_usage(session, METER, "message 1")
        raise RuntimeError
    assert usage_of(shop, METER) == 0


@pytest.mark.parametrize(
    ("meter", "event", "quantity", "said"),
    [
        (f"{SLUG}.letters", "1", 1, "Add it to"),
        ("nothing.messages", "1", 1, "Add it to"),
        (METER, "", 1, "Give it a name"),
        (METER, "x" * 201, 1, "201 characters"),
        (METER, "1", 0, "Count a whole number"),
    ],
)
def test_what_can_not_be_counted_says_why(
    shop: Shop, metered: None, meter: str, event: str, quantity: int, said: str
) -> None:
    with shop.work() as session, pytest.raises((LookupError, ValueError), match=said):
        count_usage(session, meter, event, quantity)


def test_the_next_bill_has_what_goes_beyond_the_price(till: Till, metered: None) -> None:
    till.subscribed(seats=3)
    use(till, "before it was bought", 900)
    buy(till)
    use(till, "a", 60)
    till.provider.run_ahead(DAY * 10)
    use(till, "b", 65)
    till.pass_time()
    assert meters(till) == [(25, 50)]
    assert till.invoices()[-1].net == 3 * 1200 + 400 + 50
    text = words.line_text(till.invoices()[-1].lines[-1])
    assert text == "Car dealer, Messages sent: 25 more than is in the price"
    use(till, "c", 100)
    till.pass_time()
    assert meters(till) == []


def test_case_62_what_is_used_after_the_removal_is_billed_with_the_period(till: Till, metered: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    use(till, "a", 50)
    AddonService(till.session).remove(SLUG)
    use(till, "b", 60)
    till.pass_time()
    assert (meters(till), till.invoices()[-1].net) == ([(10, 20)], 3620)
    use(till, "late", 500)
    till.pass_time()
    assert meters(till) == []


def test_the_last_bill_of_a_subscription_has_it(till: Till, metered: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    use(till, "a", 110)
    till.service.cancel()
    till.pass_time()
    assert (meters(till), till.invoices()[-1].net, till.invoices()[-1].status) == ([(10, 20)], 20, "paid")


def test_another_interval_ends_the_period(till: Till, metered: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    use(till, "a", 110)
    shown = till.buy(seats=3, interval="year")
    assert [(one.seats, one.amount) for one in shown.lines if one.code == "meter"] == [(10, 20)]
    use(till, "b", 1190)
    till.pass_time()
    assert meters(till) == []  # A year brings twelve times as many.


def test_nothing_is_billed_for_what_is_tried(till: Till, metered: None) -> None:
    till.subscribed(seats=3)
    AddonService(till.session).start_trial(SLUG)
    use(till, "a", 500)
    till.pass_time()
    assert meters(till) == []


def test_the_firm_sees_what_it_used(demo: None, shop: Shop, metered: None) -> None:
    with at_the_till(shop) as till:
        till.subscribed(seats=3)
        buy(till)
        use(till, "a", 125)
    page = shop.client().get("/settings/billing").get_data(as_text=True)
    assert "Messages sent: 125 of 100 in this period" in page
    assert "£0.50 more on the next bill" in page


def shown(till: Till) -> list[tuple[int, int]]:
    return [(one.count, one.amount) for one in used(till.session, SLUG, till.subscription)]


def test_no_amount_is_announced_that_no_bill_will_have(till: Till, metered: None) -> None:
    till.buy(seats=3)  # In the firm's trial: nothing is paid, or counted, before its first bill.
    buy(till)
    use(till, "a", 125)
    assert shown(till) == [(125, 0)]
    till.pass_time()
    assert meters(till) == []


def test_what_is_used_after_the_removal_is_announced_until_it_is_billed(till: Till, metered: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    AddonService(till.session).remove(SLUG)
    use(till, "a", 125)
    assert shown(till) == [(125, 50)]
    till.pass_time()
    assert meters(till) == [(25, 50)]
    use(till, "late", 125)
    assert shown(till) == [(125, 0)]


def test_what_is_used_once_the_plan_brings_it_is_free(
    till: Till, metered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch, replace(PRICE, included=("business",)))
    till.subscribed(seats=3)
    buy(till)
    use(till, "a", 125)
    till.provider.run_ahead(DAY)
    till.buy(plan="business", seats=3)
    real: Any = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(minutes=1))
    use(till, "b", 500)
    assert shown(till) == [(625, 50)]
    till.pass_time()
    assert meters(till) == [(25, 50)]
    use(till, "c", 500)
    assert shown(till) == [(500, 0)]


def test_old_events_are_forgotten(shop: Shop, metered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.work() as session:
        count_usage(session, METER, "a")
    real: Any = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + KEPT + dt.timedelta(hours=1))
    forget_usage(tenant_id=str(shop.tenant.id))
    with shop.work() as session:
        assert session.execute(select(func.count()).select_from(UsageEvent)).scalar_one() == 0
