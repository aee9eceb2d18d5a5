"""Paid add-ons on their pages: told before the switch, tried, lapsed and back, bought, taken off."""

from __future__ import annotations

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

from billing import commands, modes
from billing.accounts import AccountService
from billing.addons import AddonService
from billing.entitlements import plugin_entitled
from billing.manual import ManualService
from billing.models import Addon, Invoice
from billing.phases import Phase
from billing.purchases import PurchaseService
from kehu.addons import sweep
from kehu.addons.models import AddonPeriod, TenantPlugin
from kehu.core import clock, context, db, hooks
from kehu.core.errors import Conflict, Forbidden
from kehu.core.records.service import service_for
from kehu.files.store import FileStore
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop
from plugins.results import BillingMode
from tenants.archive import writing
from tests.functional.billing.paid import PRICE, SLUG, charge
from tests.functional.billing.till import DAY, at_the_till

PAGE = f"/settings/billing/addons/{SLUG}"
CARD = f"/settings/plugins/{SLUG}"


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
    assert "You can try it until" in page(client, PAGE)
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
    assert "You can try it until" not in page(client, PAGE)
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
