"""Cases 26 to 30: what events did not tell, the nightly comparison finds, and converging mends."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select

from billing.commands import group
from billing.snapshot import SubscriptionState
from billing.stripe import commands, reconciling
from billing.stripe.models import Operation, ReconDiff, ReconRun
from billing.stripe.reconciling import Mirrored, differences
from kehu.core import clock, context, db
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import Firm, event, post


def reconcile(firm: Firm, **options: Any) -> set[str]:
    """Compare, and return how this firm's customer differs."""
    with firm.shop.app.app_context(), context.use(actor=context.SYSTEM):
        reconciling.reconcile(firm.gateway, **options)
        with db.unit_of_work(tenant=None) as session:
            statement = select(ReconDiff.kind).where(ReconDiff.customer_id == firm.customer)
            return set(session.execute(statement).scalars())


def mirrored(firm: Firm, seats: int = 3) -> str:
    bought = firm.subscribe(seats)
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    return bought


def test_case_26_all_events_were_lost(firm: Firm) -> None:
    firm.subscribe(3)
    assert reconcile(firm, repair=False) == {"missing", "invoice"}
    assert (firm.mirror(), firm.bring_up()) == ([], "busy")
    assert reconcile(firm, repair=True) == {"missing", "invoice"}
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 3, True)]
    assert reconcile(firm) == set()


def test_stripe_is_asked_while_no_transaction_is_open_and_page_by_page(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(firm)
    asked: list[tuple[str, str | None, bool]] = []
    client = firm.gateway._client
    ask = client.raw_request

    def watched(method: str, path: str, **wanted: Any) -> Any:
        asked.append((path, wanted.get("starting_after"), db.has_session()))
        return ask(method, path, **(wanted | {"limit": 1}))

    monkeypatch.setattr(client, "raw_request", watched)
    second = firm.subscribe(2)
    assert reconcile(firm, repair=False) >= {"missing", "two_live"}
    pages = [after for path, after, _open in asked if path == "/v1/subscriptions"]
    assert pages[:2] == [None, second]
    assert not any(opened for *_rest, opened in asked)


def test_case_27_quantity_price_and_end_changed_in_the_dashboard(firm: Firm) -> None:
    bought = mirrored(firm)
    firm.seats(bought, 8)
    firm.v1.subscriptions.update(bought, {"cancel_at_period_end": True})
    assert reconcile(firm, repair=True) == {"seats", "cancel"}
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 8, True)]
    other = firm.v1.prices.create(
        {
            "product_data": {"name": "Odd"},
            "currency": "eur",
            "unit_amount": 5,
            "recurring": {"interval": "month"},
        }
    )
    item = firm.v1.subscriptions.retrieve(bought)["items"].data[0].id
    firm.v1.subscriptions.update(
        bought, {"items": [{"id": item, "price": other.id}], "proration_behavior": "none"}
    )
    assert {"price", "plan"} <= reconcile(firm, repair=False)


def test_case_28_two_live_subscriptions_are_told(firm: Firm) -> None:
    mirrored(firm)
    firm.subscribe(1)
    assert "two_live" in reconcile(firm, repair=False)


def test_case_29_ended_or_gone_at_stripe(firm: Firm) -> None:
    bought = mirrored(firm)
    firm.v1.subscriptions.cancel(bought)
    assert reconcile(firm, repair=True) == {"extra"}
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("canceled", 3, False)]


def test_case_30_while_an_order_is_under_way_nothing_is_repaired(firm: Firm) -> None:
    bought = mirrored(firm)
    with firm.shop.work() as session:
        base = {"id": new_id(), "kind": "change", "desired": {}, "actor_name": "Test", "made_at": clock.now()}
        session.add(Operation(**base, state="sent"))
    firm.seats(bought, 8)
    assert reconcile(firm, repair=True) & {"seats", "extra", "status"} == set()


def test_a_difference_that_stays_is_an_alarm(firm: Firm, caplog: pytest.LogCaptureFixture) -> None:
    firm.seats(mirrored(firm), 8)
    reconcile(firm, repair=False)
    caplog.clear()
    reconcile(firm, repair=False)
    assert "a difference to Stripe stays" in caplog.text


def test_the_first_week_only_looks(firm: Firm) -> None:
    mirrored(firm)
    with firm.shop.app.app_context(), db.unit_of_work(tenant=None) as session:
        session.execute(delete(ReconRun))
    firm.v1.subscriptions.cancel(firm.v1.subscriptions.list({"customer": firm.customer}).data[0].id)
    assert (reconcile(firm), firm.bring_up()) == ({"extra"}, "busy")
    with clock.ahead(dt.timedelta(days=8)):
        assert reconcile(firm) == {"extra"}
    assert firm.bring_up() == "done"


@pytest.mark.parametrize(
    ("theirs", "ours", "kinds"),
    [
        ({}, {}, set()),
        ({"status": "past_due"}, {}, {"status"}),
        ({"plan": ""}, {}, {"price", "plan"}),
        ({}, {"addons": {"cars": 1}}, {"addons"}),
        ({"seats": 4}, {"busy": True}, set()),
        ({"status": "incomplete"}, None, set()),
        (None, {}, {"extra"}),
        (None, {"busy": True}, set()),
    ],
)
def test_what_differs(theirs: dict[str, Any] | None, ours: dict[str, Any] | None, kinds: set[str]) -> None:
    base = {"provider_id": "sub_1", "status": "active", "plan": "team@1", "seats": 3}
    moment = clock.now()
    told = (
        []
        if theirs is None
        else [
            ("cus_1", SubscriptionState(**base | theirs, interval="month", currency="EUR", started_at=moment))
        ]
    )
    mine = (
        []
        if ours is None
        else [Mirrored(**base | {"customer_id": "cus_1", "ends": False, "busy": False} | ours)]
    )
    assert {one.kind for one in differences(told, mine, frozenset({"cus_1"}))} == kinds


def test_operators_look_and_replay(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "make_app", lambda: firm.shop.app)
    firm.seats(mirrored(firm), 8)
    runner = CliRunner()
    shown = runner.invoke(group, ["stripe", "reconcile"])
    assert firm.customer in shown.output
    assert runner.invoke(group, ["stripe", "replay", "cus_never"]).exit_code == 1
    assert "fetched anew" in runner.invoke(group, ["stripe", "replay", firm.customer]).output
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 8, True)]
    given = event("invoice.paid", {"object": "invoice"})
    post(firm.shop.app, given)
    assert given["id"] in runner.invoke(group, ["stripe", "events", "--state", "parked"]).output


def test_customers_of_nobody_are_told_and_left_alone(firm: Firm, other_shop: Shop) -> None:
    stranger = firm.v1.customers.create({}).id
    other = Firm(other_shop, firm.gateway, firm.double, stranger, firm.price)
    other.subscribe(1)
    assert "nobody" in reconcile(other, repair=True)
    assert other.mirror() == []
