"""Case 33 with real processes: killed by `kill -9` at each step, a purchase ends in one charge or none."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from billing.stripe import execution, operations
from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION
from kehu.core import clock, jobs
from kehu.testkit.fixtures import Shop
from kehu.testkit.queue import work_off
from tests.functional.billing.stripe.conftest import Firm
from tests.functional.billing.stripe.killing import Arm, at_call, at_end, killed
from tests.functional.billing.stripe.steps import (
    BACK,
    begin,
    charged,
    fresh,
    newcomer,
    paid,
    plan,
    quantity,
    row,
    run,
    seats,
    trial_over,
)
from tests.stripe_double.process import Running

CHANGE, CHECKOUT, CUSTOMER = r"/v1/subscriptions/sub_\w+$", r"/v1/checkout/sessions$", r"/v1/customers$"
FETCH = r"/v1/customers/cus_"


@pytest.fixture
def firm(app: Flask, gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    """A firm in Germany whose trial is over."""
    app.extensions[EXTENSION] = StripeProvider(gateway)
    made = newcomer(gateway, double, shop, price)
    trial_over(made)
    return made


def steps(path: str) -> list[tuple[str, Arm]]:
    """Return the moments of an operation at which its process dies."""
    return [
        ("before the call", at_call("POST", path)),
        ("after Stripe acted, before the answer is read", at_call("POST", path, after=True)),
        ("before the mirror is fetched", at_call("GET", FETCH, following=path)),
        ("after the mirror is fetched", at_call("GET", r"/v1/invoices\?", after=True, following=path)),
        ("before the commit", at_end("before_commit")),
        ("after the commit", at_end("after_commit")),
    ]


def recover(firm: Firm) -> None:
    """Do what the sweep and the worker do once the dead worker is missed."""
    with clock.ahead(operations.STUCK + dt.timedelta(minutes=1)):
        jobs.app.tasks[execution.RECOVER].func(tenant_id=str(firm.shop.tenant.id))
        work_off(firm.shop)
    fresh(firm)


def states(firm: Firm) -> list[tuple[str, str]]:
    with firm.shop.work() as session:
        rows = session.execute(select(Operation.kind, Operation.state).order_by(Operation.made_at))
        return [(one.kind, one.state) for one in rows]


@pytest.mark.parametrize(("where", "arm"), steps(CHANGE), ids=lambda one: one if isinstance(one, str) else "")
def test_case_33_killed_while_seats_are_bought(firm: Firm, where: str, arm: Arm) -> None:
    paid(firm)
    work_off(firm.shop)
    asked = seats(firm, 5)
    killed(firm, arm, lambda _gateway: work_off(firm.shop))
    stored = where == "after the commit"
    assert (row(firm, asked).state, firm.account().seats_cap) == (("done", 5) if stored else ("sent", 3))
    assert len(charged(firm)) == (1 if where == "before the call" else 2)
    recover(firm)
    assert (row(firm, asked).state, quantity(firm), firm.account().seats_cap) == ("done", 5, 5)
    assert charged(firm)[0] == round(3 * 1400 * 1.19)
    assert len(charged(firm)) == 2
    recover(firm)
    assert (quantity(firm), len(charged(firm))) == (5, 2)


FIRST = [
    ("before the customer is made", at_call("POST", CUSTOMER)),
    ("after the customer was made, before its id is kept", at_call("POST", CUSTOMER, after=True)),
    *steps(CHECKOUT),
]


@pytest.mark.parametrize(("where", "arm"), FIRST, ids=lambda one: one if isinstance(one, str) else "")
def test_case_33_killed_at_the_first_purchase(firm: Firm, where: str, arm: Arm) -> None:
    asked = begin(firm, lambda service: service.subscribe(plan(), "month", 3, BACK))
    killed(firm, arm, lambda _gateway: work_off(firm.shop))
    assert firm.account().seats_billed == 0
    recover(firm)
    found = row(firm, asked)
    assert (found.state, firm.account().phase) == ("needs_action", "confirming")
    firm_id = str(firm.shop.tenant.id)
    made = firm.v1.customers.list({"limit": 100}).data
    assert [one.id for one in made if one.metadata.to_dict().get("tenant") == firm_id] == [firm.customer]
    pages = firm.v1.checkout.sessions.list({"customer": firm.customer}).data
    assert [one.url for one in pages] == [found.url]
    firm.double.press(found.url, card="pm_card_visa", act="pay")
    firm.deliver("checkout.session.completed", {"object": "checkout.session", "customer": firm.customer})
    assert firm.bring_up() == "done"
    assert (firm.mirror(), len(charged(firm))) == ([("active", 3, True)], 1)


def test_case_33_killed_between_the_two_steps_of_one_change(firm: Firm) -> None:
    """Seats that are paid until the period ends come back at no cost; only the rest is charged, and once."""
    paid(firm, 5)
    assert run(firm, seats(firm, 2)) == "done"
    work_off(firm.shop)
    asked = seats(firm, 6)
    killed(firm, at_call("POST", CHANGE, following=CHANGE), lambda _gateway: work_off(firm.shop))
    assert (quantity(firm), len(charged(firm)), firm.account().seats_cap) == (5, 1, 2)
    recover(firm)
    assert (row(firm, asked).state, quantity(firm), firm.account().seats_cap) == ("done", 6, 6)
    assert len(charged(firm)) == 2
    assert charged(firm)[1] <= round(1400 * 1.19)


@pytest.mark.parametrize(
    ("where", "arm"), steps(CHANGE)[:3], ids=lambda one: one if isinstance(one, str) else ""
)
def test_case_33_killed_while_it_is_cancelled(firm: Firm, where: str, arm: Arm) -> None:
    paid(firm)
    work_off(firm.shop)
    begin(firm, lambda service: service.cancel())
    killed(firm, arm, lambda _gateway: work_off(firm.shop))
    recover(firm)
    assert states(firm)[-1] == ("cancel", "done")
    assert firm.v1.subscriptions.list({"customer": firm.customer}).data[0].cancel_at_period_end
    assert (firm.account().phase, len(charged(firm))) == ("active", 1)
