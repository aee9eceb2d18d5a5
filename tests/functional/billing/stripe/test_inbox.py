"""Cases 1 to 10: what comes in is stored once, what is not believed never."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe
from flask import Flask
from sqlalchemy import func, select, text

from billing import modes
from billing.stripe.gateway import Gateway
from billing.stripe.inbox import CONVERGE, PLACE
from billing.stripe.models import StripeEvent
from kehu.core import db, jobs
from kehu.testkit.fixtures import count_queries
from plugins.results import BillingMode
from tests.functional.billing.stripe.conftest import (
    ADDRESS,
    SECRET,
    Firm,
    event,
    post,
    sign,
    state_of,
    sync_of,
)


def _count(app: Flask, event_id: str) -> int:
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        statement = select(func.count()).select_from(StripeEvent).where(StripeEvent.id == event_id)
        return int(session.execute(statement).scalar_one())


def _some(**more: Any) -> dict[str, Any]:
    return event("customer.updated", {"object": "customer", "id": "cus_nobody"}, **more)


def test_case_01_the_same_event_twice_in_a_row(firm: Firm) -> None:
    given = event("customer.updated", {"object": "customer", "id": firm.customer})
    assert [post(firm.shop.app, given).text for _ in range(2)] == ["new", "seen"]
    found = sync_of(firm.shop.app, firm.customer)
    assert found is not None
    assert (found.want, found.done) == (1, 0)


def test_case_02_thirty_copies_at_once(firm: Firm) -> None:
    given = event("customer.updated", {"object": "customer", "id": firm.customer})
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: post(firm.shop.app, given), range(30)))
    assert {a.status_code for a in answers} == {200}
    assert sorted(a.text for a in answers) == ["new"] + ["seen"] * 29
    assert _count(firm.shop.app, given["id"]) == 1
    found = sync_of(firm.shop.app, firm.customer)
    assert found is not None
    assert found.want == 1


def test_case_03_a_month_old_event_with_a_fresh_signature_changes_nothing(firm: Firm) -> None:
    subscription = firm.subscribe(3)
    firm.deliver("customer.subscription.created")
    assert firm.bring_up() == "done"
    stale = {"object": "subscription", "id": subscription, "customer": firm.customer, "status": "canceled"}
    answer = firm.deliver("customer.subscription.deleted", stale, created=int(time.monotonic()))
    assert answer.text == "new"
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 3, True)]


@pytest.mark.parametrize(
    ("case", "ago", "status"), [(4, 301, 400), (4, 299, 200), (5, -3600, 200)], ids=["old", "fresh", "future"]
)
def test_case_04_and_05_old_and_future_timestamps(
    app: Flask, gateway: Gateway, case: int, ago: int, status: int
) -> None:
    given = _some()
    assert post(app, given, ago=ago).status_code == status
    assert _count(app, given["id"]) == (status == 200)


def test_case_05_a_future_timestamp_does_no_harm(firm: Firm) -> None:
    firm.subscribe(2)
    given = event("customer.updated", {"object": "customer", "id": firm.customer})
    assert [post(firm.shop.app, given, ago=-3600).text for _ in range(2)] == ["new", "seen"]
    assert firm.bring_up() == "done"
    assert firm.mirror() == [("active", 2, True)]


def test_case_06_a_wrong_secret(app: Flask, gateway: Gateway) -> None:
    given = _some()
    assert post(app, given, secret="whsec_other").status_code == 400
    assert _count(app, given["id"]) == 0


def test_case_07_two_secrets_while_one_is_rolled(app: Flask, gateway: Gateway) -> None:
    gateway.secrets = ("whsec_new", SECRET)
    assert post(app, _some()).status_code == 200
    assert post(app, _some(), secret="whsec_new").status_code == 200
    gateway.secrets = ("whsec_new",)
    assert post(app, _some()).status_code == 400


@pytest.mark.parametrize("header", ["", "nonsense", "t=,v1=", "t=abc,v1=00", "v1=00", "t=1"])
def test_case_08_no_header_or_a_broken_one(app: Flask, gateway: Gateway, header: str) -> None:
    assert post(app, _some(), header=header).status_code == 400


def test_case_08_another_body_encoding_or_size(app: Flask, gateway: Gateway) -> None:
    given = _some()
    body = json.dumps(given).encode()
    assert post(app, json.dumps(given, indent=4).encode(), header=sign(body)).status_code == 400
    assert post(app, "ü".encode("latin-1"), header=sign(body)).status_code == 400
    assert post(app, b"\xff" + body, header=sign(body)).status_code == 400
    assert post(app, b"x" * (600 * 1024), header="t=1,v1=0").status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"null",
        b"5",
        b'{"object": "v2.core.event", "id": "evt_1", "type": "v1.billing.meter.no_meter_found"}',
        b'{"object": "event", "id": 5, "type": "x"}',
        b'{"object": "event", "id": "evt_odd", "type": "x"}',
        b'{"object": "event", "id": "evt_odd", "type": "x", "data": []}',
        b'{"object": "event", "id": "evt_odd", "type": "x", "data": {"object": NaN}}',
        b'{"object": "event", "id": "evt_\\u0000", "type": "x", "data": {"object": {}}}',
        b'{"object": "event", "id": "evt_odd", "type": "\\ud800", "data": {"object": {}}}',
        b"[" * 100_000,
    ],
)
def test_case_09_signed_but_no_event(app: Flask, gateway: Gateway, body: bytes) -> None:
    assert post(app, body).status_code == 400


@pytest.mark.parametrize("shape", [None, [], "text", {}, {"customer": 5}, {"customer": {"id": None}}])
def test_case_09_odd_objects_are_parked(app: Flask, gateway: Gateway, shape: Any) -> None:
    given = event("invoice.paid", shape)
    assert (post(app, given).status_code, state_of(app, given["id"])) == (200, "parked")


@pytest.mark.parametrize("spelt", ['"\\u0000"', '"\\ud800"', '"\\\\u0000"', "1e999999"])
def test_case_09_what_the_database_can_not_hold_costs_the_body_alone(firm: Firm, spelt: str) -> None:
    given = event("invoice.paid", {"object": "invoice", "id": "in_X", "customer": firm.customer})
    body = json.dumps(given).replace('"in_X"', spelt).encode()
    assert (post(firm.shop.app, body).text, post(firm.shop.app, body).text) == ("new", "seen")
    found = sync_of(firm.shop.app, firm.customer)
    assert found is not None
    assert found.want == 1


def test_case_10_live_events_in_test_mode_and_the_reverse(app: Flask, gateway: Gateway) -> None:
    live, test = _some(livemode=True), _some()
    assert post(app, live).text == "ignored"
    gateway.live = True
    assert post(app, test).text == "ignored"
    assert [state_of(app, one["id"]) for one in (live, test)] == ["ignored", "ignored"]


def test_case_69_without_the_mode_there_is_no_such_address(app: Flask) -> None:
    with modes.use(BillingMode.OFF):
        assert app.test_client().post(ADDRESS, data=b"{}").status_code == 404


def test_the_address_takes_posts_only_and_its_errors_name_nothing(app: Flask, gateway: Gateway) -> None:
    answer = app.test_client().get(ADDRESS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "Set-Cookie" not in answer.headers


def test_a_job_of_the_inbox_is_the_one_that_the_queue_would_make(firm: Firm) -> None:
    """The statement puts it in itself; a release of the queue that wants more of a job must be noticed."""
    columns = "queue_name, task_name, priority, lock, queueing_lock, args, status, attempts"
    made = text(
        f"SELECT {columns} FROM procrastinate_jobs WHERE args ->> 'customer_id' = :customer ORDER BY id"
    )
    firm.deliver("invoice.created")
    firm.deliver("invoice.finalized")
    with firm.shop.work() as session:
        [ours] = session.execute(made, {"customer": firm.customer}).all()
    with firm.shop.app.app_context(), db.unit_of_work(tenant=None) as session:
        jobs.enqueue(session, CONVERGE, customer_id=firm.customer)
        assert session.execute(made, {"customer": firm.customer}).all() == [ours, ours]


def test_a_dispute_that_names_only_its_charge_is_parked_with_a_job(firm: Firm) -> None:
    dispute = {"object": "dispute", "id": "du_1", "charge": f"ch_{firm.customer}"}
    assert firm.deliver("charge.dispute.created", dispute).text == "parked"
    with firm.shop.work() as session:
        found = session.execute(
            text("SELECT task_name FROM procrastinate_jobs WHERE args ->> 'charge_id' = :charge"),
            {"charge": dispute["charge"]},
        ).scalars()
        assert list(found) == [PLACE]


def test_the_inbox_asks_the_database_once_and_stripe_never(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firm.gateway, "api", None)
    firm.deliver("invoice.created")
    with count_queries() as statements:
        assert firm.deliver("invoice.finalized").status_code == 200
    assert len(statements) == 1


def test_the_sdk_still_lets_future_times_pass() -> None:
    """Say when this changes: then a wrong clock can refuse genuine events from the future, too."""
    header = stripe.WebhookSignature.generate_signature_header("{}", SECRET, 4_000_000_000)
    assert stripe.WebhookSignature.verify_header("{}", header, SECRET, 300)
