"""Signing in and out by the pages."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from kehu.accounts.models import User
from kehu.accounts.services import AccountService
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import PASSWORD, Shop, count_queries


def post(client: Browser, path: str, **values: Any) -> Any:
    return client.post(path, data=values)


@pytest.fixture
def person(shop: Shop) -> User:
    """The owner, with a password."""
    with shop.work() as session:
        user = session.get(User, shop.owner.user_id)
        assert user is not None
        AccountService(session).set_password(user, PASSWORD)
    return user


def test_signs_in_on_the_plain_host_and_out(app: Flask, shop: Shop, person: User) -> None:
    client = browser(app)
    response = post(
        client, "/login?next=/account", email=person.email.upper(), password=PASSWORD, next="/account"
    )
    assert (response.status_code, response.location) == (303, "/account")
    page = client.get("/account")
    assert page.status_code == 200
    assert person.email in page.get_data(as_text=True)
    with client.session_transaction(base_url="http://localhost") as cookie:
        assert cookie["tenant_id"] == str(shop.tenant.id)
    response = post(client, "/logout")
    assert response.status_code == 303
    assert client.get("/account").location.startswith("/login?next=/account")


def test_signs_in_on_the_sub_domain(app: Flask, shop: Shop, person: User) -> None:
    client = browser(app, f"{shop.tenant.address}.localhost")
    assert shop.tenant.name.split()[0] in client.get("/login").get_data(as_text=True)
    assert post(client, "/login", email=person.email, password=PASSWORD).location == "/"


def test_a_stranger_to_the_firm_chooses_his_own(app: Flask, person: User, other_shop: Shop) -> None:
    client = browser(app, f"{other_shop.tenant.address}.localhost")
    assert post(client, "/login", email=person.email, password=PASSWORD).location == "/firms"
    assert "no member of Tidewater Marine" in client.get("/firms").get_data(as_text=True)


@pytest.mark.parametrize("known", [True, False])
def test_wrong_password_and_unknown_address_read_the_same(app: Flask, person: User, known: bool) -> None:
    email = person.email if known else "nobody@example.com"
    response = post(browser(app), "/login", email=email, password="wrong password")
    assert response.status_code == 422
    assert "E-mail address or password is wrong" in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\tevil", "/login"],
)
def test_goes_on_only_within_this_site(app: Flask, person: User, target: str) -> None:
    assert post(browser(app), "/login", email=person.email, password=PASSWORD, next=target).location == "/"


def test_a_revoked_session_is_out_at_once(app: Flask, shop: Shop, person: User) -> None:
    client = shop.client()
    assert client.get("/account").status_code == 200
    with shop.work() as session:
        AccountService(session).revoke_others(person.id, None)
    assert client.get("/account").status_code == 303


def test_the_accounts_machinery_adds_no_query(app: Flask, shop: Shop) -> None:
    client = shop.client()
    client.get("/firms")
    with count_queries() as statements:
        client.get("/login")
    assert len(statements) == 2, statements.texts
