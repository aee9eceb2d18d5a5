"""Signing up by the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from kehu.accounts.models import User
from kehu.accounts.services import AccountService
from kehu.core import db
from kehu.core.ids import new_id
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import PASSWORD, Shop, make_user
from tenants.models import Tenant


def answers(**changes: Any) -> dict[str, Any]:
    unique = new_id().hex[-8:]
    return {
        "name": "Nadia Petrova",
        "firm": f"Petrova {unique}",
        "email": f"nadia.{unique}@example.com",
        "password": PASSWORD,
        **changes,
    }


@pytest.fixture
def with_mail(app: Flask) -> Iterator[None]:
    """An installation that can send mail; jobs wait in the queue."""
    kept = app.extensions["kehu.settings"]
    app.extensions["kehu.settings"] = replace(kept, mail_url="smtp://127.0.0.1:1")
    yield
    app.extensions["kehu.settings"] = kept


def queued_mails(app: Flask, to: str) -> list[dict[str, Any]]:
    statement = text(
        "SELECT args FROM procrastinate_jobs WHERE task_name = 'kehu.mail.deliver' AND args->>'to' = :to ORDER BY id"
    )
    with app.app_context(), db.unit_of_work() as session:
        return list(session.execute(statement, {"to": to}).scalars())


def test_lands_inside_with_everything_a_firm_needs(app: Flask, with_mail: None) -> None:
    client, form = browser(app), answers()
    response = client.post("/signup", data=form)
    assert (response.status_code, response.location) == (303, "/signup/code")
    (mail,) = queued_mails(app, form["email"])
    assert mail["template"] == "accounts/mail/code"
    assert client.post("/signup/code", data={"code": "x"}).status_code == 422
    response = client.post("/signup/code", data={"code": mail["values"]["code"]})
    assert (response.status_code, response.location) == (303, "/start")
    page = client.get("/start").get_data(as_text=True)
    assert form["firm"] in page
    assert "What is your trade?" in page
    with app.app_context(), db.unit_of_work() as session:
        user = session.execute(select(User).where(User.email == form["email"])).scalar_one()
        assert user.confirmed_at is not None
        tenant = session.execute(select(Tenant).where(Tenant.name == form["firm"])).scalar_one()
        assert tenant.address == form["firm"].lower().replace(" ", "-")
        assert tenant.trial_ends_at is not None


def test_the_same_answer_for_an_address_that_has_an_account(app: Flask, with_mail: None) -> None:
    known, unknown = answers(), answers()
    with app.app_context(), db.unit_of_work() as session:
        user = make_user(session, "Known")
        known["email"] = user.email
    pages = []
    for form in (known, unknown):
        client = browser(app)
        response = client.post("/signup", data=form)
        page = client.get(response.location).get_data(as_text=True).replace(form["email"], "X")
        page = re.sub(r'X-CSRF-Token":"[^"]+|name="csrf_token" value="[^"]+', "", page)
        pages.append((response.status_code, response.location, page))
    assert pages[0] == pages[1]
    (mail,) = queued_mails(app, known["email"])
    assert mail["template"] == "accounts/mail/known"
    assert "code" not in mail["values"]


def test_without_mail_one_is_in_at_once(app: Flask) -> None:
    client, form = browser(app), answers()
    assert client.post("/signup", data=form).location == "/start"
    assert client.get("/start").status_code == 200
    page = browser(app).post("/signup", data=form)
    assert page.status_code == 422
    assert "has an account already" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " ", "Write your name"),
        ("firm", "x", "Write the firm"),
        ("email", "nonsense", "is no e-mail address"),
        ("password", "short", "10 characters or more"),
        ("password", "aaaaaaaaaaaa", "too easy"),
        ("address", "www", "kept for the service"),
        ("address", "Has Space", "small letters"),
        ("country", "ZZ", "Choose a country"),
        ("currency", "XTS", "Choose a currency"),
        ("zone", "Mars/Olympus", "Choose a time zone"),
        ("locale", "tlh", "one of the languages"),
        ("name", "n" * 200_000, "1 to 100"),
        ("firm", "\ud800\x00\u202e", "2 to 100"),
    ],
)
def test_names_the_field_and_keeps_the_rest(app: Flask, field: str, value: str, sentence: str) -> None:
    form = answers(**{field: value.encode("utf-8", "replace").decode()})
    response = browser(app).post("/signup", data=form)
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert sentence in page
    assert PASSWORD not in page
    if field != "email":
        assert form["email"] in page


def test_a_taken_address_is_a_field_error_and_a_taken_name_gets_a_number(app: Flask, shop: Shop) -> None:
    response = browser(app).post("/signup", data=answers(address=shop.tenant.address))
    assert response.status_code == 422
    assert "is taken" in response.get_data(as_text=True)
    firm = f"Twins {new_id().hex[-6:]}"
    for _number in range(2):
        assert browser(app).post("/signup", data=answers(firm=firm)).status_code == 303
    with app.app_context(), db.unit_of_work() as session:
        found = sorted(session.execute(select(Tenant.address).where(Tenant.name == firm)).scalars())
    assert len(found) == 2
    assert found[1].endswith("-2")


def test_proposes_by_language_and_zone(app: Flask) -> None:
    client = browser(app)
    found = client.get("/signup/proposal?zone=Asia/Taipei", headers={"Accept-Language": "zh-TW"}).get_json()
    assert found == {"country": "TW", "currency": "TWD", "zone": "Asia/Taipei"}
    page = client.get("/signup", headers={"Accept-Language": "ru-RU,ru"}).get_data(as_text=True)
    assert 'value="RUB" selected' in page


def test_switches_the_language(app: Flask) -> None:
    client = browser(app)
    assert 'href="/language/zh_Hant?next=%2Fsignup"' in client.get("/signup").get_data(as_text=True)
    assert client.get("/language/zh_Hant?next=/signup").location == "/signup"
    assert '<html lang="zh-Hant"' in client.get("/signup").get_data(as_text=True)


def test_a_second_firm_for_the_same_person(app: Flask, shop: Shop) -> None:
    client: Browser = shop.client()
    assert client.get("/signup").location == "/firms/new"
    name = f"Second {new_id().hex[-6:]}"
    response = client.post("/firms/new", data={"firm": name})
    assert response.status_code == 303
    address = name.lower().replace(" ", "-")
    assert response.location.startswith(f"http://{address}.localhost")
    other = browser(app, f"{address}.localhost")
    path = "/enter/" + response.location.rpartition("/")[2]
    assert other.get(path).location == "/start"
    assert name in other.get("/start").get_data(as_text=True)
    # The link works once.
    assert browser(app, f"{address}.localhost").get(path).location == "/login"
    firms = client.get("/firms").get_data(as_text=True)
    assert name in firms
    assert str(shop.tenant.id) in firms


def test_on_the_plain_host_the_session_switches(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        user = session.get(User, shop.owner.user_id)
        assert user is not None
        AccountService(session).set_password(user, PASSWORD)
    client = browser(app)
    client.post("/login", data={"email": user.email, "password": PASSWORD})
    name = f"Second {new_id().hex[-6:]}"
    assert client.post("/firms/new", data={"firm": name}).location == "/start"
    assert name in client.get("/start").get_data(as_text=True)
    assert client.get(f"/switch/{shop.tenant.id}").location == "/"
    with client.session_transaction() as cookie:
        assert cookie["tenant_id"] == str(shop.tenant.id)
        assert len(cookie["kehu_firms"]) == 2
    assert client.get(f"/switch/{new_id()}").status_code == 404


def test_the_first_steps_tick_themselves_and_go(app: Flask, shop: Shop) -> None:
    client = shop.client()
    assert client.post("/start/trade", data={"trade": "dealer"}).status_code == 303
    page = client.get("/start").get_data(as_text=True)
    assert "What is your trade?" not in page
    assert "data-done" not in page
    for key in ("plugins", "pipeline"):
        client.post(f"/start/mark/{key}")
    shop.member("member")
    assert client.get("/start").get_data(as_text=True).count("data-done") == 3
    client.post("/start/finish")
    assert "k-setup" not in client.get("/start").get_data(as_text=True)


def test_the_first_address_tells_strangers_what_it_is(app: Flask, shop: Shop) -> None:
    assert "Know every customer" in browser(app).get("/").get_data(as_text=True)
    assert browser(app, f"{shop.tenant.address}.localhost").get("/").location == "/login"
    assert "Know every customer" not in shop.client().get("/").get_data(as_text=True)
    assert "charges nothing" in browser(app).get("/prices").get_data(as_text=True)


def test_too_many_sign_ups_wait_with_what_was_typed(app: Flask) -> None:
    kept = app.extensions["kehu.settings"]
    app.extensions["kehu.settings"] = replace(kept, signup_rate="2 per hour")
    try:
        for _number in range(2):
            browser(app).post("/signup", data=answers(name=""))
        form = answers()
        response = browser(app).post("/signup", data=form)
    finally:
        app.extensions["kehu.settings"] = kept
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert form["email"] in response.get_data(as_text=True)
    assert "tried too often" in response.get_data(as_text=True)
