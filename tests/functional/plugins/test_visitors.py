"""Pages of plugins that need no account: whose they are, who acts, and what may come without a forgery token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import request

from kehu.addons.services import PluginService
from kehu.api import actor, public, public_url, service_for, session
from kehu.core import hooks
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import Shop
from kehu.web import limits
from plugins.blueprint import VISITOR
from tests.functional.plugins.test_automotive import OFF, plain

GET, POST = "automotive_vehicles.customer_panel", "automotive_vehicles.take_over"
PAGE, FORM = "/x/automotive/panel", "/x/automotive/vehicles/1/take-over"


@dataclass
class Booth:
    """A firm with the plugin on, and a way to put a view in the place of one of its pages."""

    shop: Shop
    put: Callable[[str, Any], None]

    def visitor(self, host: str = "") -> Browser:
        return browser(self.shop.app, host or f"{self.shop.tenant.address}.localhost")


@pytest.fixture
def booth(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Booth]:
    with shop.work() as work:
        PluginService(work).enable("automotive")
    limits.limiter.reset()
    yield Booth(shop, lambda name, view: monkeypatch.setitem(shop.app.view_functions, name, view))
    limits.limiter.reset()


def test_it_stands_at_the_firms_own_address_alone(booth: Booth, other_shop: Shop) -> None:
    booth.put(GET, public()(lambda: f"open to {actor().name}"))
    assert getattr(booth.shop.app.view_functions[GET], "kehu_access", "") == VISITOR
    assert booth.visitor().get(PAGE).text == "open to Car dealer"
    member = booth.shop.client()
    assert member.get(PAGE).text == "open to Car dealer"
    unknown = plain(booth.visitor().get("/x/nonesuch12/panel").text, "/x/nonesuch12/panel")
    for asker in (booth.visitor("localhost"), booth.visitor(f"{other_shop.tenant.address}.localhost")):
        answer = asker.get(PAGE)
        assert answer.status_code == 404
        assert plain(answer.text, PAGE) == unknown.replace(booth.shop.tenant.name, other_shop.tenant.name)
    # The choice that a member's cookie holds is no address.
    member.host = "localhost"
    with member.session_transaction() as cookie:
        cookie["tenant_id"] = str(booth.shop.tenant.id)
    assert member.get(PAGE).status_code == 404


def test_it_acts_with_the_rights_of_the_plugin(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    record = hooks.host().installed.get("automotive")
    assert record is not None

    def view() -> str:
        who = actor()
        assert who.may("automotive.vehicles:write")
        assert who.may("customers:read")
        assert not who.may("tickets:write")
        return service_for("tickets", session()).create({"subject": "Anything"}).subject

    booth.put(GET, public()(view))
    assert booth.visitor().get(PAGE).status_code == 403


def test_what_it_writes_is_the_plugins_doing(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    installed = hooks.host().installed
    record = installed.get("automotive")
    assert record is not None
    assert record.manifest is not None
    may = record.moved(record.state, plugin=record.plugin)
    monkeypatch.setitem(
        installed._records,
        "automotive",
        replace(may, manifest=replace(record.manifest, writes=("customers:write",))),
    )
    booth.put(GET, public()(lambda: service_for("customers", session()).create({"name": "Walk-in"}).name))
    assert booth.visitor().get(PAGE).text == "Walk-in"
    assert "Car dealer" in booth.shop.client().get("/settings/audit").text


def test_forms_of_visitors_need_the_forgery_token(booth: Booth) -> None:
    booth.put(POST, public()(lambda vehicle_id: vehicle_id))
    assert booth.visitor().post(FORM).text == "1"
    assert booth.visitor().post(FORM, forged=True).status_code == 409


def test_a_proof_stands_in_for_the_forgery_token(booth: Booth) -> None:
    def known(vehicle_id: str) -> bool:
        return request.headers.get("X-Token") == f"secret {vehicle_id}"

    booth.put(POST, public(proof=known)(lambda vehicle_id: vehicle_id))
    assert booth.visitor().post(FORM, forged=True, headers={"X-Token": "secret 1"}).text == "1"
    refused = booth.visitor().post(FORM, forged=True, headers={"X-Token": "secret 2"})
    nowhere = booth.visitor().post("/x/nonesuch12/vehicles/1/take-over", forged=True)
    assert refused.status_code == nowhere.status_code == 404
    assert plain(refused.text, FORM) == plain(nowhere.text, "/x/nonesuch12/vehicles/1/take-over")
    assert booth.shop.client().post(OFF).status_code == 303
    off = booth.visitor().post(FORM, forged=True, headers={"X-Token": "secret 1"})
    assert off.status_code == 404


def test_it_is_asked_so_often_and_no_more(booth: Booth) -> None:
    booth.put(GET, public(rate="2 per hour", proof=lambda: False)(lambda: ""))
    answers = [booth.visitor().get(PAGE).status_code for _time in range(3)]
    assert answers == [404, 404, 429]


def test_its_address_names_the_firm(booth: Booth) -> None:
    with booth.shop.app.test_request_context(), booth.shop.work():
        assert public_url(GET, q="x") == f"http://{booth.shop.tenant.address}.localhost:8000{PAGE}?q=x"
