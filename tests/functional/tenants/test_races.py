"""What happens when two browsers sign up at the same moment, and on another firm's sub-domain."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from kehu.core import clock, context, db
from kehu.core.errors import InvalidInput
from kehu.core.ids import new_id
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import PASSWORD, Shop, make_user
from tenants import addresses, checklist, trades
from tenants.services import TenantService
from tenants.signup import Pending, SignupService

KEY = "k" * 40
PROPOSED = {"country": "GB", "currency": "GBP", "zone": "Europe/London", "locale": "en"}


def form(**changes: Any) -> dict[str, str]:
    unique = new_id().hex[-8:]
    return {
        "name": "Nadia",
        "firm": f"Petrova {unique}",
        "email": f"n.{unique}@example.com",
        "password": PASSWORD,
        **changes,
    }


def finish(app: Flask, pending: Pending) -> context.TenantInfo:
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        return SignupService(session, KEY).finish(pending, confirmed=True)[1]


def read(app: Flask, **changes: Any) -> Pending:
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        return SignupService(session, KEY).read(form(**changes), PROPOSED)


def test_the_slower_of_two_gets_a_field_error_for_the_address(app: Flask) -> None:
    address = f"a{new_id().hex[-10:]}"
    first, second = read(app, address=address), read(app, address=address)
    assert finish(app, first).address == address
    with pytest.raises(InvalidInput) as caught:
        finish(app, second)
    assert set(caught.value.fields) == {"address"}


def test_the_slower_of_two_gets_another_proposed_address(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = read(app), read(app)
    made = finish(app, first)
    monkeypatch.setattr(addresses, "propose", lambda *_args: made.address)
    assert finish(app, second).address.startswith(f"{made.address}-")


def test_a_sign_up_is_finished_once(app: Flask) -> None:
    pending = read(app)
    finish(app, pending)
    with pytest.raises(InvalidInput, match="finished already"):
        finish(app, replace(pending, firm=replace(pending.firm, address="")))


def test_a_code_page_that_is_too_late_leads_back(app: Flask) -> None:
    kept = app.extensions["kehu.settings"]
    app.extensions["kehu.settings"] = replace(kept, mail_url="smtp://127.0.0.1:1")
    try:
        client = browser(app)
        answers = form(address=f"b{new_id().hex[-10:]}")
        client.post("/signup", data=answers)
        with client.session_transaction() as cookie:
            sealed = cookie["kehu_signup"]
        pending = Pending.unseal(sealed, app.config["SECRET_KEY"])
        assert pending is not None
        assert pending.password_hash not in sealed
        finish(app, replace(pending, email=f"x.{pending.email}"))
        # Another firm took the address while the mail was on its way: the answers are kept, the field is named.
        response = client.post("/signup/code", data={"code": pending.code})
        page = response.get_data(as_text=True)
        assert (response.status_code, "is taken" in page, answers["email"] in page) == (422, True, True)
        with clock.ahead(dt.timedelta(hours=2)):
            assert client.get("/signup/code").location == "/signup"
            assert client.post("/signup/code", data={"code": pending.code}).location == "/signup"
        with client.session_transaction() as cookie:
            cookie["kehu_signup"] = "forged"
        assert client.get("/signup/code").location == "/signup"
    finally:
        app.extensions["kehu.settings"] = kept


def test_the_person_who_was_faster_is_told_to_log_in(app: Flask) -> None:
    kept = app.extensions["kehu.settings"]
    app.extensions["kehu.settings"] = replace(kept, mail_url="smtp://127.0.0.1:1")
    try:
        client = browser(app)
        client.post("/signup", data=form())
        with client.session_transaction() as cookie:
            pending = Pending.unseal(cookie["kehu_signup"], app.config["SECRET_KEY"])
        assert pending is not None
        finish(app, pending)
        response = client.post("/signup/code", data={"code": pending.code})
        assert response.status_code == 422
        assert "Log in instead" in response.get_data(as_text=True)
    finally:
        app.extensions["kehu.settings"] = kept


def test_signing_up_on_the_sub_domain_of_another_firm_leads_to_ones_own(app: Flask, shop: Shop) -> None:
    client = browser(app, f"{shop.tenant.address}.localhost")
    answers = form()
    response = client.post("/signup", data=answers)
    address = answers["firm"].lower().replace(" ", "-")
    assert response.location.startswith(f"http://{address}.localhost:8000/enter/")


def test_a_firm_without_a_name_names_the_field(shop: Shop) -> None:
    response = shop.client().post("/firms/new", data={"firm": " "})
    assert response.status_code == 422
    assert "2 to 100 characters" in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "x"), ("country", "ZZ"), ("currency", "XTS"), ("zone", "Moon"), ("locale", "tlh")],
)
def test_a_firm_keeps_what_it_has_when_a_value_is_wrong(shop: Shop, key: str, value: str) -> None:
    with shop.work() as session, pytest.raises(InvalidInput) as caught:
        TenantService(session).change({key: value})
    assert set(caught.value.fields) == {key}


def test_the_same_values_write_nothing(shop: Shop) -> None:
    with shop.work() as session:
        TenantService(session).change({"name": shop.tenant.name})
        assert not session.info.get("audit_actions")


def test_the_checklist_goes_when_all_is_done(shop: Shop) -> None:
    with shop.work() as session:
        TenantService(session).note(checklist_skipped=[step.key for step in checklist.STEPS])
        assert checklist.in_side_bar(context.current()) is None
        assert context.tenant().settings["checklist_done"] is True
    with shop.work():
        checklist.mark("nonsense")
    viewer = shop.member("viewer")
    with shop.work(viewer):
        assert not checklist.sees_checklist()


def test_a_trade_suggests_what_is_installed(app: Flask) -> None:
    assert trades.suggested_plugin("dealer").slug == "automotive"
    assert trades.suggested_plugin("craft") is None


def test_a_closed_firm_is_not_found(app: Flask, shop: Shop) -> None:
    client = shop.client()
    assert client.get("/start").status_code == 200
    with shop.work() as session:
        TenantService(session).row().state = "closed"
    assert client.get("/start").status_code == 303
    assert shop.tenant.name not in client.get("/firms").get_data(as_text=True)


def test_a_person_without_any_firm_founds_one(app: Flask) -> None:
    from kehu.accounts.services import AccountService

    with app.app_context(), db.unit_of_work() as session:
        user = make_user(session, "Lone")
        AccountService(session).set_password(user, PASSWORD)
    client = browser(app)
    assert client.post("/login", data={"email": user.email, "password": PASSWORD}).location == "/firms"
    assert "You belong to no firm yet" in client.get("/firms").get_data(as_text=True)
    assert client.get("/").location == "/firms"
    assert client.get("/login").location == "/firms"
    assert client.get("/account").status_code == 200
    assert client.get("/customers").status_code == 303
    assert client.post("/firms/new", data={"firm": f"Lone {new_id().hex[-6:]}"}).location == "/start"
    assert client.get("/start").status_code == 200
