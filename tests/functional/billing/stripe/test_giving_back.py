"""Case 64: refunds, credit notes and disputes at Stripe, each carried out once and shown to the firm."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from billing.accounts import AccountService
from billing.models import CreditNote, Dispute, Invoice, Refund
from billing.refunds import Given, RefundService
from billing.stripe import execution, sync
from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.operations import OperationService
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION, Unanswered
from kehu.core import context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.ids import new_id
from tests.functional.billing.stripe.conftest import Firm, event
from tests.stripe_double.process import Running

NOTES = r"^/v1/credit_notes"


@pytest.fixture
def firm(app: Flask, gateway: Gateway, double: Running, firm: Firm) -> Firm:
    """A firm that has paid 3 seats."""
    app.extensions[EXTENSION] = StripeProvider(gateway)
    firm.subscribe(3)
    firm.deliver("invoice.paid")
    assert firm.bring_up() == "done"
    return firm


def give(firm: Firm, kind: str, amount: int | None, request_id: uuid.UUID, reason: str = "goodwill") -> Given:
    """Ask as the operator does."""
    with firm.shop.work(context.SYSTEM) as session:
        service = RefundService(session)
        invoice = session.execute(select(Invoice).where(Invoice.total > 0)).scalar_one()
        ask = service.refund if kind == "refund" else service.credit
        return ask(invoice, amount, reason, request_id=request_id)


def run(firm: Firm, request_id: uuid.UUID) -> str:
    with firm.shop.app.app_context(), context.use(tenant=firm.shop.tenant, actor=context.SYSTEM):
        return execution.run(StripeProvider(firm.gateway), request_id)


def rows(firm: Firm, model: Any, *names: str) -> list[tuple[Any, ...]]:
    with firm.shop.work() as session:
        found = session.execute(select(model).order_by(model.made_at)).scalars()
        return [tuple(getattr(one, name) for name in names) for one in found]


def test_case_64_a_refund_is_made_once_and_changes_no_access(firm: Firm) -> None:
    asked = new_id()
    before = firm.account()
    assert give(firm, "refund", 1000, asked).state == "pending"
    assert give(firm, "refund", 1000, asked).state == "pending"
    assert (run(firm, asked), run(firm, asked), give(firm, "refund", 1000, asked).state) == ("done",) * 3
    assert rows(firm, CreditNote, "total", "refunded", "reason") == [(1000, 1000, "goodwill")]
    assert rows(firm, Refund, "amount", "status", "currency") == [(1000, "succeeded", "EUR")]
    after = firm.account()
    assert (after.phase, after.seats_cap, firm.mirror()) == (
        before.phase,
        before.seats_cap,
        [("active", 3, True)],
    )
    page = firm.shop.client().get("/settings/billing").get_data(as_text=True)
    assert "Credit note on" in page
    assert "Paid back" in page
    assert re.search(r"[-\N{MINUS SIGN}]\s*€\s*10", re.sub(r"<[^>]+>", "", page))
    with firm.shop.work() as session:
        said = session.execute(select(AuditEntry.changes).where(AuditEntry.action == "refund")).scalar_one()
    assert (said["amount"][1], said["reason"][1]) == ("€10.00", "goodwill")


@pytest.mark.parametrize("fault", ["lost", "killed", "saved"])
def test_case_64_a_refund_whose_answer_is_lost_is_paid_once(
    firm: Firm, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = new_id()
    give(firm, "refund", 1000, asked)
    if fault == "killed":
        with monkeypatch.context() as patched:
            patched.setattr(
                execution, "_end", lambda *_args, **_more: (_ for _ in ()).throw(KeyboardInterrupt)
            )
            with pytest.raises(KeyboardInterrupt):
                run(firm, asked)
    elif fault == "lost":
        firm.double.control("faults", kind="lost", times=0, path=NOTES, method="POST")
        with pytest.raises(Unanswered):
            run(firm, asked)
        firm.double.control("faults", clear=True)
    else:
        firm.double.control(
            "faults", kind="error", status=500, saved=True, effect=True, path=NOTES, method="POST"
        )
    assert run(firm, asked) == "done"
    assert rows(firm, Refund, "amount") == [(1000,)]


def owed(firm: Firm) -> Invoice:
    """Let more seats be charged to a card that fails, and return the invoice that stays open."""
    card = firm.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": firm.customer}).id
    firm.v1.customers.update(firm.customer, {"invoice_settings": {"default_payment_method": card}})
    item = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]["items"].data[0]
    change = {"items": [{"id": item.id, "quantity": 5}], "proration_behavior": "always_invoice"}
    firm.v1.subscriptions.update(item.subscription, change)
    firm.deliver("invoice.payment_failed")
    assert firm.bring_up() == "done"
    with firm.shop.work() as session:
        return session.execute(select(Invoice).where(Invoice.status == "open")).scalar_one()


def test_case_64_a_credit_on_an_open_invoice_reduces_it_and_all_of_it_pays_it(firm: Firm) -> None:
    first = owed(firm)
    assert first.due == first.total > 0
    for part, left in ((100, first.total - 100), (None, 0)):
        asked = new_id()
        with firm.shop.work(context.SYSTEM) as session:
            service = RefundService(session)
            invoice = service.invoice(first.number)
            with pytest.raises(InvalidInput) as refused:
                service.refund(invoice, 1, "no", request_id=new_id())
            assert "can be paid back" in refused.value.fields["amount"][0]
            service.credit(invoice, part, "late", request_id=asked)
        assert run(firm, asked) == "done"
        with firm.shop.work(context.SYSTEM) as session:
            found = RefundService(session).invoice(first.number)
            assert (found.due, found.status) == (left, "open" if left else "paid")


def test_case_64_never_more_than_is_left_and_never_without_a_reason(firm: Firm) -> None:
    with firm.shop.work(context.SYSTEM) as session:
        service = RefundService(session)
        invoice = session.execute(select(Invoice)).scalar_one()
        assert (service.left(invoice).credit, service.left(invoice).refund) == (4200, 4200)
        for amount, reason, field in (
            (4201, "x", "amount"),
            (0, "x", "amount"),
            (-5, "x", "amount"),
            (1, " ", "reason"),
        ):
            with pytest.raises(InvalidInput) as refused:
                service.refund(invoice, amount, reason, request_id=new_id())
            assert set(refused.value.fields) == {field}
    first, second = new_id(), new_id()
    give(firm, "credit", 4000, first)
    with pytest.raises(Conflict, match="Try again in a minute"):
        give(firm, "refund", 100, second)
    assert run(firm, first) == "done"
    assert firm.v1.customers.retrieve(firm.customer).balance == -4000
    with pytest.raises(InvalidInput):
        give(firm, "refund", 201, second)
    give(firm, "refund", None, second)
    assert run(firm, second) == "done"
    assert rows(firm, Refund, "amount") == [(200,)]


def test_case_64_members_give_nothing_back_and_take_no_place(firm: Firm) -> None:
    with firm.shop.work() as session, pytest.raises(Forbidden):
        RefundService(session)
    give(firm, "refund", 100, new_id())
    with firm.shop.work() as session, pytest.raises(Conflict):
        OperationService(session).cancel()


# --- disputes --------------------------------------------------------------------------------------------------------


def dispute(firm: Firm) -> Any:
    charge = firm.v1.charges.list({"customer": firm.customer}).data[0].id
    return firm.double.control("dispute", charge=charge)


def told(firm: Firm, kind: str, found: Any, times: int = 1) -> None:
    """Let the inbox take events in that name only the charge, and the worker find whose it is."""
    for _turn in range(times):
        given = event(kind, {"object": "dispute", "id": found["id"], "charge": found["charge"]})
        assert firm.deliver(kind, given["data"]["object"], id=given["id"]).text == "parked"
        with firm.shop.app.app_context():
            sync.place(firm.gateway, given["id"], found["charge"])
        assert firm.bring_up() == "done"
        assert firm.state(given["id"]) == "done"


def held(firm: Firm) -> list[str]:
    with firm.shop.work() as session:
        found = session.execute(select(AuditEntry).where(AuditEntry.action == "held")).scalars()
        return [one.changes["reason"][1] for one in found]


def test_case_64_a_dispute_holds_the_firm_once_until_an_operator_lets_go(firm: Firm) -> None:
    found = dispute(firm)
    told(firm, "charge.dispute.created", found, times=3)
    assert firm.account().phase == "held"
    assert held(firm) == [f"dispute {found['id']}"]
    with firm.shop.work(context.SYSTEM) as session:
        AccountService(session).release("the bank was wrong")
    told(firm, "charge.dispute.updated", found, times=2)
    assert (firm.account().phase, len(held(firm))) == ("active", 1)
    firm.double.control("dispute", dispute=found["id"], status="won")
    told(firm, "charge.dispute.closed", found)
    assert (firm.account().phase, firm.mirror()) == ("active", [("active", 3, True)])


def test_case_64_a_dispute_that_is_won_is_still_the_operators_to_release(firm: Firm) -> None:
    found = dispute(firm)
    told(firm, "charge.dispute.created", found)
    firm.double.control("dispute", dispute=found["id"], status="won")
    told(firm, "charge.dispute.closed", found)
    assert firm.account().phase == "held"


def ends(firm: Firm) -> list[uuid.UUID]:
    with firm.shop.work() as session:
        return list(session.execute(select(Operation.id).where(Operation.kind == "end")).scalars())


def test_case_64_a_lost_dispute_ends_the_subscription_once(firm: Firm) -> None:
    found = dispute(firm)
    firm.double.control("dispute", dispute=found["id"], status="lost")
    told(firm, "charge.dispute.closed", found, times=3)
    asked = ends(firm)
    assert len(asked) == 1
    assert [run(firm, asked[0]) for _turn in range(2)] == ["done", "done"]
    told(firm, "charge.dispute.funds_withdrawn", found, times=2)
    assert (ends(firm), firm.mirror(), firm.account().phase) == (asked, [("canceled", 3, False)], "held")
    with firm.shop.work(context.SYSTEM) as session:
        assert AccountService(session).release("they paid by bank").phase.value == "ended"


def test_case_64_a_loss_waits_for_what_is_under_way_and_supersedes_what_is_not(firm: Firm) -> None:
    waiting = new_id()
    give(firm, "credit", 100, waiting)
    found = dispute(firm)
    firm.double.control("dispute", dispute=found["id"], status="lost")
    told(firm, "charge.dispute.closed", found)
    assert ends(firm) == []
    assert run(firm, waiting) == "done"
    assert len(ends(firm)) == 1
    assert rows(firm, Dispute, "status") == [("lost",)]
