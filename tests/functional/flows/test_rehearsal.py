"""The rehearsal on the past says what would have run, and is what really runs."""

import datetime as dt

import pytest
from sqlalchemy import func, select, text

from kehu.core import clock
from kehu.core.audit import AuditEntry
from kehu.core.records.service import service_for
from kehu.flows import rehearsal
from kehu.flows.models import Flow, FlowRun
from kehu.flows.services import FlowService


def rehearsed(shop, flow, actor=None):
    with shop.work(actor) as session:
        return rehearsal.rehearse(session, session.get(Flow, (shop.tenant.id, flow)))


def written(shop):
    with shop.work() as session:
        return [
            session.execute(select(func.count()).select_from(one)).scalar_one()
            for one in (AuditEntry, FlowRun)
        ]


def history(desk):
    """Ten deals with a past: some met the condition once and do not now, or the other way round."""
    deals = [desk.make("deals", name=f"Deal {at}", amount=str(at * 100)) for at in range(10)]
    desk.work(twice=False)
    for at, deal in enumerate(deals):
        if at % 2:
            desk.change("deals", deal, amount=str(at * 100 + 450), source="Fair")
            desk.work(twice=False)
        if at % 3 == 0:
            desk.change("deals", deal, amount="1", name=f"Small {at}")
            desk.work(twice=False)
        desk.change("deals", deal, description=f"Text {at}")
        desk.work(twice=False)
    return deals


@pytest.mark.parametrize(
    ("trigger", "field", "condition", "how"),
    [
        ("created", "", "", "was"),
        ("created", "", "amount.gte:400", "was"),
        ("changed", "", "amount.gte:400", "was"),
        ("changed", "amount", "amount.lte:500", "was"),
        ("changed", "amount", "or(source:Fair,amount.lte:100)", "was"),
        ("changed", "description", "source.ne:Fair", "was"),
        ("changed", "name", "or(tags:vip,amount.lte:1)", "was"),
        ("created", "", "and(amount.gte:300,owner_id:me)", "was"),
    ],
)
def test_what_it_says_is_what_really_runs(shop, desk, trigger, field, condition, how):
    values = {"trigger": trigger, "field": field, "condition": condition}
    wait = {"do": "wait", "days": 300}
    live = desk.flow(wait, **values)
    history(desk)
    ran = desk.runs(live)
    trial = desk.flow(wait, **{**values, "active": False})
    found = rehearsed(shop, trial)
    assert found.how == how
    assert found.events == len(ran) > 0
    assert found.count == len({run.record_id for run in ran}) == len(found.first)
    assert {one for one, _name in found.first} == {run.record_id for run in ran}


def test_nothing_is_written_and_nothing_foreign_is_counted(shop, other_shop, desk):
    history(desk)
    with other_shop.work() as session:
        service_for("deals", session).create({"name": "Foreign", "amount": "900"})
    flow = desk.flow(active=False)
    before = written(shop)
    assert rehearsed(shop, flow).count == 10
    assert written(shop) == before
    member = shop.member("admin", "Own")
    assert rehearsed(shop, flow, member).count == 10


def test_what_the_trail_cannot_tell_is_asked_of_today_and_said(shop, desk):
    customer = desk.make("customers", name="Anna")
    desk.make("deals", name="With", amount="100", customer_id=str(customer))
    desk.make("deals", name="Without", amount="100")
    for condition in ("customer(q:Anna)", "q:With", "expected_close:today"):
        flow = desk.flow(active=False, condition=condition)
        found = rehearsed(shop, flow)
        assert found.how == "now", condition
    assert found.count == 0
    client = shop.client()
    page = client.get(f"/settings/workflows/{flow}/rehearse").get_data(as_text=True)
    assert "as they are today" in page
    asked = desk.flow(active=False, condition="amount.gte:1")
    page = client.get(f"/settings/workflows/{asked}/rehearse").get_data(as_text=True)
    assert "as it was at that moment" in page
    assert "With" in page


def test_days_and_silence_are_counted_by_today(shop, desk):
    today = clock.today(shop.tenant.tz)
    near = desk.make("deals", name="Near", expected_close=(today - dt.timedelta(days=10)).isoformat())
    desk.make("deals", name="Long ago", expected_close=(today - dt.timedelta(days=200)).isoformat())
    desk.make("deals", name="To come", expected_close=(today + dt.timedelta(days=9)).isoformat())
    flow = desk.flow(trigger="date", field="expected_close", days=3, side="before", active=False)
    found = rehearsed(shop, flow)
    assert ([one for one, _name in found.first], found.count, found.how) == ([near], 1, "now")
    quiet = desk.flow(trigger="quiet", days=30, active=False)
    assert rehearsed(shop, quiet).count == 0
    with shop.work() as session:
        session.execute(
            text("UPDATE deals SET updated_at = :old WHERE tenant_id = :t"),
            {"old": clock.now() - dt.timedelta(days=50), "t": shop.tenant.id},
        )
    found = rehearsed(shop, quiet)
    assert (found.count, found.how) == (3, "quiet")
    with shop.work() as session:
        FlowService(session).update(quiet, {"active": True})
    desk.renew()
    desk.morning()
    assert len(desk.runs(quiet)) == 3


def test_older_than_ninety_days_does_not_count(shop, desk, monkeypatch):
    desk.make("deals", name="Desk")
    flow = desk.flow(active=False)
    assert rehearsed(shop, flow).count == 1
    monkeypatch.setattr(rehearsal, "DAYS", 0)
    assert rehearsed(shop, flow).count == 0


def test_beyond_the_bound_it_says_at_least(shop, desk, monkeypatch):
    history(desk)
    monkeypatch.setattr(rehearsal, "COUNT_BOUND", 4)
    flow = desk.flow(active=False)
    found = rehearsed(shop, flow)
    assert (found.count, found.more) == (4, True)
    page = shop.client().get(f"/settings/workflows/{flow}/rehearse").get_data(as_text=True)
    assert "at least 4" in page
