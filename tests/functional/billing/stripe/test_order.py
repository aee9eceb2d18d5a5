"""Cases 11 to 25: whatever the order, the tenant or the worker, the mirror ends in the true state."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from werkzeug.serving import make_server

from billing import mirror
from billing.accounts import AccountService
from billing.models import Invoice
from billing.snapshot import Snapshot
from billing.stripe import sync, tasks
from billing.stripe.gateway import Gateway
from billing.stripe.models import StripeEvent, Sync
from billing.stripe.words import Unanswered
from kehu.core import clock, context, db
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import ADDRESS, SECRET, Firm, event, post, state_of, sync_of
from tests.functional.billing.stripe.killing import at_call, killed
from tests.stripe_double.process import Running


def _events(app: Flask, customer: str) -> set[str]:
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        return set(
            session.execute(select(StripeEvent.state).where(StripeEvent.customer_id == customer)).scalars()
        )


def _set(app: Flask, customer: str, **values: Any) -> None:
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        session.execute(update(Sync).where(Sync.customer_id == customer).values(**values))


@pytest.mark.parametrize(
    ("case", "kinds"),
    [
        (11, ["customer.subscription.updated", "customer.subscription.created"]),
        (12, ["customer.subscription.deleted", "customer.subscription.updated"]),
        (13, ["invoice.paid", "invoice.created"]),
    ],
)
def test_case_11_12_13_any_order_ends_in_the_same_state(firm: Firm, case: int, kinds: list[str]) -> None:
    bought = firm.subscribe(4)
    if case == 12:
        firm.v1.subscriptions.cancel(bought)
    for kind in kinds:
        assert firm.deliver(kind).text == "new"
        assert firm.bring_up() in ("done", "busy")
    assert firm.mirror() == [("canceled", 4, False) if case == 12 else ("active", 4, True)]
    account = firm.account()
    assert (account.phase, account.seats_billed) == (
        ("trial", 0) if case == 12 else ("active", 4)
    ) or case == 12
    if case == 12:
        assert (account.phase, account.ended_at is not None) == ("ended", True)
    with firm.shop.work() as session:
        bill = session.execute(select(Invoice)).scalar_one()
        assert (bill.status, bill.total, bill.currency) == ("paid", 5600, "EUR")
    assert _events(firm.shop.app, firm.customer) == {"done"}


def test_case_14_four_changes_in_one_second_in_parallel(firm: Firm) -> None:
    bought = firm.subscribe(1)
    firm.deliver("customer.subscription.created")

    def change(seats: int) -> None:
        firm.seats(bought, seats)
        firm.deliver("customer.subscription.updated")
        firm.bring_up()

    for _round in range(3):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(change, (2, 3, 4, 5)))
        true = firm.v1.subscriptions.retrieve(bought)["items"].data[0].quantity
        assert firm.mirror() == [("active", true, True)]
        found = sync_of(firm.shop.app, firm.customer)
        assert found is not None
        assert (found.want == found.done, found.lease_owner) == (True, None)


def test_case_15_the_event_outruns_our_commit(
    gateway: Gateway, double: Running, shop: Shop, price: str
) -> None:
    customer = double.client.v1.customers.create({}).id
    firm = Firm(shop, gateway, double, customer, price)
    firm.subscribe(2)
    given = event("customer.subscription.created", {"object": "subscription", "customer": customer})
    assert post(shop.app, given).text == "new"
    assert firm.bring_up() == "parked"
    assert state_of(shop.app, given["id"]) == "parked"
    with shop.work() as session:
        sync.know(session, customer, shop.tenant.id)
    assert firm.bring_up() == "done"
    assert (firm.mirror(), state_of(shop.app, given["id"])) == ([("active", 2, True)], "done")


def test_case_16_a_customer_nobody_knows_is_given_up_after_72_hours(app: Flask, gateway: Gateway) -> None:
    customer = f"cus_{new_id().hex}"
    given = event("invoice.paid", {"object": "invoice", "id": "in_1", "customer": customer})
    assert post(app, given).text == "new"
    with app.app_context():
        assert sync.bring_up(gateway, customer) == "parked"
        with clock.ahead(dt.timedelta(hours=71)):
            assert sync.bring_up(gateway, customer) == "parked"
        with clock.ahead(dt.timedelta(hours=73)):
            assert sync.bring_up(gateway, customer) == "failed"
    assert state_of(app, given["id"]) == "failed"


def test_case_17_metadata_naming_another_firm_is_not_believed(firm: Firm, other_shop: Shop) -> None:
    firm.subscribe(2, metadata={"tenant": str(other_shop.tenant.id)})
    obj = {
        "object": "subscription",
        "customer": firm.customer,
        "metadata": {"tenant": str(other_shop.tenant.id)},
    }
    firm.deliver("customer.subscription.created", obj)
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 2, True)]
    assert Firm(other_shop, firm.gateway, firm.double, firm.customer, firm.price).mirror() == []


def test_case_18_the_firm_was_erased(app: Flask, gateway: Gateway) -> None:
    customer = f"cus_{new_id().hex}"
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        sync.know(session, customer, new_id())
    given = event("customer.updated", {"object": "customer", "id": customer})
    post(app, given)
    with app.app_context():
        assert sync.bring_up(gateway, customer) == "gone"
    assert state_of(app, given["id"]) == "ignored"


def test_case_19_unknown_type_price_currency_and_status(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = event("customer.spaceship.launched", {"object": "spaceship", "customer": firm.customer})
    assert post(firm.shop.app, unknown).text == "ignored"
    base = {"product_data": {"name": "Odd"}, "currency": "sek", "recurring": {"interval": "month"}}
    firm.price = firm.v1.prices.create(base | {"unit_amount": 1}).id
    firm.subscribe(2)
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    assert (firm.mirror(), firm.account().phase) == ([("active", 2, True)], "active")
    asked = firm.gateway.fetch

    def strange(customer: str) -> Snapshot:
        found = asked(customer)
        raw = found.subscriptions[0]
        odd = {f: getattr(raw, f) for f in type(raw).__dataclass_fields__} | {"status": "hibernating"}
        return Snapshot(customer_id=customer, subscriptions=(type(raw)(**odd),))

    monkeypatch.setattr(firm.gateway, "fetch", strange)
    firm.deliver("customer.subscription.updated")
    assert firm.bring_up() == "done"
    assert firm.account().phase == "active"  # neither opened nor shut by what nobody knows


def test_case_20_another_api_version_in_the_payload(firm: Firm) -> None:
    firm.subscribe(3)
    old = {
        "object": "invoice",
        "id": "in_1",
        "customer": {"id": firm.customer},
        "subscription": "sub_1",
        "paid": 1,
    }
    assert firm.deliver("invoice.paid", old, api_version="2014-01-31").text == "new"
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 3, True)]


def test_case_21_the_worker_fails_then_succeeds(firm: Firm) -> None:
    firm.subscribe(2)
    given = event("invoice.paid", {"object": "invoice", "customer": firm.customer})
    post(firm.shop.app, given)
    firm.double.control("faults", kind="error", status=500, times=0, path=f"/v1/customers/{firm.customer}")
    assert firm.bring_up() == "later"
    found = sync_of(firm.shop.app, firm.customer)
    assert found is not None
    assert (found.attempts, found.lease_owner, bool(found.last_error)) == (1, None, True)
    firm.double.control("faults", clear=True)
    assert firm.bring_up() == "done"
    assert (firm.mirror(), state_of(firm.shop.app, given["id"])) == ([("active", 2, True)], "done")


def test_case_21_after_twelve_tries_an_operator_replays(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.subscribe(2)
    given = event("invoice.paid", {"object": "invoice", "customer": firm.customer})
    post(firm.shop.app, given)

    def down(_customer: str) -> Snapshot:
        raise Unanswered("down")

    with monkeypatch.context() as patched:
        patched.setattr(firm.gateway, "fetch", down)
        assert [firm.bring_up() for _ in range(12)] == ["later"] * 11 + ["failed"]
    assert state_of(firm.shop.app, given["id"]) == "failed"
    with firm.shop.app.app_context(), db.unit_of_work(tenant=None) as session:
        sync.want(session, firm.customer)
    assert firm.bring_up() == "done"
    assert state_of(firm.shop.app, given["id"]) == "done"


def test_case_22_a_worker_is_killed_while_it_holds_the_lease(firm: Firm) -> None:
    firm.subscribe(2)
    firm.deliver("customer.subscription.created")

    def work(gateway: Gateway) -> None:
        with firm.shop.app.app_context():
            sync.bring_up(gateway, firm.customer)

    killed(firm, at_call("GET", r"/v1/subscriptions\?", after=True), work)
    found = sync_of(firm.shop.app, firm.customer)
    assert found is not None
    assert (found.done, found.lease_owner is None) == (0, False)
    assert firm.bring_up() == "busy"
    with clock.ahead(sync.LEASE * 2 + dt.timedelta(seconds=1)):
        with firm.shop.app.app_context(), db.unit_of_work(tenant=None) as session:
            assert firm.customer in sync.overdue(session, 10_000)
        assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 2, True)]


def test_case_23_a_slow_worker_writes_nothing_after_losing_the_lease(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = firm.subscribe(2)
    firm.deliver("customer.subscription.created")
    asked = firm.gateway.fetch
    outcomes: list[str] = []

    def slow(customer: str) -> Snapshot:
        stale = asked(customer)
        monkeypatch.setattr(firm.gateway, "fetch", asked)
        # The lease runs out while the answer is on its way; another worker does the work meanwhile.
        _set(firm.shop.app, customer, lease_until=clock.now() - dt.timedelta(seconds=1))
        firm.seats(bought, 9)
        firm.deliver("customer.subscription.updated")
        outcomes.append(firm.bring_up())
        return stale

    monkeypatch.setattr(firm.gateway, "fetch", slow)
    assert (firm.bring_up(), outcomes) == ("busy", ["done"])
    assert firm.mirror() == [("active", 9, True)]


def test_case_24_only_a_failed_insert_is_a_500(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    from billing.stripe import inbox

    monkeypatch.setattr(inbox, "_TAKE_IN", text("SELECT 1 FROM not_there"))
    given = event("invoice.paid", {"object": "invoice", "customer": firm.customer})
    assert post(firm.shop.app, given).status_code == 500
    monkeypatch.undo()
    assert post(firm.shop.app, given).text == "new"


def test_case_25_workers_are_down_for_a_day(firm: Firm) -> None:
    bought = firm.subscribe(1)
    for seats in range(2, 12):
        firm.seats(bought, seats)
        assert firm.deliver("customer.subscription.updated").status_code == 200
    found = sync_of(firm.shop.app, firm.customer)
    assert found is not None
    assert (found.want - found.done, firm.mirror()) == (10, [])
    with clock.ahead(dt.timedelta(days=1)):
        with firm.shop.app.app_context(), db.unit_of_work(tenant=None) as session:
            assert firm.customer in sync.overdue(session, 10_000)
        assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 11, True)]


def test_a_dispute_names_only_its_charge(firm: Firm) -> None:
    firm.subscribe(2, card="pm_card_createDispute")
    dispute = firm.v1.disputes.list({"limit": 1}).data[0]
    given = event("charge.dispute.created", {"object": "dispute", "id": dispute.id, "charge": dispute.charge})
    assert post(firm.shop.app, given).text == "parked"
    with firm.shop.app.app_context():
        sync.place(firm.gateway, given["id"], dispute.charge)
    assert firm.bring_up() == "done"
    assert state_of(firm.shop.app, given["id"]) == "done"


def test_real_deliveries_over_http_end_in_the_mirror(firm: Firm) -> None:
    app = firm.shop.app
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    firm.double.control(
        "endpoint", url=f"http://127.0.0.1:{server.server_port}{ADDRESS}", secrets=["old", SECRET]
    )
    firm.double.control("faults", kind="double", copies=3, type="customer.subscription")
    firm.double.control("faults", kind="secret", secret="whsec_forged", type="invoice.paid")
    firm.subscribe(6)
    assert firm.double.control("idle")["idle"]
    firm.double.control("endpoint", url="http://127.0.0.1:9/", secrets=["x"], kinds=["none"])
    server.shutdown()
    thread.join(5)
    server.server_close()
    with app.app_context():
        assert tasks.converge(customer_id=firm.customer) == "done"
    assert firm.mirror() == [("active", 6, True)]
    assert _events(app, firm.customer) <= {"done", "ignored"}


def test_an_outside_cut_signs_nobody_out(firm: Firm) -> None:
    snapshot = firm.gateway.fetch(firm.customer)
    assert snapshot.subscriptions == ()
    bought = firm.subscribe(3)
    firm.deliver("customer.subscription.created")
    firm.bring_up()
    with firm.shop.work() as session:
        from billing.accounts import AccountService

        AccountService(session).lock().seats_used = 3
    firm.seats(bought, 1)
    firm.deliver("customer.subscription.updated")
    assert firm.bring_up() == "done"
    account = firm.account()
    assert (account.seats_cap, account.seats_used, account.over_seat_since is not None) == (1, 3, True)
    firm.seats(bought, 5)
    firm.deliver("customer.subscription.updated")
    assert firm.bring_up() == "done"
    assert firm.account().over_seat_since is None


def test_case_28_two_live_subscriptions_leave_one_that_counts(firm: Firm) -> None:
    firm.subscribe(2)
    firm.subscribe(5)
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    assert sorted(live for _, _, live in firm.mirror()) == [False, True]
    assert len(firm.mirror()) == 2


def test_case_29_the_customer_is_deleted_at_stripe(firm: Firm) -> None:
    firm.subscribe(2)
    firm.deliver("customer.subscription.created")
    firm.bring_up()
    firm.v1.customers.delete(firm.customer)
    firm.deliver("customer.deleted", {"object": "customer", "id": firm.customer})
    assert firm.bring_up() == "done"
    assert (firm.mirror(), firm.account().phase) == ([("canceled", 2, False)], "ended")


def test_a_test_clock_is_the_customers_time(
    gateway: Gateway, double: Running, shop: Shop, price: str
) -> None:
    ahead = 40 * 86400
    clock_id = double.client.v1.test_helpers.test_clocks.create(
        {"frozen_time": int(clock.now().timestamp()) + ahead}
    )
    customer = double.client.v1.customers.create({"test_clock": clock_id.id}).id
    with shop.work() as session:
        sync.know(session, customer, shop.tenant.id)
        shop.tenant = context.tenant()
    firm = Firm(shop, gateway, double, customer, price)
    firm.subscribe(1)
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    assert abs(firm.account().clock_ahead - ahead) < 60


def test_the_same_snapshot_twice_changes_nothing(firm: Firm) -> None:
    firm.subscribe(2)
    snapshot = firm.gateway.fetch(firm.customer)
    versions = []
    for _ in range(2):
        with firm.shop.work() as session:
            mirror.converge(session, snapshot)
            firm.shop.tenant = context.tenant()
        versions.append(firm.account().version)
    assert versions[0] == versions[1]


def test_case_59_what_an_ended_subscription_left_open_does_not_stop_the_next(
    firm: Firm, double: Running, gateway: Gateway
) -> None:
    v1 = firm.v1
    test_clock = v1.test_helpers.test_clocks.create({"frozen_time": int(clock.now().timestamp())}).id
    firm.customer = v1.customers.create({"name": "Again", "test_clock": test_clock}).id
    with firm.shop.work() as session:
        account = AccountService(session).lock()
        account.stripe_customer_id = firm.customer
        sync.know(session, firm.customer, firm.shop.tenant.id)
        firm.shop.tenant = context.tenant()
    first = firm.subscribe(2, collection_method="send_invoice", days_until_due=1)
    v1.subscriptions.cancel(first)
    v1.test_helpers.test_clocks.advance(
        test_clock, {"frozen_time": int(clock.now().timestamp()) + 40 * 86400}
    )
    firm.subscribe(3)
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    with firm.shop.work() as session:
        accounts = AccountService(session)
        left = session.execute(select(Invoice).where(Invoice.status == "open")).scalars().all()
        assert len(left) == 1
        assert accounts.open_invoices(accounts.subscription()) == []
    assert (firm.account().phase, firm.account().seats_cap) == ("active", 3)
