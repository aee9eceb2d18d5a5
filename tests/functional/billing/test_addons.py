"""Paid add-ons in the demo: tried once, bought at a price that was shown, taken off, lapsed and back with all data."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from billing import catalogue as catalogues
from billing import notices, purchases
from billing.accounts import AccountService
from billing.addons import AddonService
from billing.catalogue import catalogue
from billing.entitlements import plugin_entitled
from billing.models import Notice
from billing.phases import Phase
from billing.providers import ledger
from kehu.core import clock, context, hooks
from kehu.core.errors import Conflict, NotFound
from plugins.pricing import Pricing
from plugins.records import State
from tests.functional.billing.paid import PRICE, SLUG, charge
from tests.functional.billing.till import DAY, Till, end_trial

PAGE = f"/settings/billing/addons/{SLUG}"
CARD = f"/settings/plugins/{SLUG}"


def buy(till: Till) -> Any:
    service = AddonService(till.session)
    _wish, shown = service.preview(SLUG)
    till.outcome = service.buy(SLUG, shown.at, shown.total)
    return shown


def has(till: Till) -> bool:
    return plugin_entitled(context.tenant(), SLUG)


def on_bill(till: Till) -> list[tuple[str, int]]:
    return [(one["slug"], one["quantity"]) for one in till.subscription.addons]


# --- the ledger --------------------------------------------------------------------------------------------------


def test_case_68_an_add_on_costs_what_its_preview_showed(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    assert not has(till)
    till.provider.run_ahead(DAY * 10)
    shown = buy(till)
    (line,) = shown.lines
    assert (line.code, line.seats) == ("addon", 1)
    assert 0 < shown.net < 400
    assert shown.next_net == 3 * 1200 + 400
    last = till.invoices()[-1]
    assert (last.net, last.total, last.status) == (shown.net, shown.total, "paid")
    assert has(till)
    till.pass_time()
    renewal = till.invoices()[-1]
    assert renewal.net == 4000
    assert [one["code"] for one in renewal.lines] == ["seats", "addon"]


def test_case_60_plan_and_seats_change_and_add_ons_stay(
    till: Till, paid: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch, replace(PRICE, per="seat"))
    till.subscribed(seats=3)
    buy(till)
    assert on_bill(till) == [(SLUG, 3)]
    more = till.buy(seats=5)
    assert [(one.code, one.seats) for one in more.lines] == [("more_seats", 2), ("more_addon", 2)]
    assert (more.net, on_bill(till)) == (2 * (1200 + 400), [(SLUG, 5)])
    swap = till.buy(plan="business", seats=5)
    assert [one.code for one in swap.lines] == ["unused", "plan"]
    assert (till.subscription.seats, on_bill(till)) == (5, [(SLUG, 5)])
    year = till.buy(plan="business", interval="year", seats=5)
    assert {one.code: one.amount for one in year.lines}["addon"] == 5 * 4000
    assert {one.code: one.amount for one in year.lines}["unused_addon"] == -5 * 400
    assert has(till)


def test_case_60_add_ons_stay_when_an_operator_sets_the_version_of_the_plan(
    till: Till, paid: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.subscribed()
    buy(till)
    known = catalogue()
    plan = known.plan("team@1")
    assert plan is not None
    newer = replace(plan, version=2)
    made = replace(known, plans={**known.plans, newer.ref: newer})
    monkeypatch.setattr(catalogues, "catalogue", lambda: made)
    monkeypatch.setattr(purchases, "catalogue", lambda: made)
    monkeypatch.setattr(ledger, "catalogue", lambda: made)
    till.service.set_version(newer.ref, "agreed")
    assert (till.subscription.plan, [one["slug"] for one in till.subscription.addons]) == ("team@2", [SLUG])
    assert has(till)


def test_case_48_seats_of_an_add_on_are_not_paid_twice(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, replace(PRICE, per="seat"))
    till.subscribed(seats=5)
    till.buy(seats=3)
    assert buy(till).net == 3 * 400
    # Two seats are paid already, but the add-on was bought for three.
    raised = till.buy(seats=5)
    assert [(one.code, one.seats, one.amount) for one in raised.lines] == [("more_addon", 2, 800)]
    till.buy(seats=3)
    assert till.buy(seats=5).total == 0


def test_case_62_a_plugin_removed_in_mid_period_stays_until_its_end(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    till.provider.run_ahead(DAY * 10)
    service = AddonService(till.session)
    count = len(till.invoices())
    assert service.remove(SLUG).state == "done"
    assert (on_bill(till), has(till), len(till.invoices())) == ([], True, count)
    assert service.undo(SLUG).state == "done"
    assert (on_bill(till), len(till.invoices())) == ([(SLUG, 1)], count)
    service.remove(SLUG)
    # Bought again within the time that is paid, it costs nothing.
    assert (buy(till).total, on_bill(till), len(till.invoices())) == (0, [(SLUG, 1)], count)
    service.remove(SLUG)
    with pytest.raises(Conflict, match="not on your bill"):
        service.remove(SLUG)
    till.pass_time()
    assert not has(till)
    assert till.invoices()[-1].net == 3600
    assert buy(till).net > 0
    assert has(till)


def test_case_38_pressed_twice_it_is_paid_once(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    service = AddonService(till.session)
    _wish, shown = service.preview(SLUG)
    count = len(till.invoices())
    for _press in range(2):
        assert service.buy(SLUG, shown.at, shown.total).state == "done"
    assert len(till.invoices()) == count + 1
    with pytest.raises(Conflict, match="on your bill already"):
        service.preview(SLUG)


def test_case_50_a_declined_payment_for_an_add_on_grants_nothing(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    till.provider.let_fail(True)
    buy(till)
    assert (till.outcome.state, on_bill(till), has(till)) == ("refused", [], False)


def test_case_63_no_add_on_is_bought_or_taken_off_while_an_invoice_is_open(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    till.provider.let_fail(True)
    assert till.pass_time() is Phase.GRACE
    assert has(till)
    with pytest.raises(Conflict, match="An invoice is open"):
        AddonService(till.session).remove(SLUG)
    assert till.pass_time(DAY * 15) is Phase.RESTRICTED
    assert not has(till)
    till.provider.let_fail(False)
    till.service.pay_open()
    assert has(till)


def test_within_the_firm_s_own_trial(till: Till, paid: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Conflict, match="Choose a plan first"):
        AddonService(till.session).preview(SLUG)
    assert not has(till)
    # The plan of the trial is business: what it brings is there.
    charge(monkeypatch, replace(PRICE, included=("business",)))
    assert has(till)
    end_trial(till.session)
    assert not has(till)


def test_an_add_on_bought_before_the_first_bill_is_not_paid_when_it_is_removed(
    till: Till, paid: None
) -> None:
    till.buy(seats=2)
    assert till.subscription.status == "trialing"
    assert (buy(till).total, has(till)) == (0, True)
    AddonService(till.session).remove(SLUG)
    assert not has(till)
    assert AddonService(till.session).trial_days(AddonService(till.session).manifest(SLUG)) == 14


def test_a_plan_that_brings_it_takes_it_off_the_bill(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, replace(PRICE, included=("business",)))
    till.subscribed(seats=3)
    paid = buy(till).net
    shown = till.buy(plan="business", seats=3)
    assert ("unused_addon", -paid) in [(line.code, line.amount) for line in shown.lines]
    assert (on_bill(till), has(till)) == ([], True)
    team = till.service.wish("team", "month", "3").plan
    assert till.service.addons_that_stop(team) == [SLUG]
    till.pass_time()
    assert till.invoices()[-1].net == 3 * 2400


def test_a_plugin_that_comes_with_a_feature(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, Pricing(kind="plan", key="webhooks"))
    assert has(till)  # The trial is of the larger plan.
    till.subscribed(seats=3)
    assert not has(till)
    till.buy(plan="business", seats=3)
    assert has(till)


def test_what_has_no_price_here_is_not_sold(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, replace(PRICE, amounts={"EUR": "4.50"}, yearly={}, meters=()))
    till.subscribed(seats=3)
    with pytest.raises(Conflict, match="no price in GBP"):
        AddonService(till.session).preview(SLUG)
    with pytest.raises(NotFound):
        AddonService(till.session).manifest("nothing")


def test_what_can_t_run_here_is_neither_sold_nor_tried(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch)
    till.subscribed(seats=3)
    known = hooks.host().installed
    monkeypatch.setitem(known._records, SLUG, known._records[SLUG].moved(State.COMPATIBLE, "No tables.", "-"))
    for way in (AddonService(till.session).preview, AddonService(till.session).start_trial):
        with pytest.raises(Conflict, match="can't be used in this installation now"):
            way(SLUG)


def test_days_to_try_are_given_once_and_told_before_their_end(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    service = AddonService(till.session)
    until = service.start_trial(SLUG)
    assert has(till)
    with pytest.raises(Conflict, match="has Car dealer already"):
        service.start_trial(SLUG)

    def mails() -> list[str]:
        till.service.check()
        kinds = till.session.execute(select(Notice.kind).where(Notice.kind.startswith("addon"))).scalars()
        return sorted(kinds)

    assert mails() == []
    for left, sent in (
        (3, ["addon_3"]),
        (3, ["addon_3"]),
        (1, ["addon_1", "addon_3"]),
        (1, ["addon_1", "addon_3"]),
    ):
        till.provider.run_ahead(until - DAY * left - till.provider.now() + dt.timedelta(minutes=1))
        assert mails() == sent
    subject, text, action = notices.text_of("addon_3", "Shop", "3 May 2027", "Car dealer")
    assert "3 days" in subject
    assert "paused; its data is kept" in text
    assert action == "Look at the price"
    till.provider.run_ahead(DAY * 2)
    till.service.check()
    assert not has(till)
    with pytest.raises(Conflict, match="had already"):
        service.start_trial(SLUG)
    assert buy(till).net > 0
    assert has(till)


def test_an_operator_gives_one_until_a_day(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    AccountService(till.session).override(f"plugin:{SLUG}", 1, "a gift", clock.now() + DAY * 5)
    assert has(till)
    till.pass_time(DAY * 6)
    assert not has(till)
