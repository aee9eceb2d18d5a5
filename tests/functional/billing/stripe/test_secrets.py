"""Case 76: whatever happens between a firm, Stripe and us, no log holds a secret, a card, a payload or a person."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from flask import Flask
from sqlalchemy import text

from billing.accounts import AccountService
from billing.refunds import RefundService
from billing.stripe import inbox, sync
from billing.stripe.gateway import Gateway
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION, Declined, Unanswered
from kehu.core import clock, context, db
from kehu.core.errors import Conflict
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop
from tests.functional.billing.stripe.conftest import SECRET, Firm, event, post, sign
from tests.functional.billing.stripe.steps import begin, buy, newcomer, run, seats
from tests.stripe_double.process import KEY, Running

LOGGERS = (
    "",
    "billing",
    "kehu",
    "tenants",
    "plugins",
    "stripe",
    "urllib3",
    "requests",
    "httpx",
    "procrastinate",
)
MARK = "a-sentence-of-the-body"
PERSON = ("owner@example.com", "Nadeschda Werft", "Hafenstrasse 12", "FRAB222222222")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Take down what all loggers say, whatever their level."""
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    found = [logging.getLogger(name) for name in LOGGERS]
    before = [(one, one.level) for one in found]
    for one in found:
        one.setLevel(logging.DEBUG)
    found[0].addHandler(handler)
    with contextlib.redirect_stderr(kept), contextlib.redirect_stdout(kept):
        yield kept
    found[0].removeHandler(handler)
    for one, level in before:
        one.setLevel(level)


@pytest.fixture
def firm(app: Flask, gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    app.extensions[EXTENSION] = StripeProvider(gateway)
    made = newcomer(gateway, double, shop, price)
    with shop.work() as session:
        account = AccountService(session).lock()
        account.country, account.trial_ends_at = "FR", clock.now() - dt.timedelta(days=1)
        AccountService(session).set_details(
            {"legal_name": PERSON[1], "address": PERSON[2], "invoice_email": PERSON[0], "tax_id": PERSON[3]}
        )
    return made


def _hooks(firm: Firm) -> None:
    """Deliver what is believed and what is not."""
    obj = {"object": "customer", "id": firm.customer, "email": PERSON[0], "description": MARK}
    given = event("customer.updated", obj)
    assert post(firm.shop.app, given).status_code == 200
    body = MARK.encode()
    for header in (None, "", "t=1,v1=no", sign(body, "whsec_other")):
        assert post(firm.shop.app, body if header is not None else b"[]", header).status_code == 400
    assert post(firm.shop.app, given, secret="whsec_other").status_code == 400
    lone = event("charge.dispute.created", obj | {"object": "dispute", "charge": "ch_none"})
    assert post(firm.shop.app, lone).status_code == 200


def _failures(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Stripe refuse, be silent and answer oddly, and our own code break."""
    firm.double.control("faults", kind="cut", times=0, path="/v1/")
    with pytest.raises(Unanswered):
        run(firm, seats(firm, 6))
    firm.double.control("faults", clear=True)
    with pytest.raises(Declined):
        firm.gateway.customer_of_charge("ch_none")
    with pytest.raises(stripe.StripeError):
        firm.gateway.api.customers.create({"email": PERSON[0], "unknown": MARK})
    for breaks in (_of_shape, _of_database):
        with monkeypatch.context() as patched:
            patched.setattr(sync.mirror, "converge", breaks)
            firm.deliver("invoice.paid")
            with firm.shop.app.app_context(), db.unit_of_work(tenant=None) as session:
                sync.want(session, firm.customer)
            assert firm.bring_up() == "later"
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "take_in", _not_stored)
        obj = {"object": "customer", "id": firm.customer, "description": MARK}
        assert post(firm.shop.app, event("customer.updated", obj)).status_code == 500


def _not_stored(event: Any, body: str, *, live: bool) -> str:
    raise ValueError(f"{body} {live}")


def _of_shape(_session: Any, snapshot: Any) -> None:
    raise ValueError(f"{MARK}: {snapshot}")


def _of_database(session: Any, _snapshot: Any) -> None:
    session.execute(text("SELECT CAST(:value AS integer)"), {"value": PERSON[0]})


def test_case_76_no_secret_card_payload_or_person_in_logs(
    firm: Firm, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(firm, 2)
    assert run(firm, seats(firm, 3)) == "done"
    declined = firm.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": firm.customer}).id
    live = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
    firm.v1.subscriptions.update(live.id, {"default_payment_method": declined})
    with contextlib.suppress(Conflict):
        run(firm, seats(firm, 5))
    card = begin(firm, lambda service: service.card("https://kehu.example/back"))
    run(firm, card)
    with firm.shop.work(context.SYSTEM) as session:
        service, asked = RefundService(session), new_id()
        service.refund(service.invoice(_first(firm)), 100, PERSON[1], request_id=asked)
    run(firm, asked)
    _hooks(firm)
    _failures(firm, monkeypatch)
    firm.shop.client().get("/settings/billing")
    said = written.getvalue()
    assert "billing" in said
    assert len(said) > 1_000
    hidden = {KEY, SECRET, "whsec_other", MARK, *PERSON, *_client_secrets(firm)}
    hidden |= {"4242424242424242", "client_secret", '"object": "customer"', "'object': 'customer'"}
    found = {one: line[:300] for one in hidden for line in said.splitlines() if one in line}
    assert found == {}


def _first(firm: Firm) -> str:
    paid = firm.v1.invoices.list({"customer": firm.customer, "status": "paid", "limit": 100}).data
    return str(next(one.id for one in paid if one.amount_paid))


def _client_secrets(firm: Firm) -> set[str]:
    intents: list[Any] = firm.v1.payment_intents.list({"customer": firm.customer}).data
    found = {str(one.client_secret) for one in intents}
    assert found
    return found
