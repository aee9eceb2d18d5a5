"""Webhooks of the double: what it signs passes the SDK's check, and faults spoil exactly what they say."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from tests.functional.stripe_double.conftest import Inbox
from tests.stripe_double.process import Running


def _create(v1: Any, double: Running, name: str) -> str:
    made = v1.customers.create({"name": name}).id
    assert double.control("idle")["idle"]
    return str(made)


def _kinds(inbox: Inbox) -> list[str]:
    return [json.loads(body)["type"] for body, _ in inbox.got]


def test_a_delivery_passes_the_sdks_check(v1: Any, double: Running, inbox: Inbox) -> None:
    made = _create(v1, double, "Signed")
    body, header = inbox.got[0]
    event = stripe.Webhook.construct_event(body, header, "whsec_a")
    assert (event.type, event.data.object.id) == ("customer.created", made)
    assert event.api_version == stripe.api_version
    assert v1.events.retrieve(event.id).to_dict() == json.loads(body)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, "whsec_other")


def test_two_secrets_while_one_is_rolled(v1: Any, double: Running, inbox: Inbox) -> None:
    double.control("endpoint", url=inbox.url, secrets=["whsec_old", "whsec_new"])
    _create(v1, double, "Rolled")
    body, header = inbox.got[0]
    for secret in ("whsec_old", "whsec_new"):
        assert stripe.Webhook.construct_event(body, header, secret)


def test_a_refused_delivery_is_tried_again(v1: Any, double: Running, inbox: Inbox) -> None:
    inbox.answers = [500, 302]
    _create(v1, double, "Retried")
    assert _kinds(inbox) == ["customer.created"] * 3
    assert len({body for body, _ in inbox.got}) == 1


def test_previous_attributes_hold_what_changed(v1: Any, double: Running, inbox: Inbox) -> None:
    made = _create(v1, double, "Before")
    v1.customers.update(made, {"name": "After"})
    double.control("idle")
    data = json.loads(inbox.got[-1][0])["data"]
    assert data["previous_attributes"] == {"name": "Before"}
    assert data["object"]["name"] == "After"


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ({"kind": "drop"}, 0),
        ({"kind": "double", "copies": 3}, 3),
        ({"kind": "delay", "seconds": 0.2}, 1),
    ],
)
def test_faults_of_delivery(
    v1: Any, double: Running, inbox: Inbox, fault: dict[str, Any], count: int
) -> None:
    double.control("faults", type="customer.created", **fault)
    _create(v1, double, "Fault")
    assert _kinds(inbox) == ["customer.created"] * count


def test_reordered(v1: Any, double: Running, inbox: Inbox) -> None:
    double.control("faults", kind="reorder", type="customer.created")
    made = _create(v1, double, "First")
    assert inbox.got == []
    v1.customers.update(made, {"name": "Second"})
    double.control("idle")
    assert _kinds(inbox) == ["customer.updated", "customer.created"]


@pytest.mark.parametrize(
    ("fault", "refused"),
    [({"kind": "secret", "secret": "whsec_b"}, True), ({"kind": "old_time", "seconds": -400}, True)],
)
def test_bad_signatures(v1: Any, double: Running, inbox: Inbox, fault: dict[str, Any], refused: bool) -> None:
    double.control("faults", **fault)
    _create(v1, double, "Bad")
    body, header = inbox.got[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, "whsec_a")


def test_other_versions_live_events_and_strange_bodies(v1: Any, double: Running, inbox: Inbox) -> None:
    double.control("faults", kind="api_version", value="2020-08-27")
    _create(v1, double, "Old")
    double.control("faults", kind="livemode")
    _create(v1, double, "Live")
    double.control("faults", kind="body", text="[1]")
    _create(v1, double, "Strange")
    old, live, strange = (json.loads(body) for body, _ in inbox.got)
    assert (old["api_version"], live["livemode"], strange) == ("2020-08-27", True, [1])


def test_an_event_can_be_sent_again(v1: Any, double: Running, inbox: Inbox) -> None:
    _create(v1, double, "Again")
    event = json.loads(inbox.got[0][0])["id"]
    double.control("resend", event=event, copies=3)
    double.control("idle")
    assert _kinds(inbox) == ["customer.created"] * 4


def test_an_endpoint_made_by_the_api_gets_what_it_asked_for(v1: Any, double: Running, inbox: Inbox) -> None:
    made = v1.webhook_endpoints.create({"url": inbox.url, "enabled_events": ["product.created"]})
    double.control("endpoint", url=inbox.url, secrets=["whsec_a"], kinds=["none"])
    v1.products.create({"name": "Wanted"})
    _create(v1, double, "Unwanted")
    v1.webhook_endpoints.delete(made.id)
    assert _kinds(inbox) == ["product.created"]
    assert stripe.Webhook.construct_event(*inbox.got[0], made.secret)
