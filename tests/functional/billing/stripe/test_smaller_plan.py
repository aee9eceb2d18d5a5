"""Cases 60 and 61 at Stripe: a smaller plan waits for the end of the period, is made then, or called off and told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from billing.accounts import AccountService
from billing.models import Notice, Subscription
from billing.purchases import PurchaseService
from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.operations import OPEN
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION
from kehu.core import context
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import Firm
from tests.functional.billing.stripe.steps import (
    PAGE,
    Timer,
    bought,
    carried_out,
    charged,
    fresh,
    newcomer,
    on_a_clock,
    order,
    paid,
    run,
    shown,
)
from tests.stripe_double.process import Running

MINUTE = 60
BUSINESS, TEAM, TAX = 2700, 1400, 1.19


@pytest.fixture
def timer(app: Flask, gateway: Gateway, double: Running, shop: Shop, price: str) -> Timer:
    """A firm on a test clock that has paid for four seats of the larger plan."""
    app.extensions[EXTENSION] = StripeProvider(gateway)
    firm = newcomer(gateway, double, shop, price)
    made = on_a_clock(firm)
    paid(firm, 4, key="business")
    made.look()
    return made


def wait_for_team(timer: Timer, seats: int = 4) -> None:
    """Order the smaller plan on the page."""
    client = timer.firm.shop.client()
    answer = order(client, plan="team", seats=str(seats))
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    fresh(timer.firm)
    assert "You can take this back at no cost until then." in shown(timer.firm, client)


def look(timer: Timer) -> str:
    """Do what the job does on the day of the change, and the worker after it; return what became of the operation."""
    with timer.firm.shop.work(context.SYSTEM) as session:
        PurchaseService(session).check()
        waiting = session.execute(select(Operation.id).where(Operation.state.in_(OPEN))).scalar_one_or_none()
    fresh(timer.firm)
    return run(timer.firm, waiting) if waiting is not None else "nothing"


def row(firm: Firm) -> Subscription:
    with firm.shop.work() as session:
        return session.execute(select(Subscription).where(Subscription.live)).scalar_one()


def at_stripe(firm: Firm) -> tuple[str, int, str]:
    item = bought(firm)["items"].data[0]
    return str(item.price.lookup_key), int(item.quantity), str(item.id)


def mails(firm: Firm) -> list[str]:
    with firm.shop.work() as session:
        return list(session.execute(select(Notice.kind).where(Notice.kind == "called_off")).scalars())


def test_case_60_a_smaller_plan_waits_and_is_made_without_a_charge(timer: Timer) -> None:
    firm = timer.firm
    before = at_stripe(firm)
    wait_for_team(timer)
    page = shown(firm)
    for said in (
        "From then on",
        "Team begins on",
        "What stops or becomes less then",
        "Team: 4 seats",
        "Webhooks to other programs",
    ):
        assert said in page
    assert "Viewers, free of charge: up to 10" in page
    timer.look()  # Whatever Stripe tells meanwhile, the change goes on waiting.
    assert (row(firm).plan, (row(firm).pending or {})["plan"], look(timer)) == (
        "business@1",
        "team@1",
        "nothing",
    )
    timer.to_end(-29 * MINUTE)
    assert look(timer) == "done"
    assert at_stripe(firm) == ("kehu_team_v1_month_eur", 4, before[2])
    assert (row(firm).plan, row(firm).pending, len(charged(firm))) == ("team@1", None, 1)
    timer.to_end()
    assert charged(firm) == [round(4 * BUSINESS * TAX), round(4 * TEAM * TAX)]
    assert (firm.account().seats_cap, look(timer)) == (4, "nothing")


def test_case_60_undo_is_free_until_then(timer: Timer) -> None:
    firm = timer.firm
    wait_for_team(timer)
    client = firm.shop.client()
    assert client.post(f"{PAGE}/call-off").status_code == 303
    page = client.get(PAGE).get_data(as_text=True)
    assert "The plan stays as it is." in page
    assert "The present plan stays" in page
    assert "Team begins on" not in page
    timer.to_end(-29 * MINUTE)
    assert look(timer) == "nothing"
    timer.to_end()
    assert charged(firm) == [round(4 * BUSINESS * TAX)] * 2
    assert client.post(f"{PAGE}/call-off").status_code == 409


def test_case_60_seats_that_change_meanwhile_go_along(timer: Timer) -> None:
    firm = timer.firm
    wait_for_team(timer)
    assert carried_out(firm, order(firm.shop.client(), plan="business", seats="6")) == PAGE
    assert "Team begins on" in shown(firm)
    timer.to_end(-29 * MINUTE)
    assert look(timer) == "done"
    assert at_stripe(firm)[:2] == ("kehu_team_v1_month_eur", 6)


def test_case_60_a_worker_that_comes_too_late_costs_the_firm_nothing(timer: Timer) -> None:
    firm = timer.firm
    wait_for_team(timer)
    timer.to_end()  # Stripe has billed the larger plan once more.
    assert charged(firm) == [round(4 * BUSINESS * TAX)] * 2
    assert look(timer) == "done"
    assert at_stripe(firm)[:2] == ("kehu_team_v1_month_eur", 4)
    assert row(firm).pending is None
    credit = -firm.v1.customers.retrieve(firm.customer).balance
    assert abs(credit - round(4 * (BUSINESS - TEAM) * TAX)) <= 4


def test_case_60_plugins_stay_when_the_plan_changes(timer: Timer) -> None:
    firm = timer.firm
    base = {"product_data": {"name": "Add-on"}, "currency": "eur", "recurring": {"interval": "month"}}
    addon = firm.v1.prices.create(base | {"unit_amount": 500}).id
    item = firm.v1.subscription_items.create(
        {"subscription": bought(firm).id, "price": addon, "quantity": 1, "metadata": {"kind": "addon"}}
    )
    timer.look()
    wait_for_team(timer)
    timer.to_end(-29 * MINUTE)
    assert look(timer) == "done"
    found = {one.id: one.price.id for one in bought(firm)["items"].data}
    assert (found[item.id], len(found)) == (addon, 2)


def invite(firm: Firm, number: int) -> None:
    from kehu.members.models import Role
    from kehu.members.services import MemberService

    with firm.shop.work() as session:
        role = session.execute(select(Role.id).where(Role.code == "member")).scalar_one()
        for one in range(number):
            MemberService(session).invite(name=f"P {one}", email=f"p{one}@example.com", role_id=role)


def test_case_61_what_does_not_fit_on_its_day_is_called_off_and_told_once(timer: Timer) -> None:
    firm = timer.firm
    wait_for_team(timer, seats=2)
    invite(firm, 3)
    assert "As things are now it would not fit" in shown(firm)
    timer.to_end(-40 * MINUTE)
    assert (look(timer), mails(firm)) == ("nothing", [])  # There is still time to park somebody.
    timer.to_end(-29 * MINUTE)
    assert [look(timer) for _ in range(3)] == ["nothing"] * 3
    assert mails(firm) == ["called_off"]
    page = shown(firm)
    assert "The smaller plan was called off: 4 seats are taken. Park 2 people first" in page
    assert (row(firm).plan, row(firm).pending, at_stripe(firm)[0]) == (
        "business@1",
        None,
        "kehu_business_v1_month_eur",
    )
    timer.to_end()
    assert charged(firm) == [round(4 * BUSINESS * TAX)] * 2


def test_case_61_a_change_that_stripe_refuses_is_called_off(timer: Timer) -> None:
    firm = timer.firm
    wait_for_team(timer)
    timer.to_end(-29 * MINUTE)
    path = r"^/v1/subscriptions/sub_"
    firm.double.control("faults", kind="error", status=400, path=path, method="POST")
    assert look(timer) == "failed"
    assert (mails(firm), row(firm).pending) == (["called_off"], None)
    assert "Stripe refused the change" in shown(firm)


def test_cancelling_and_larger_plans_call_the_smaller_one_off(timer: Timer) -> None:
    firm = timer.firm
    wait_for_team(timer)
    assert carried_out(firm, firm.shop.client().post(f"{PAGE}/cancel")) == PAGE
    assert row(firm).pending is None


def test_paying_by_the_year_begins_at_once_and_by_the_month_later(timer: Timer) -> None:
    firm: Any = timer.firm
    year = {"product_data": {"name": "Year"}, "currency": "eur", "recurring": {"interval": "year"}}
    key = "kehu_business_v1_year_eur"
    if not firm.v1.prices.list({"lookup_keys": [key]}).data:
        firm.v1.prices.create(year | {"unit_amount": 27000, "lookup_key": key})
    answer = order(firm.shop.client(), plan="business", interval="year", seats="4")
    assert carried_out(firm, answer) == PAGE
    assert at_stripe(firm)[:2] == ("kehu_business_v1_year_eur", 4)
    timer.look()
    assert row(firm).interval == "year"
    answer = order(firm.shop.client(), plan="business", interval="month", seats="4")
    assert answer.headers["Location"] == PAGE
    day = row(firm).period_end
    assert day is not None
    assert day - dt.timedelta(days=300) > dt.datetime.fromtimestamp(timer.now, dt.UTC)
    with firm.shop.work() as session:
        assert AccountService(session).lock().seats_cap == 4
