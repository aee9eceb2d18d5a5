"""Cases 31 to 40 and what purchases must hold: one charge or none, and the right seats, whatever breaks when."""

from __future__ import annotations

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from billing.accounts import AccountService
from billing.stripe.execution import buyer_of
from billing.stripe.gateway import Gateway
from billing.stripe.items import live_of
from billing.stripe.models import Operation
from billing.stripe.operations import OperationService
from billing.stripe.provider import StripeProvider
from billing.stripe.words import Preview, Unanswered, Wanted
from kehu.core import clock
from kehu.core.errors import Conflict
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import Firm
from tests.functional.billing.stripe.steps import (
    BACK,
    begin,
    buy,
    charged,
    newcomer,
    now_of,
    paid,
    plan,
    quantity,
    row,
    run,
    seats,
)
from tests.stripe_double.process import Running

UPDATES = r"^/v1/subscriptions/sub_"


@pytest.fixture
def firm(gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    """A firm in Germany without a customer yet."""
    return newcomer(gateway, double, shop, price)


def test_a_purchase_from_trial_to_paid(firm: Firm) -> None:
    buy(firm, 3)
    account = firm.account()
    # The days of the trial that are left are Stripe's trial: nothing is charged before they are over.
    assert (firm.mirror(), account.phase, account.seats_cap) == ([("trialing", 3, True)], "active", 3)
    bought = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
    assert bought.default_tax_rates[0].percentage == 19
    assert bought.metadata.to_dict() == {"tenant": str(firm.shop.tenant.id)}


def test_case_31_stripe_down_at_the_purchase_of_seats(firm: Firm) -> None:
    paid(firm)
    asked = seats(firm, 5)
    firm.double.control("faults", kind="cut", times=0, path="/v1/")
    with pytest.raises(Unanswered):
        run(firm, asked)
    assert (row(firm, asked).state, firm.account().seats_cap) == ("sent", 3)
    firm.double.control("faults", clear=True)
    assert run(firm, asked) == "done"
    assert (quantity(firm), firm.account().seats_cap, len(charged(firm))) == (5, 5, 2)


def test_case_32_the_answer_is_lost_after_stripe_acted(firm: Firm) -> None:
    paid(firm)
    asked = seats(firm, 5)
    firm.double.control("faults", kind="lost", times=0, path=UPDATES, method="POST")
    with pytest.raises(Unanswered):
        run(firm, asked)
    firm.double.control("faults", clear=True)
    assert run(firm, asked) == "done"
    assert (quantity(firm), len(charged(firm))) == (5, 2)


@pytest.mark.parametrize("acted", [True, False])
def test_case_34_a_key_older_than_a_day_is_looked_up_not_repeated(firm: Firm, acted: bool) -> None:
    paid(firm)
    asked = seats(firm, 5)
    firm.double.control("faults", kind="lost" if acted else "cut", times=0, path=UPDATES, method="POST")
    with pytest.raises(Unanswered):
        run(firm, asked)
    firm.double.control("faults", clear=True)
    with clock.ahead(dt.timedelta(hours=24)):
        assert run(firm, asked) == ("done" if acted else "failed")
    assert (quantity(firm), len(charged(firm))) == ((5, 2) if acted else (3, 1))


def test_case_35_the_same_key_with_another_body_is_refused(firm: Firm) -> None:
    paid(firm)
    asked = seats(firm, 5)
    item = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]["items"].data[0]
    other = {"items": [{"id": item.id, "quantity": 4}]}
    firm.v1.subscriptions.update(item.subscription, other, {"idempotency_key": f"op:{asked}:0:5"})
    assert run(firm, asked) == "failed"
    assert quantity(firm) == 4


def test_case_36_a_stored_500_is_looked_up_and_asked_with_a_new_key(firm: Firm) -> None:
    paid(firm)
    asked = seats(firm, 5)
    firm.double.control("faults", kind="error", status=500, saved=True, path=UPDATES, method="POST")
    with pytest.raises(Unanswered):
        run(firm, asked)
    assert (row(firm, asked).round, quantity(firm)) == (1, 3)
    assert run(firm, asked) == "done"
    assert (quantity(firm), len(charged(firm))) == (5, 2)


def test_case_36_a_stored_500_after_the_effect_is_done(firm: Firm) -> None:
    paid(firm)
    asked = seats(firm, 5)
    firm.double.control(
        "faults", kind="error", status=500, saved=True, effect=True, path=UPDATES, method="POST"
    )
    assert run(firm, asked) == "done"
    assert (quantity(firm), len(charged(firm))) == (5, 2)


def test_case_37_429_is_asked_again(firm: Firm) -> None:
    paid(firm)
    asked = seats(firm, 5)
    firm.double.control("faults", kind="error", status=429, times=0, path=UPDATES, method="POST")
    with pytest.raises(Unanswered):
        run(firm, asked)
    firm.double.control("faults", clear=True)
    assert run(firm, asked) == "done"
    assert len(charged(firm)) == 2


def test_case_38_a_double_click_is_one_operation(firm: Firm) -> None:
    paid(firm)
    at = now_of(firm)

    def click(_number: int) -> uuid.UUID:
        return begin(firm, lambda service: service.change(plan(), "month", 5, at))

    with ThreadPoolExecutor(4) as pool:
        asked = set(pool.map(click, range(4)))
    assert len(asked) == 1
    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(lambda _: _run_or_wait(firm, next(iter(asked))), range(2)))
    assert "done" in states
    assert (quantity(firm), len(charged(firm))) == (5, 2)


def _run_or_wait(firm: Firm, operation: uuid.UUID) -> str:
    try:
        return run(firm, operation)
    except Unanswered:
        return "later"


def test_case_39_two_admins_buy_at_once(firm: Firm) -> None:
    paid(firm)
    first = seats(firm, 5)
    with firm.shop.work() as session:
        found = OperationService(session).find(first)
        assert found is not None
        found.state, found.attempts = "sent", 1
    with pytest.raises(Conflict, match="is changing the plan"):
        seats(firm, 7)
    assert run(firm, first) == "done"
    assert (quantity(firm), len(charged(firm))) == (5, 2)


def test_case_39_a_newer_wish_replaces_one_that_was_not_sent(firm: Firm) -> None:
    paid(firm)
    first, second = seats(firm, 5), seats(firm, 6)
    assert run(firm, first) == "failed"
    assert run(firm, second) == "done"
    assert (quantity(firm), len(charged(firm))) == (6, 2)


def test_case_40_one_buys_while_another_gives_back(firm: Firm) -> None:
    paid(firm, 5)
    fewer = seats(firm, 2)
    assert firm.account().seats_cap == 2
    assert run(firm, fewer) == "done"
    more = seats(firm, 4)
    assert run(firm, more) == "done"
    assert (quantity(firm), firm.account().seats_cap, len(charged(firm))) == (4, 4, 1)


def test_case_47_seats_in_use_are_not_given_back(firm: Firm) -> None:
    paid(firm, 3)
    with firm.shop.work() as session:
        AccountService(session).lock().seats_used = 3
    with pytest.raises(Conflict, match="3 people have a seat"):
        seats(firm, 2)


def test_case_48_raising_within_the_floor_is_free_and_above_it_only_the_rest(firm: Firm) -> None:
    paid(firm, 5)
    assert run(firm, seats(firm, 2)) == "done"
    assert run(firm, seats(firm, 5)) == "done"
    assert len(charged(firm)) == 1
    assert run(firm, seats(firm, 2)) == "done"
    assert run(firm, seats(firm, 6)) == "done"
    assert (quantity(firm), charged(firm)[1:]) == (6, [round(1400 * 1.19)])


@pytest.mark.parametrize("card", ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"])
def test_case_50_a_decline_on_more_seats_changes_nothing(firm: Firm, card: str) -> None:
    paid(firm)
    method = firm.v1.payment_methods.attach(card, {"customer": firm.customer}).id
    bought = firm.v1.subscriptions.list({"customer": firm.customer}).data[0].id
    firm.v1.subscriptions.update(bought, {"default_payment_method": method})
    asked = seats(firm, 5)
    assert run(firm, asked) == "needs_action"
    assert (quantity(firm), firm.account().seats_cap, firm.account().phase) == (3, 3, "active")
    page = row(firm, asked).url
    answer = firm.double.press(page, card="pm_card_visa")
    assert answer.status_code == 200
    firm.deliver("customer.subscription.pending_update_applied")
    assert firm.bring_up() == "done"
    assert (quantity(firm), firm.account().seats_cap) == (5, 5)


def test_case_51_minimum_seats_are_billed(firm: Firm) -> None:
    paid(firm, 3, key="business")
    assert run(firm, seats(firm, 1, key="business")) == "done"
    assert quantity(firm) == 3


def test_case_60_a_larger_plan_is_paid_at_once_and_keeps_the_seats(firm: Firm) -> None:
    paid(firm, 4)
    assert run(firm, seats(firm, 4, key="business")) == "done"
    with firm.shop.work() as session:
        live = OperationService(session)._live_row(paid=True)
        assert live is not None
        assert (live.plan, live.seats) == ("business@1", 4)
    assert charged(firm)[1:] == [round(4 * 1300 * 1.19)]


def test_case_68_the_preview_is_what_the_invoice_says(firm: Firm) -> None:
    paid(firm)
    with firm.shop.work() as session:
        account = AccountService(session).lock()
        live_row = OperationService(session)._live_row(paid=True)
        assert live_row is not None
        live, buyer = live_of(live_row), buyer_of(account)
    wanted = Wanted(
        plan="team@1", interval="month", currency="EUR", seats=7, price_key="kehu_team_v1_month_eur"
    )
    shown: Preview = StripeProvider(firm.gateway).preview(buyer, wanted, live)
    asked = begin(firm, lambda service: service.change(plan(), "month", 7, shown.at))
    assert run(firm, asked) == "done"
    bill = firm.v1.invoices.list({"customer": firm.customer, "limit": 1}).data[0]
    assert (shown.total, shown.tax) == (bill.total, sum(one.amount for one in bill.total_taxes))
    assert [amount for _, amount in shown.lines] == [line.amount for line in bill.lines.data]


def test_case_75_a_session_of_another_customer_is_not_looked_at(firm: Firm) -> None:
    paid(firm)
    provider = StripeProvider(firm.gateway)
    other = firm.v1.customers.create({}).id
    asked = {"mode": "setup", "currency": "eur", "customer": other, "success_url": BACK}
    foreign = firm.v1.checkout.sessions.create(asked)
    assert not provider.came_back(firm.customer, foreign.id)
    with firm.shop.work() as session:
        buyer = buyer_of(AccountService(session).lock())
    url = provider.card(buyer, "card-1", BACK)
    back = firm.double.press(url, card="pm_card_mastercard", act="pay").headers["Location"]
    assert provider.came_back(firm.customer, back.partition("session=")[2])
    card = firm.v1.subscriptions.list(
        {"customer": firm.customer, "expand": ["data.default_payment_method"]}
    ).data[0]
    assert card.default_payment_method.card.brand == "mastercard"
    assert provider.papers(buyer, BACK).startswith(firm.double.url)


def test_one_operation_of_a_firm_is_open_at_a_time(firm: Firm) -> None:
    paid(firm)
    seats(firm, 5)
    with firm.shop.work() as session:
        rows = session.execute(select(Operation.state)).scalars().all()
    assert sorted(rows) == ["needs_action", "pending"]
