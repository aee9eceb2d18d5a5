"""One's own account: reset, password, second factor, sessions, language."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, text

from kehu.accounts import agents, mails
from kehu.accounts.models import LoginSession, User
from kehu.accounts.services import AccountService
from kehu.accounts.tasks import forget_sessions
from kehu.core import clock, db, mail
from kehu.core.ids import new_id
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import PASSWORD, Shop

OTHER = "another good set of words"


@pytest.fixture
def person(shop: Shop) -> User:
    """The owner, with a password."""
    with shop.work() as session:
        user = session.get(User, shop.owner.user_id)
        assert user is not None
        AccountService(session).set_password(user, PASSWORD)
    return user


@pytest.fixture
def strict(app: Flask) -> Iterator[None]:
    """An installation with the rates of the product."""
    kept = app.extensions["kehu.settings"]
    app.extensions["kehu.settings"] = replace(kept, signup_rate="3 per hour")
    yield
    app.extensions["kehu.settings"] = kept


def mails_to(app: Flask, email: str) -> list[str]:
    statement = text("SELECT args->>'template' FROM procrastinate_jobs WHERE args->>'to' = :to ORDER BY id")
    with app.app_context(), db.unit_of_work() as session:
        return list(session.execute(statement, {"to": email}).scalars())


def link(app: Flask, template: str, user: User) -> str:
    """Return the path of a link as its mail would carry it."""
    with app.app_context(), db.unit_of_work() as session:
        values = mail._makers[template](session, {"user_id": str(user.id)})
    assert values is not None
    return str(values["url"]).removeprefix("http://localhost:8000")


def log_in(client: Browser, user: User, password: str = PASSWORD) -> Any:
    return client.post("/login", data={"email": user.email, "password": password})


# --- reset ------------------------------------------------------------------------------------------------


def test_a_reset_reads_the_same_for_everybody_and_mails_only_the_known(app: Flask, person: User) -> None:
    pages = []
    for email in (person.email, f"nobody.{new_id().hex}@example.com"):
        response = browser(app).post("/reset", data={"email": email})
        pages.append((response.status_code, response.get_data(as_text=True).replace(email, "X")))
    assert pages[0][0] == pages[1][0] == 200
    assert re.sub(r'X-CSRF-Token":"[^"]+', "", pages[0][1]) == re.sub(
        r'X-CSRF-Token":"[^"]+', "", pages[1][1]
    )
    assert mails_to(app, person.email) == [mails.RESET]


def test_an_inbox_is_not_filled_by_strangers(app: Flask, person: User) -> None:
    for _number in range(5):
        assert browser(app).post("/reset", data={"email": person.email}).status_code == 200
    assert mails_to(app, person.email) == [mails.RESET] * 3


def test_a_link_sets_a_new_password_once_and_signs_out_everywhere(
    app: Flask, shop: Shop, person: User
) -> None:
    elsewhere, client = browser(app), browser(app)
    log_in(elsewhere, person)
    path = link(app, mails.RESET, person)
    assert person.email in client.get(path).get_data(as_text=True)
    assert client.post(path, data={"password": "short"}).status_code == 422
    assert client.post(path, data={"password": OTHER}).location == "/"
    assert client.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert browser(app).get(path).status_code == 404
    assert browser(app).post(path, data={"password": PASSWORD}).status_code == 404
    assert log_in(browser(app), person).status_code == 422
    assert log_in(browser(app), person, OTHER).status_code == 303
    assert mails.CHANGED in mails_to(app, person.email)


def test_old_and_forged_reset_links_are_of_no_use(app: Flask, person: User) -> None:
    path = link(app, mails.RESET, person)
    assert browser(app).get(f"{path}x").status_code == 404
    assert browser(app).get("/reset/nonsense").status_code == 404


def test_an_address_is_proven_by_its_link(app: Flask, shop: Shop, person: User) -> None:
    with shop.work() as session:
        user = session.get(User, person.id)
        assert user is not None
        user.confirmed_at = None
    client = shop.client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user.fs_uniquifier
    assert "not verified yet" in client.get("/account").get_data(as_text=True)
    assert client.post("/account/confirm").status_code == 303
    assert mails.CONFIRM in mails_to(app, person.email)
    assert "is verified" in client.get(link(app, mails.CONFIRM, person)).get_data(as_text=True)
    assert "not verified yet" not in client.get("/account").get_data(as_text=True)
    assert client.get("/confirm/nonsense").status_code == 404
    with app.app_context(), db.unit_of_work() as session:
        assert mail._makers[mails.CONFIRM](session, {"user_id": str(person.id)}) is None


# --- rates ------------------------------------------------------------------------------------------------


def test_guessing_is_slowed_down_also_for_the_right_password(app: Flask, person: User, strict: None) -> None:
    client = browser(app)
    for _number in range(3):
        assert log_in(client, person, "wrong password").status_code == 422
    response = log_in(client, person)
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 3600
    assert person.email in response.get_data(as_text=True)


# --- profile, password, sessions --------------------------------------------------------------------------


def test_name_and_language_are_changed(shop: Shop, person: User) -> None:
    client = shop.client()
    assert client.post("/account/profile", data={"name": "Mira S.", "locale": "ru"}).status_code == 303
    assert '<html lang="ru"' in client.get("/account").get_data(as_text=True)
    for form in (
        {"name": "", "locale": ""},
        {"name": "M", "locale": "tlh"},
        {"name": "n" * 101, "locale": ""},
    ):
        assert client.post("/account/profile", data=form).status_code == 422


def test_a_changed_password_signs_out_the_others(app: Flask, person: User) -> None:
    here, there = browser(app), browser(app)
    log_in(here, person)
    log_in(there, person)
    assert here.post("/account/password", data={"current": "wrong", "password": OTHER}).status_code == 422
    assert here.post("/account/password", data={"current": PASSWORD, "password": "short"}).status_code == 422
    assert here.post("/account/password", data={"current": PASSWORD, "password": OTHER}).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_sessions_are_listed_and_revoked(app: Flask, person: User, other_shop: Shop) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"
    here, there = browser(app), browser(app)
    log_in(here, person)
    there.post("/login", data={"email": person.email, "password": PASSWORD}, headers={"User-Agent": agent})
    page = here.get("/account").get_data(as_text=True)
    assert "Firefox on Linux" in page
    found = re.search(r"/account/sessions/([0-9a-f-]{36})/revoke", page)
    assert found is not None
    stranger = other_shop.client()
    assert stranger.post(f"/account/sessions/{found.group(1)}/revoke").status_code == 404
    assert here.post(f"/account/sessions/{found.group(1)}/revoke").status_code == 303
    assert there.get("/account").status_code == 303
    log_in(there, person)
    assert here.post("/account/sessions/revoke-others").status_code == 303
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_what_a_browser_says_of_itself() -> None:
    assert agents.describe("Mozilla/5.0 (iPhone) Version/18 Safari/604.1") == "Safari on iPhone"
    assert agents.describe("curl/8") == "Unknown browser"
    assert agents.describe("Windows NT") == "Windows"


def test_seen_is_kept_every_five_minutes(shop: Shop) -> None:
    client = shop.client()
    with clock.ahead(dt.timedelta(minutes=10)):
        client.get("/account")
    with shop.work() as session:
        rows = (
            session.execute(select(LoginSession).where(LoginSession.user_id == shop.owner.user_id))
            .scalars()
            .all()
        )
        assert max(row.seen_at - row.created_at for row in rows) > dt.timedelta(minutes=9)


# --- second factor ----------------------------------------------------------------------------------------


def secret_on(page: str) -> str:
    found = re.search(r'<code translate="no">([A-Z2-7-]+)</code>', page)
    assert found is not None
    return found.group(1).replace("-", "")


def test_a_second_factor_is_asked_for_and_recovered(app: Flask, person: User) -> None:
    client = browser(app)
    log_in(client, person)
    page = client.get("/account/second").get_data(as_text=True)
    assert 'src="data:image/svg+xml;base64,' in page
    totp = pyotp.TOTP(secret_on(page))
    assert client.post("/account/second", data={"code": "000000", "current": PASSWORD}).status_code == 422
    wrong = {"code": totp.now(), "current": "a guess at the word"}
    assert "not your present password" in client.post("/account/second", data=wrong).get_data(as_text=True)
    shown = client.post("/account/second", data={"code": totp.now(), "current": PASSWORD}).get_data(
        as_text=True
    )
    codes = re.findall(r"<code>([0-9a-f-]{14})</code>", shown)
    assert len(codes) == 10
    assert client.get("/account/second").location == "/account"
    assert "10 recovery codes are left" in client.get("/account").get_data(as_text=True)
    with app.app_context(), db.unit_of_work() as session:
        kept = session.get(User, person.id)
        assert kept is not None
        assert totp.secret not in str(kept.tf_totp_secret)
        assert codes[0] not in str(kept.mf_recovery_codes)

    other = browser(app)
    assert other.get("/login/second").location == "/login"
    assert log_in(other, person).location == "/login/second"
    assert other.get("/account").status_code == 303
    assert other.get("/login/second").status_code == 200
    assert other.post("/login/second", data={"code": "12"}).status_code == 422
    seen = {"code": totp.at(clock.now() + dt.timedelta(seconds=30))}
    assert other.post("/login/second", data=seen).location == "/"
    assert other.get("/account").status_code == 200
    thief = browser(app)
    log_in(thief, person)
    assert thief.post("/login/second", data=seen).status_code == 422
    assert thief.post("/login/second", data={"code": totp.now()}).status_code == 422

    lost = browser(app)
    log_in(lost, person)
    form = {"code": codes[0].upper(), "recovery": "1"}
    assert "recovery" in lost.get("/login/second?recovery=1").get_data(as_text=True)
    assert lost.post("/login/second", data=form).location == "/"
    again = browser(app)
    log_in(again, person)
    assert again.post("/login/second", data=form).status_code == 422

    assert lost.post("/account/second/codes", data={"current": "wrong"}).status_code == 422
    assert lost.post("/account/second/codes", data={"current": PASSWORD}).status_code == 200
    assert lost.post("/account/second/off", data={"current": "wrong"}).status_code == 422
    assert lost.post("/account/second/off", data={"current": PASSWORD}).status_code == 303
    assert log_in(browser(app), person).location == "/"


def test_the_second_step_ends_after_ten_minutes(app: Flask, person: User) -> None:
    client = browser(app)
    with client.session_transaction() as cookie:
        cookie["kehu_second"] = {"user": str(person.id), "at": clock.now().timestamp() - 700, "next": "/"}
    assert client.get("/login/second").location == "/login"
    assert client.post("/login/second", data={"code": "1"}).location == "/login"


def test_a_switched_off_account_is_out(app: Flask, shop: Shop, person: User) -> None:
    client = browser(app)
    log_in(client, person)
    with shop.work() as session:
        user = session.get(User, person.id)
        assert user is not None
        user.active = False
    assert client.get("/account").status_code == 303
    assert log_in(browser(app), person).status_code == 422


def test_forged_forms_are_refused(app: Flask, person: User) -> None:
    client = browser(app)
    response = client.post("/login", data={"email": person.email, "password": PASSWORD}, forged=True)
    assert response.status_code == 409


def test_sessions_are_forgotten_after_two_months(app: Flask, shop: Shop) -> None:
    shop.client()
    with clock.ahead(dt.timedelta(days=59)):
        forget_sessions()
    with shop.work() as session:
        own = select(LoginSession).where(LoginSession.user_id == shop.owner.user_id)
        assert len(session.execute(own).scalars().all()) == 1
    with clock.ahead(dt.timedelta(days=61)):
        forget_sessions()
    with shop.work() as session:
        assert not session.execute(own).scalars().all()


@pytest.mark.parametrize(
    "password", ["password12345", "Qwerty-2026!", "12345678901", "пароль2026!!", "9876543210", "Mira Sol Sol"]
)
def test_what_is_tried_first_is_no_password(app: Flask, password: str) -> None:
    from kehu.accounts.services import check_password
    from kehu.core.errors import InvalidInput

    with app.test_request_context("/"), pytest.raises(InvalidInput):
        check_password(password, name="Mira Sol Sol", email="mira@example.com")


def test_a_few_words_are_a_password(app: Flask) -> None:
    from kehu.accounts.services import check_password

    with app.test_request_context("/"):
        assert check_password("harbour-demo-2026", name="Mira Sol")
