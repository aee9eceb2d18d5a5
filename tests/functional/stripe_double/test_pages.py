"""The stand-in pages: Checkout, portal, 3-D Secure, hosted invoice."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.functional.stripe_double.conftest import DAY, Firm, Prices
from tests.stripe_double.process import Running

BACK = "https://kehu.example/back?s={CHECKOUT_SESSION_ID}"


def _session(v1: Any, firm: Firm, prices: Prices, **more: Any) -> Any:
    base = {
        "mode": "subscription",
        "customer": firm.id,
        "success_url": BACK,
        "cancel_url": "https://kehu.example/no",
    }
    return v1.checkout.sessions.create(base | {"line_items": [{"price": prices.team, "quantity": 4}]} | more)


def test_checkout_makes_the_subscription_and_comes_back(
    v1: Any, double: Running, firm: Firm, prices: Prices
) -> None:
    session = _session(
        v1, firm, prices, client_reference_id="tenant", subscription_data={"metadata": {"a": "b"}}
    )
    assert (session.status, session.amount_total, session.payment_status) == ("open", 4000, "unpaid")
    assert "4000 EUR" in requests.get(session.url, timeout=10).text
    answer = double.press(session.url, card="pm_card_visa", act="pay", country="DE")
    assert answer.headers["Location"] == BACK.replace("{CHECKOUT_SESSION_ID}", session.id)
    done = v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items"]})
    assert (done.status, done.payment_status, done.subscription.status) == ("complete", "paid", "active")
    assert done.subscription.metadata.to_dict() == {"a": "b"}
    assert done.line_items.data[0].quantity == 4
    assert requests.get(session.url, timeout=10).status_code in (404, 410)
    assert "checkout.session.completed" in firm.events()


def test_a_declined_card_keeps_the_page_open(v1: Any, double: Running, firm: Firm, prices: Prices) -> None:
    session = _session(v1, firm, prices)
    refused = double.press(session.url, card="pm_card_chargeCustomerFail", act="pay")
    assert (refused.status_code, "declined" in refused.text) == (402, True)
    assert v1.checkout.sessions.retrieve(session.id).status == "open"
    assert v1.subscriptions.list({"customer": firm.id, "status": "all"}).data == []
    assert double.press(session.url, card="pm_card_visa", act="pay").status_code == 303
    assert len(v1.subscriptions.list({"customer": firm.id, "status": "all"}).data) == 1
    assert firm.subscription.status == "active"


@pytest.mark.parametrize(("act", "status"), [("complete", "complete"), ("fail", "open")])
def test_checkout_with_3d_secure(
    v1: Any, double: Running, firm: Firm, prices: Prices, act: str, status: str
) -> None:
    session = _session(v1, firm, prices)
    bank = double.press(session.url, card="pm_card_threeDSecure2Required", act="pay").headers["Location"]
    assert "3-D Secure" in requests.get(bank, timeout=10).text
    double.press(bank, act=act)
    assert v1.checkout.sessions.retrieve(session.id).status == status


def test_a_session_expires(v1: Any, double: Running, firm: Firm, prices: Prices) -> None:
    by_hand = v1.checkout.sessions.expire(_session(v1, firm, prices).id)
    assert by_hand.status == "expired"
    session = _session(v1, firm, prices)
    double.control("time", skew=DAY + 10)
    double.control("time", skew=0)
    assert v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert double.press(session.url, card="pm_card_visa", act="pay").status_code == 410


def test_checkout_makes_the_customer_when_there_is_none(v1: Any, double: Running, prices: Prices) -> None:
    asked = {
        "mode": "subscription",
        "success_url": BACK,
        "line_items": [{"price": prices.team, "quantity": 1}],
    }
    session = v1.checkout.sessions.create(asked)
    double.press(session.url, card="pm_card_visa", act="pay", email="new@example.com")
    done = v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert done.customer.email == "new@example.com"


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_authenticationRequiredOnSetup"])
def test_setup_mode_saves_a_card(v1: Any, double: Running, firm: Firm, card: str) -> None:
    asked = {"mode": "setup", "currency": "eur", "customer": firm.id, "success_url": BACK}
    session = v1.checkout.sessions.create(asked)
    assert double.press(session.url, card="pm_card_chargeDeclined", act="pay").status_code == 402
    answer = double.press(session.url, card=card, act="pay")
    if "authenticate" in answer.headers["Location"]:
        double.press(answer.headers["Location"], act="complete")
    done = v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (done.status, done.setup_intent.status) == ("complete", "succeeded")
    assert v1.customers.payment_methods.list(firm.id).data[0].id == done.setup_intent.payment_method


def test_the_portal_changes_card_and_tax_id(v1: Any, double: Running, firm: Firm) -> None:
    portal = v1.billing_portal.sessions.create(
        {"customer": firm.id, "return_url": "https://kehu.example/billing"}
    )
    assert "kehu.example/billing" in requests.get(portal.url, timeout=10).text
    double.press(portal.url, act="pay", card="pm_card_mastercard")
    double.press(portal.url, act="tax", type="eu_vat", value="DE123456789")
    found = v1.customers.retrieve(firm.id, {"expand": ["invoice_settings.default_payment_method", "tax_ids"]})
    assert found.invoice_settings.default_payment_method.card.brand == "mastercard"
    assert found.tax_ids.data[0].value == "DE123456789"
    assert "already" not in double.press(portal.url, act="tax", type="eu_vat", value="x").text


def test_the_hosted_invoice_takes_a_payment(v1: Any, double: Running, firm: Firm, prices: Prices) -> None:
    firm.card("pm_card_visa")
    firm.subscribe(prices.team)
    firm.card("pm_card_authenticationRequired")
    firm.renew()
    assert firm.subscription.status == "past_due"
    assert "invoice.payment_action_required" in firm.events()
    page = firm.invoices[0].hosted_invoice_url
    assert double.press(page, card="pm_card_chargeCustomerFail").status_code == 402
    bank = double.press(page, card="pm_card_threeDSecure2Required").headers["Location"]
    double.press(bank, act="complete")
    assert (firm.subscription.status, firm.invoices[0].status) == ("active", "paid")
    assert requests.get(firm.invoices[0].invoice_pdf, timeout=10).content.startswith(b"%PDF")
