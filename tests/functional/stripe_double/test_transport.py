"""Keys, versions, lists, idempotency and faults of the double."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from tests.stripe_double.process import KEY, Running


def _post(double: Running, path: str, body: str, **headers: str) -> requests.Response:
    known = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    return requests.post(double.url + path, data=body, headers=known | headers, timeout=10)


def test_unknown_parameters_are_refused(double: Running) -> None:
    answer = _post(double, "/v1/customers", "email=a@example.com&colour=red")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "parameter_unknown"
    assert answer.json()["error"]["param"] == "colour"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ("items[0][price]=x&items[0][colour]=red", "items[0][colour]"),
        ("payment_behavior=hope", "payment_behavior"),
        ("cancel_at_period_end=1", "cancel_at_period_end"),
    ],
)
def test_values_are_held_to_the_sdk(double: Running, body: str, param: str) -> None:
    answer = _post(double, "/v1/subscriptions", f"customer=cus_x&{body}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(("key", "status"), [("", 401), ("sk_live_x", 401), ("sk_test_x", 200)])
def test_only_test_keys_open_the_double(double: Running, key: str, status: int) -> None:
    answer = requests.get(
        double.url + "/v1/customers", headers={"Authorization": f"Bearer {key}"}, timeout=10
    )
    assert answer.status_code == status


def test_another_api_version_is_refused(double: Running) -> None:
    answer = _post(double, "/v1/customers", "", **{"Stripe-Version": "2020-08-27"})
    assert answer.status_code == 400


def test_lists_go_by_cursor_newest_first(v1: Any) -> None:
    made = [v1.customers.create({"email": "list@example.com"}).id for _ in range(5)]
    first = v1.customers.list({"email": "list@example.com", "limit": 2})
    assert [c.id for c in first.data] == made[:2:-1]
    assert first.has_more
    rest = v1.customers.list({"email": "list@example.com", "limit": 10, "starting_after": first.data[-1].id})
    assert [c.id for c in rest.data] == made[2::-1]
    assert not rest.has_more
    back = v1.customers.list({"email": "list@example.com", "limit": 2, "ending_before": made[1]})
    assert [c.id for c in back.data] == [made[3], made[2]]


def test_the_same_key_repeats_the_answer_and_refuses_another_body(v1: Any, double: Running) -> None:
    one = v1.customers.create({"email": "key@example.com"}, {"idempotency_key": "key-1"})
    two = v1.customers.create({"email": "key@example.com"}, {"idempotency_key": "key-1"})
    assert one.id == two.id
    answer = _post(double, "/v1/customers", "email=key%40example.com", **{"Idempotency-Key": "key-1"})
    assert answer.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        v1.customers.create({"email": "other@example.com"}, {"idempotency_key": "key-1"})


def test_a_key_under_way_is_a_conflict(double: Running) -> None:
    double.control("faults", kind="slow", path="/v1/customers", seconds=0)
    double.control("settings", latency=0.0)
    headers = {"Idempotency-Key": "key-2"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: _post(double, "/v1/customers", "email=p@example.com", **headers), range(8))
        )
    ids = {a.json()["id"] for a in answers if a.status_code == 200}
    assert len(ids) == 1
    assert {a.status_code for a in answers} <= {200, 409}


def test_a_key_is_forgotten_after_a_day(v1: Any, double: Running) -> None:
    one = v1.customers.create({"name": "Day"}, {"idempotency_key": "key-3"})
    double.control("time", skew=24 * 3600 + 5)
    two = v1.customers.create({"name": "Day"}, {"idempotency_key": "key-3"})
    double.control("time", skew=0)
    assert one.id != two.id


def test_a_saved_500_is_repeated_and_validation_is_not_saved(v1: Any, double: Running) -> None:
    double.control("faults", kind="error", status=500, saved=True, path="/v1/customers")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            v1.customers.create({"name": "Five"}, {"idempotency_key": "key-4"})
    assert v1.customers.create({"name": "Five"}, {"idempotency_key": "key-5"}).name == "Five"
    assert _post(double, "/v1/customers", "colour=red", **{"Idempotency-Key": "key-6"}).status_code == 400
    assert _post(double, "/v1/customers", "name=x", **{"Idempotency-Key": "key-6"}).status_code == 200


def test_a_lost_answer_is_repeated_by_the_sdk_with_its_key(double: Running) -> None:
    double.control("faults", kind="lost", path="/v1/customers", method="POST")
    client = double.new_client(retries=2)
    made = client.v1.customers.create({"email": "lost@example.com"})
    found = client.v1.customers.list({"email": "lost@example.com"})
    assert [c.id for c in found.data] == [made.id]


def test_429_and_slowness_by_order(v1: Any, double: Running) -> None:
    double.control("faults", kind="error", status=429, path="/v1/prices")
    with pytest.raises(stripe.RateLimitError):
        v1.prices.list({})
    double.control("faults", kind="slow", seconds=0.2, path="/v1/prices")
    began = time.monotonic()
    v1.prices.list({"limit": 1})
    assert time.monotonic() - began >= 0.2
    double.control("faults", kind="slow", seconds=1, path="/v1/prices")
    with pytest.raises(stripe.APIConnectionError):
        double.new_client(timeout=(1, 0.2)).v1.prices.list({"limit": 1})


def test_expansion_goes_four_levels_and_refuses_what_is_not_there(v1: Any, prices: Any) -> None:
    price = v1.prices.retrieve(prices.tiered, {"expand": ["tiers", "product", "currency_options"]})
    assert price.tiers[0].up_to == 10
    assert price.product.name == "Team"
    with pytest.raises(stripe.InvalidRequestError):
        v1.prices.retrieve(prices.team, {"expand": ["colour"]})
