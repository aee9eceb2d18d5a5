"""Paid add-ons in the demo: tried once, bought at a price that was shown, taken off, lapsed and back with all data."""

from __future__ import annotations

import datetime as dt
import io
import re
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from billing import catalogue as catalogues
from billing import commands, modes, notices, purchases
from billing.accounts import AccountService
from billing.addons import AddonService
from billing.catalogue import catalogue
from billing.entitlements import plugin_entitled
from billing.manual import ManualService
from billing.models import Addon, Invoice, Notice
from billing.phases import Phase
from billing.providers import ledger
from billing.purchases import PurchaseService
from kehu.addons import sweep
from kehu.addons.models import AddonPeriod, TenantPlugin
from kehu.core import clock, context, db, hooks
from kehu.core.errors import Conflict, Forbidden, NotFound
from kehu.core.records.service import service_for
from kehu.files.store import FileStore
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop
from plugins.pricing import Pricing
from plugins.records import State
from plugins.results import BillingMode
from tenants.archive import writing
from tests.functional.billing.paid import PRICE, SLUG, charge
from tests.functional.billing.till import DAY, Till, at_the_till, end_trial

PAGE = f"/settings/billing/addons/{SLUG}"
CARD = f"/settings/plugins/{SLUG}"


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the built-in plugin cost £4 a month."""
    charge(monkeypatch)


def buy(till: Till) -> Any:
    service = AddonService(till.session)
    _wish, shown = service.preview(SLUG)
    till.outcome = service.buy(SLUG, shown.at, shown.total)
    return shown


def has(till: Till) -> bool:
    return plugin_entitled(context.tenant(), SLUG)


def on_bill(till: Till) -> list[tuple[str, int]]:
    return [(one["slug"], one["quantity"]) for one in till.subscription.addons]


def follow(shop: Shop) -> str:
    """Do what the job does after each change, and return the plugin's state."""
    with shop.app.app_context():
        with db.unit_of_work():
            found = hooks.tenant_by_id(shop.tenant.id)
            assert found is not None
            shop.tenant = found
        with context.use(tenant=found, actor=context.SYSTEM):
            sweep.follow_all()
        with db.unit_of_work():
            shop.tenant = hooks.tenant_by_id(shop.tenant.id) or found
    with shop.work() as session:
        return str(session.execute(select(TenantPlugin.state).where(TenantPlugin.slug == SLUG)).scalar())


# --- the ledger --------------------------------------------------------------------------------------------------


def test_case_68_an_add_on_costs_what_its_preview_showed(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    assert not has(till)
    till.provider.run_ahead(DAY * 10)
    shown = buy(till)
    (line,) = shown.lines
    assert (line.code, line.seats) == ("addon", 1)
    assert 0 < shown.net < 400
    assert shown.next_net == 3 * 1200 + 400
    last = till.invoices()[-1]
    assert (last.net, last.total, last.status) == (shown.net, shown.total, "paid")
    assert has(till)
    till.pass_time()
    renewal = till.invoices()[-1]
    assert renewal.net == 4000
    assert [one["code"] for one in renewal.lines] == ["seats", "addon"]


def test_case_60_plan_and_seats_change_and_add_ons_stay(
    till: Till, paid: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge(monkeypatch, replace(PRICE, per="seat"))
    till.subscribed(seats=3)
    buy(till)
    assert on_bill(till) == [(SLUG, 3)]
    more = till.buy(seats=5)
    assert [(one.code, one.seats) for one in more.lines] == [("more_seats", 2), ("more_addon", 2)]
    assert (more.net, on_bill(till)) == (2 * (1200 + 400), [(SLUG, 5)])
    swap = till.buy(plan="business", seats=5)
    assert [one.code for one in swap.lines] == ["unused", "plan"]
    assert (till.subscription.seats, on_bill(till)) == (5, [(SLUG, 5)])
    year = till.buy(plan="business", interval="year", seats=5)
    assert {one.code: one.amount for one in year.lines}["addon"] == 5 * 4000
    assert {one.code: one.amount for one in year.lines}["unused_addon"] == -5 * 400
    assert has(till)


def test_case_60_add_ons_stay_when_an_operator_sets_the_version_of_the_plan(
    till: Till, paid: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.subscribed()
    buy(till)
    known = catalogue()
    plan = known.plan("team@1")
    assert plan is not None
    newer = replace(plan, version=2)
    made = replace(known, plans={**known.plans, newer.ref: newer})
    monkeypatch.setattr(catalogues, "catalogue", lambda: made)
    monkeypatch.setattr(purchases, "catalogue", lambda: made)
    monkeypatch.setattr(ledger, "catalogue", lambda: made)
    till.service.set_version(newer.ref, "agreed")
    assert (till.subscription.plan, [one["slug"] for one in till.subscription.addons]) == ("team@2", [SLUG])
    assert has(till)


def test_case_48_seats_of_an_add_on_are_not_paid_twice(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, replace(PRICE, per="seat"))
    till.subscribed(seats=5)
    till.buy(seats=3)
    assert buy(till).net == 3 * 400
    # Two seats are paid already, but the add-on was bought for three.
    raised = till.buy(seats=5)
    assert [(one.code, one.seats, one.amount) for one in raised.lines] == [("more_addon", 2, 800)]
    till.buy(seats=3)
    assert till.buy(seats=5).total == 0


def test_case_62_a_plugin_removed_in_mid_period_stays_until_its_end(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    till.provider.run_ahead(DAY * 10)
    service = AddonService(till.session)
    count = len(till.invoices())
    assert service.remove(SLUG).state == "done"
    assert (on_bill(till), has(till), len(till.invoices())) == ([], True, count)
    assert service.undo(SLUG).state == "done"
    assert (on_bill(till), len(till.invoices())) == ([(SLUG, 1)], count)
    service.remove(SLUG)
    # Bought again within the time that is paid, it costs nothing.
    assert (buy(till).total, on_bill(till), len(till.invoices())) == (0, [(SLUG, 1)], count)
    service.remove(SLUG)
    with pytest.raises(Conflict, match="not on your bill"):
        service.remove(SLUG)
    till.pass_time()
    assert not has(till)
    assert till.invoices()[-1].net == 3600
    assert buy(till).net > 0
    assert has(till)


def test_case_38_pressed_twice_it_is_paid_once(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    service = AddonService(till.session)
    _wish, shown = service.preview(SLUG)
    count = len(till.invoices())
    for _press in range(2):
        assert service.buy(SLUG, shown.at, shown.total).state == "done"
    assert len(till.invoices()) == count + 1
    with pytest.raises(Conflict, match="on your bill already"):
        service.preview(SLUG)


def test_case_50_a_declined_payment_for_an_add_on_grants_nothing(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    till.provider.let_fail(True)
    buy(till)
    assert (till.outcome.state, on_bill(till), has(till)) == ("refused", [], False)


def test_case_63_no_add_on_is_bought_or_taken_off_while_an_invoice_is_open(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    buy(till)
    till.provider.let_fail(True)
    assert till.pass_time() is Phase.GRACE
    assert has(till)
    with pytest.raises(Conflict, match="An invoice is open"):
        AddonService(till.session).remove(SLUG)
    assert till.pass_time(DAY * 15) is Phase.RESTRICTED
    assert not has(till)
    till.provider.let_fail(False)
    till.service.pay_open()
    assert has(till)


def test_within_the_firm_s_own_trial(till: Till, paid: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Conflict, match="Choose a plan first"):
        AddonService(till.session).preview(SLUG)
    assert not has(till)
    # The plan of the trial is business: what it brings is there.
    charge(monkeypatch, replace(PRICE, included=("business",)))
    assert has(till)
    end_trial(till.session)
    assert not has(till)


def test_an_add_on_bought_before_the_first_bill_is_not_paid_when_it_is_removed(
    till: Till, paid: None
) -> None:
    till.buy(seats=2)
    assert till.subscription.status == "trialing"
    assert (buy(till).total, has(till)) == (0, True)
    AddonService(till.session).remove(SLUG)
    assert not has(till)
    assert AddonService(till.session).trial_days(AddonService(till.session).manifest(SLUG)) == 14


def test_a_plan_that_brings_it_takes_it_off_the_bill(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, replace(PRICE, included=("business",)))
    till.subscribed(seats=3)
    buy(till)
    till.buy(plan="business", seats=3)
    assert (on_bill(till), has(till)) == ([], True)
    team = till.service.wish("team", "month", "3").plan
    assert till.service.addons_that_stop(team) == [SLUG]
    till.pass_time()
    assert till.invoices()[-1].net == 3 * 2400


def test_a_plugin_that_comes_with_a_feature(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, Pricing(kind="plan", key="webhooks"))
    assert has(till)  # The trial is of the larger plan.
    till.subscribed(seats=3)
    assert not has(till)
    till.buy(plan="business", seats=3)
    assert has(till)


def test_case_39_two_admins_buy_it_at_once(firm: Shop) -> None:
    with firm.work() as session:
        _wish, shown = AddonService(session).preview(SLUG)
    barrier = threading.Barrier(2)

    def press(_number: int) -> str:
        barrier.wait()
        with firm.work() as session:
            return AddonService(session).buy(SLUG, shown.at, shown.total).state

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(press, range(2))) == ["done", "done"]
    with firm.work() as session:
        bills = session.execute(select(Invoice).where(Invoice.net == shown.net)).scalars().all()
        assert len(bills) == 1


def test_what_has_no_price_here_is_not_sold(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch, replace(PRICE, amounts={"EUR": "4.50"}, yearly={}, meters=()))
    till.subscribed(seats=3)
    with pytest.raises(Conflict, match="no price in GBP"):
        AddonService(till.session).preview(SLUG)
    with pytest.raises(NotFound):
        AddonService(till.session).manifest("nothing")


def test_what_can_t_run_here_is_neither_sold_nor_tried(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    charge(monkeypatch)
    till.subscribed(seats=3)
    known = hooks.host().installed
    monkeypatch.setitem(known._records, SLUG, known._records[SLUG].moved(State.COMPATIBLE, "No tables.", "-"))
    for way in (AddonService(till.session).preview, AddonService(till.session).start_trial):
        with pytest.raises(Conflict, match="can't be used in this installation now"):
            way(SLUG)


def test_days_to_try_are_given_once_and_told_before_their_end(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    service = AddonService(till.session)
    until = service.start_trial(SLUG)
    assert has(till)
    with pytest.raises(Conflict, match="has Car dealer already"):
        service.start_trial(SLUG)

    def mails() -> list[str]:
        till.service.check()
        kinds = till.session.execute(select(Notice.kind).where(Notice.kind.startswith("addon"))).scalars()
        return sorted(kinds)

    assert mails() == []
    for left, sent in (
        (3, ["addon_3"]),
        (3, ["addon_3"]),
        (1, ["addon_1", "addon_3"]),
        (1, ["addon_1", "addon_3"]),
    ):
        till.provider.run_ahead(until - DAY * left - till.provider.now() + dt.timedelta(minutes=1))
        assert mails() == sent
    subject, text, action = notices.text_of("addon_3", "Shop", "3 May 2027", "Car dealer")
    assert "3 days" in subject
    assert "paused; its data is kept" in text
    assert action == "Look at the price"
    till.provider.run_ahead(DAY * 2)
    till.service.check()
    assert not has(till)
    with pytest.raises(Conflict, match="had already"):
        service.start_trial(SLUG)
    assert buy(till).net > 0
    assert has(till)


def test_an_operator_gives_one_until_a_day(till: Till, paid: None) -> None:
    till.subscribed(seats=3)
    AccountService(till.session).override(f"plugin:{SLUG}", 1, "a gift", clock.now() + DAY * 5)
    assert has(till)
    till.pass_time(DAY * 6)
    assert not has(till)


# --- the pages ---------------------------------------------------------------------------------------------------


def page(client: Browser, path: str) -> str:
    return client.get(path).get_data(as_text=True)


def token_of(text: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', text)
    assert found is not None, text
    return found[1]


@pytest.fixture
def firm(demo: None, paid: None, shop: Shop) -> Shop:
    """A firm that pays for a plan."""
    with at_the_till(shop) as till:
        till.subscribed(seats=3)
    return shop


def test_the_page_tells_all_before_the_switch(firm: Shop) -> None:
    client = firm.client()
    text = page(client, CARD)
    for said in ("£4 a month, without tax", "Try it for 14 days", "Look at the price", "Not yours"):
        assert said in text
    for said in (
        "<dt>Records</dt>",
        "Vehicles",
        "Work that comes back",
        "Reports",
        "Messages sent: 100 in the price, each further one £0.02",
    ):
        assert said in text
    assert "Switch on Car dealer" not in text
    price = page(client, PAGE)
    for said in ("Add-on Car dealer", "Tax 20 %", "£0.80", "£4.80", "Next bill on", "Buy and switch on"):
        assert said in price


def rows_of(shop: Shop, store: FileStore) -> dict[str, str]:
    """Export everything of a firm, and return the rows of its tables as text."""
    into = io.BytesIO()
    with shop.app.app_context(), db.unit_of_work(tenant=shop.tenant, actor=context.SYSTEM) as session:
        writing.fix_moment(session)
        writing.write(session, store, into)
    with zipfile.ZipFile(into) as kept:
        return {Path(name).stem: kept.read(name).decode() for name in kept.namelist() if "vehicles" in name}


def test_trial_lapse_and_back_with_all_data(
    firm: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = firm.client()
    assert client.post(f"{PAGE}/try").status_code == 303
    text = page(client, CARD)
    assert "free to try until" in text
    assert "Switch off Car dealer" in text
    firm.tenant = _fresh(firm)
    with firm.work() as session:
        customer = service_for("customers", session).create({"name": "Harbour Taxis"}).id
        given = {"make": "Aiways", "model": "U5", "plate": "KA 1", "customer_id": str(customer)}
        vehicle = service_for("automotive.vehicles", session).create(given).id
        (period,) = session.execute(select(AddonPeriod)).scalars()
        assert (period.slug, period.amount, period.currency) == (SLUG, 400, "GBP")
        assert period.trial_until is not None
    address = f"/x/automotive/vehicles/{vehicle}"
    assert client.get(address).status_code == 200
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + DAY * 16)
    assert follow(firm) == "suspended"
    for reader in (client, firm.client(firm.member("member"))):
        answer = reader.get(address)
        assert answer.status_code == 402
        assert "is paused; nothing of it is lost" in answer.get_data(as_text=True)
        assert "The days to try Car dealer are over" in answer.get_data(as_text=True)
        assert ("Look at Car dealer" in answer.get_data(as_text=True)) is (reader is client)
    assert "Paused" in page(client, "/settings/plugins")
    assert "The days to try Car dealer are over" in page(client, CARD)
    assert client.post(f"{PAGE}/try").status_code == 303
    assert "were had already" in page(client, CARD)
    store = FileStore(tmp_path / "files", 1024 * 1024)
    assert "KA1" in rows_of(firm, store)["p_automotive.vehicles"]
    assert client.post(PAGE, data={"token": token_of(page(client, PAGE))}).status_code == 303
    assert "is on your bill and switched on" in page(client, CARD)
    assert "KA1" in page(client, address)


def test_case_55_a_paid_invoice_brings_a_paused_plugin_back(firm: Shop) -> None:
    client = firm.client()
    client.post(PAGE, data={"token": token_of(page(client, PAGE))})
    firm.tenant = _fresh(firm)
    with firm.work() as session:
        given = {"make": "Aiways", "model": "U5", "plate": "KA 1"}
        vehicle = service_for("automotive.vehicles", session).create(given).id
    with at_the_till(firm) as till:
        till.provider.let_fail(True)
        assert till.pass_time() is Phase.GRACE
    assert follow(firm) == "enabled"
    with at_the_till(firm) as till:
        assert till.pass_time(DAY * 15) is Phase.RESTRICTED
    assert follow(firm) == "suspended"
    answer = firm.client(firm.member("member")).get("/x/automotive/vehicles")
    assert answer.status_code == 402
    assert "An owner or admin pays it" in answer.get_data(as_text=True)
    with at_the_till(firm) as till:
        till.provider.let_fail(False)
        till.service.pay_open()
    assert follow(firm) == "enabled"
    assert "KA1" in page(firm.client(), f"/x/automotive/vehicles/{vehicle}")


def _fresh(shop: Shop) -> Any:
    with shop.app.app_context(), db.unit_of_work():
        return hooks.tenant_by_id(shop.tenant.id)


def test_the_plan_s_page_says_where_each_comes_from(
    firm: Shop, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    client = firm.client()
    billing = "/settings/billing"
    assert "can be tried for 14 days" in page(client, billing)
    monkeypatch.setattr(commands, "make_app", lambda: app)
    run = CliRunner().invoke
    given = [
        "grant",
        firm.tenant.address,
        f"plugin:{SLUG}",
        "1",
        "--reason",
        "a gift",
        "--until",
        "2090-05-03",
    ]
    assert run(commands.group, given).exit_code == 0
    text = page(client, billing)
    assert "given by whoever runs this installation, until May 4, 2090" in text or "until 4 May 2090" in text
    assert "Given by" in text
    assert (
        "plugin:nothing" in run(commands.group, ["grant", "x", "plugin:nothing", "1", "--reason", "x"]).output
    )
    run(commands.group, [*given[:3], "0", "--reason", "over"])
    charge(monkeypatch, replace(PRICE, included=("team",)))
    assert "can be tried" in page(client, billing) or "not on your bill" in page(client, billing)


def test_only_who_chooses_the_plan_buys(firm: Shop) -> None:
    member = firm.client(firm.member("manager"))
    assert member.get(PAGE).status_code == 403
    for path in (PAGE, f"{PAGE}/try", f"{PAGE}/remove", f"{PAGE}/undo"):
        assert member.post(path).status_code == 403
    with firm.work(firm.member("manager")) as session, pytest.raises(Forbidden):
        AddonService(session).start_trial(SLUG)


def test_a_price_that_was_not_shown_buys_nothing(firm: Shop) -> None:
    answer = firm.client().post(PAGE, data={"token": "x"})
    assert answer.status_code == 422
    assert "Look at the price first" in answer.get_data(as_text=True)


def test_taking_it_off_and_keeping_it_after_all(firm: Shop) -> None:
    client = firm.client()
    client.post(PAGE, data={"token": token_of(page(client, PAGE))})
    assert "Take it off the bill" in page(client, CARD)
    client.post(f"{PAGE}/remove")
    text = page(client, CARD)
    assert "it is paid until" in text
    assert "Keep it on the bill" in text
    client.post(f"{PAGE}/undo")
    assert "is on the bill of your plan" in page(client, CARD)


def test_the_operator_bills_it_in_the_mode_manual(paid: None, shop: Shop) -> None:
    with modes.use(BillingMode.MANUAL), shop.work(context.SYSTEM) as session:
        AccountService(session).lock().trial_ends_at = clock.now() - DAY
        service = ManualService(session)
        service.set_plan("team", "month", 3, "offer 17")
        service.set_addon(SLUG, True, "offer 18")
        bills = session.execute(select(Invoice).order_by(Invoice.number)).scalars().all()
        assert [(one.net, one.status) for one in bills] == [(3600, "open"), (400, "open")]
        assert plugin_entitled(context.tenant(), SLUG)
        with pytest.raises(Conflict, match="open"):
            service.set_addon(SLUG, False, "they left")
        for one in bills:
            service.paid(one.number, clock.now(), "bank")
        service.set_addon(SLUG, False, "they left")
        row = session.execute(select(Addon)).scalar_one()
        assert (row.paid_quantity, row.wanted) == (1, False)
        assert PurchaseService(session).check().phase is Phase.ACTIVE
        shop.tenant = context.tenant()
    with modes.use(BillingMode.MANUAL):
        client = shop.client()
        assert "taken off the bill" in page(client, CARD)
        assert "Look at the price" not in page(client, CARD)


def test_the_operator_s_command(paid: None, shop: Shop, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "make_app", lambda: app)
    run = CliRunner().invoke
    with modes.use(BillingMode.MANUAL):
        plan = ["plan", shop.tenant.address, "team", "--seats", "3", "--reason", "offer 17"]
        assert run(commands.group, plan).exit_code == 0
        words = ["addon", shop.tenant.address, SLUG, "--on", "--reason", "offer 18"]
        assert f"{SLUG} is on the bill" in run(commands.group, words).output
        shop.tenant = _fresh(shop)
        assert SLUG in shop.tenant.plugins
        assert "The operator changed an add-on" in page(shop.client(), "/settings/billing")
