"""A car that is traded in: reckoned, stopped where its history speaks against it, offered, approved, accepted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import text

from kehu.core import clock
from kehu.core.audit import batch_id
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import enable
from plugins_builtin.automotive.appraisal.services import AppraisalService

NAME, LINES = "automotive.appraisals", "automotive.appraisal_lines"
PAGE = "/x/automotive/appraisals"


@pytest.fixture
def dealer(shop: Shop) -> Shop:
    """A firm with the module, a customer with a car in the register, and a deal."""
    enable(shop, "automotive")
    return shop


@pytest.fixture
def deal(dealer: Shop) -> dict[str, str]:
    """A deal of a customer, with the customer."""
    with dealer.work() as session:
        anna = service_for("customers", session).create({"name": "Anna Berg", "kind": "person"})
        made = service_for("deals", session).create({"name": "New Golf", "customer_id": str(anna.id)})
        return {"deal_id": str(made.id), "customer_id": str(anna.id)}


def make(shop: Shop, deal_id: str, **values: Any) -> Any:
    with shop.work() as session:
        return service_for(NAME, session).create({"deal_id": deal_id, "odometer": 48_000, **values})


def change(shop: Shop, record_id: Any, actor: Any = None, **values: Any) -> Any:
    with shop.work(actor) as session:
        return service_for(NAME, session).update(record_id, values)


def test_the_sheet_follows_its_lines(dealer: Shop, deal: dict[str, str]) -> None:
    made = make(dealer, deal["deal_id"], name="Golf", margin="1500", transport="500", payoff="15000")
    with dealer.work() as session:
        lines = service_for(LINES, session)
        for name, kind, amount in (
            ("Ad 1", "comparable", "20000"),
            ("Ad 2", "comparable", "22000"),
            ("Tyres", "repair", "800"),
            ("Door", "repair", "1700"),
        ):
            line = lines.create({"appraisal_id": str(made.id), "name": name, "kind": kind, "amount": amount})
    record = change(dealer, made.id, allowance="18000", payoff_on=clock.today(dealer.tenant.tz).isoformat())
    assert (record.market, record.repairs, record.acv) == (2_100_000, 250_000, 1_650_000)
    assert (record.equity, record.over, record.customer_id) == (300_000, 150_000, record.customer_id)
    assert str(record.customer_id) == deal["customer_id"]
    with dealer.work() as session:
        service_for(LINES, session).trash(line.id)
        assert service_for(NAME, session).get(made.id).acv == 1_820_000
    client = dealer.client()
    with count_queries() as found:
        page = client.get(f"{PAGE}/{made.id}").get_data(as_text=True)
    assert len(found) <= 15
    assert "18,200" in page
    assert "Tyres" in page
    panel = client.get(f"{PAGE}/panel?deal_id={deal['deal_id']}").get_data(as_text=True)
    assert "Golf" in panel


def test_more_than_the_limit_needs_a_second_person(dealer: Shop, deal: dict[str, str]) -> None:
    seller, boss = dealer.member("manager", "Seller"), dealer.member("manager", "Boss")
    with dealer.work(seller) as session:
        made = service_for(NAME, session).create(
            {"deal_id": deal["deal_id"], "odometer": 48_000, "market": "16500", "allowance": "18000"}
        )
    with pytest.raises(InvalidInput, match="Somebody else") as refused:
        change(dealer, made.id, seller, state="offered")
    assert "allowance" in refused.value.fields
    answer = dealer.client(seller).post(
        f"{PAGE}/{made.id}/state", data={"state": "offered", "version": made.version}
    )
    assert answer.status_code == 422
    assert "Somebody else must approve" in answer.get_data(as_text=True)
    with dealer.work(seller) as session, pytest.raises(Forbidden, match="Somebody else"):
        AppraisalService(session, seller).approve(made.id)
    with dealer.work(dealer.member("member")) as session, pytest.raises(Forbidden):
        AppraisalService(session).approve(made.id)
    assert dealer.client(boss).post(f"{PAGE}/{made.id}/approve").status_code == 303
    record = change(dealer, made.id, seller, state="offered")
    assert record.valid_until == clock.today(dealer.tenant.tz) + dt.timedelta(days=7)
    # Another figure is another offer.
    record = change(dealer, made.id, seller, allowance="19000")
    assert (record.state, record.approved_by, record.valid_until) == ("draft", None, None)


def test_a_lender_is_asked_again(dealer: Shop, deal: dict[str, str]) -> None:
    today = clock.today(dealer.tenant.tz)
    made = make(dealer, deal["deal_id"], market="16500", allowance="16000", payoff="15000")
    for said_on in (None, today - dt.timedelta(days=11)):
        change(dealer, made.id, payoff_on=said_on and said_on.isoformat())
        with pytest.raises(InvalidInput, match="Ask the lender") as refused:
            change(dealer, made.id, state="offered")
        assert "payoff_on" in refused.value.fields
    change(dealer, made.id, payoff_on=(today - dt.timedelta(days=10)).isoformat(), state="offered")


def test_an_offer_runs_out(dealer: Shop, deal: dict[str, str]) -> None:
    made = make(dealer, deal["deal_id"], market="16500", allowance="16000")
    with pytest.raises(InvalidInput, match="Offer it first"):
        change(dealer, made.id, state="accepted")
    change(dealer, made.id, state="offered")
    with pytest.raises(InvalidInput, match="more than 500 km"):
        change(dealer, made.id, state="accepted", handed_over_km=48_501)
    with dealer.work() as session:
        session.execute(
            text("UPDATE p_automotive.appraisals SET valid_until = '2020-01-01' WHERE tenant_id = :t"),
            {"t": dealer.tenant.id},
        )
    with pytest.raises(InvalidInput, match="run out"):
        change(dealer, made.id, state="accepted")
    change(dealer, made.id, allowance="16100")
    change(dealer, made.id, state="offered")
    change(dealer, made.id, state="accepted", handed_over_km=48_400)
    with pytest.raises(Conflict, match="closed"):
        change(dealer, made.id, allowance="17000")
    assert change(dealer, made.id, fate="retail", sold_for="17500").sold_for == 1_750_000


def test_its_history_stops_it(dealer: Shop, deal: dict[str, str]) -> None:
    with dealer.work() as session:
        other = service_for("customers", session).create({"name": "Harbour Taxis"})
        vehicles = service_for("automotive.vehicles", session)
        theirs = {"make": "VW", "model": "Golf", "plate": "AB12CDE", "odometer": 60_000}
        vehicles.create({**theirs, "customer_id": str(other.id)})
    with pytest.raises(InvalidInput) as refused:
        make(dealer, deal["deal_id"], plate="ab12 cde", odometer=61_000)
    assert "another customer" in refused.value.fields["plate"][0]
    with pytest.raises(InvalidInput) as refused:
        make(dealer, deal["deal_id"], plate="ab12 cde", owner_reason="Bought last week, papers seen")
    assert "60,000 km" in refused.value.fields["odometer"][0]
    made = make(
        dealer,
        deal["deal_id"],
        plate="ab12 cde",
        owner_reason="Bought last week, papers seen",
        odometer_reason="New clock, bill seen",
    )
    assert (made.plate, made.vehicle_id is not None) == ("AB12CDE", True)


def test_a_debt_is_said_before_any_rate(dealer: Shop, deal: dict[str, str]) -> None:
    make(dealer, deal["deal_id"], market="16500", allowance="16000", payoff="18000")
    panel = dealer.client().get(f"{PAGE}/panel?deal_id={deal['deal_id']}").get_data(as_text=True)
    assert "2,000" in panel
    assert "before any monthly rate" in panel


def test_an_approval_holds_for_the_figures_that_were_seen(dealer: Shop, deal: dict[str, str]) -> None:
    seller, boss = dealer.member("manager", "Seller"), dealer.member("manager", "Boss")
    with dealer.work(seller) as session:
        made = service_for(NAME, session).create(
            {"deal_id": deal["deal_id"], "odometer": 48_000, "market": "16500", "allowance": "18000"}
        )
    with dealer.work(boss) as session:
        AppraisalService(session).approve(made.id)
    change(dealer, made.id, seller, description="Seen by the boss")
    with pytest.raises(InvalidInput, match="Somebody else must approve"):
        change(dealer, made.id, seller, allowance="30000", state="offered")
    record = change(dealer, made.id, seller, allowance="30000")
    assert (record.state, record.approved_by) == ("draft", None)
    with pytest.raises(InvalidInput, match="Somebody else must approve"):
        change(dealer, made.id, seller, state="offered")


def test_an_approval_is_taken_back_by_undo(dealer: Shop, deal: dict[str, str]) -> None:
    made = make(dealer, deal["deal_id"], market="16500", allowance="18000")
    boss = dealer.member("manager", "Boss")
    with dealer.work(boss) as session:
        AppraisalService(session).approve(made.id)
        batch = batch_id(session)
    with dealer.work(boss) as session:
        undo_batch(session, batch)
    with dealer.work() as session:
        assert service_for(NAME, session).get(made.id).approved_by is None


def test_an_appraisal_is_in_the_currency_of_its_deal(dealer: Shop, deal: dict[str, str]) -> None:
    with dealer.work() as session:
        service_for("deals", session).update(deal["deal_id"], {"currency": "CHF"})
    assert make(dealer, deal["deal_id"], allowance="100").currency == "CHF"


def test_the_limit_holds_in_the_currency_of_the_firm_alone(dealer: Shop, deal: dict[str, str]) -> None:
    given = {"market": "16500", "allowance": "16501"}
    with dealer.work() as session:
        assert not AppraisalService(session).needs_approval(make(dealer, deal["deal_id"], **given))
        service_for("deals", session).update(deal["deal_id"], {"currency": "JPY"})
    abroad = make(dealer, deal["deal_id"], **given)
    with dealer.work() as session:
        assert AppraisalService(session).needs_approval(abroad)
