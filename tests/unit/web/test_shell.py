"""The frame: whole pages, parts, toasts, the language switch, the worker."""

from __future__ import annotations

import json

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from jinja2.exceptions import UndefinedError

from kehu.web import toasts
from kehu.web.pages import local_path
from kehu.web.render import render_block

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
PAGES = ["", "list", "board", "record", "ticket", "home", "auth", "public"]


@pytest.mark.parametrize("page", PAGES)
def test_every_sample_page_is_drawn(client: FlaskClient, page: str) -> None:
    answer = client.get(f"/style/{page}")
    assert answer.status_code == 200
    assert answer.text.count("<main ") == 1
    assert "<!doctype html>" in answer.text[:200]


def test_a_boosted_link_gets_main_and_title_alone(client: FlaskClient) -> None:
    answer = client.get("/style/board", headers=PART | {"HX-Target": "main#main"})
    assert answer.text.lstrip().startswith("<title>Deals · Kehu</title><main ")
    assert "<aside" not in answer.text
    assert {"HX-Request", "HX-Target", "HX-Request-Type"} <= set(answer.vary)


def test_a_filter_gets_the_list_alone(client: FlaskClient) -> None:
    answer = client.get("/style/list", headers=PART | {"HX-Target": "div#list"})
    assert answer.text.lstrip().startswith('<div class="k-list" id="list"')
    assert "<main" not in answer.text


def test_history_gets_the_whole_page(client: FlaskClient) -> None:
    answer = client.get(
        "/style/list", headers={"HX-History-Restore-Request": "true", "HX-Request-Type": "full"}
    )
    assert "<aside" in answer.text


def test_names_of_people_are_escaped_everywhere(client: FlaskClient) -> None:
    assert "<b>Sol</b>" not in client.get("/style/home").text


def test_a_macro_can_be_imported_too(frame: Flask) -> None:
    with frame.test_request_context("/"):
        template = frame.jinja_env.from_string(
            '{% from "kehu/ui.html" import button %}{{ button("Save", "primary") }}'
        )
        assert "k-btn-primary" in template.render()


def test_an_undefined_value_is_an_error(frame: Flask) -> None:
    with frame.test_request_context("/"), pytest.raises(UndefinedError):
        frame.jinja_env.from_string("{{ forgotten }}").render()


def test_a_block_of_the_layout_can_be_rendered(frame: Flask) -> None:
    with frame.test_request_context("/"):
        assert render_block("kehu/style/auth.html", "heading") == "Sign in"


def test_a_dialog_opened_by_its_address_is_a_page(client: FlaskClient) -> None:
    answer = client.get("/style/dialog")
    assert answer.text.count("<main ") == 1
    assert '<h1 id="dialog-title" tabindex="-1">New deal</h1>' in answer.text
    assert "<title>New deal · Kehu</title>" in answer.text
    part = client.get("/style/dialog", headers=PART | {"HX-Target": "dialog#dialog"})
    assert part.text.lstrip().startswith("<form ")


def test_a_toast_travels_with_a_part(client: FlaskClient) -> None:
    answer = client.post("/style/toast", headers=PART)
    sent = json.loads(answer.headers["HX-Trigger"])["kehu:toast"]["items"]
    assert sent == [
        {"message": "Moved Shop fit-out to Negotiation", "level": "ok", "undo_url": "/style/undo"}
    ]


def test_a_toast_waits_for_the_next_page(client: FlaskClient) -> None:
    client.post("/style/toast")
    assert "Moved Shop fit-out" in client.get("/style/home").text
    assert "Moved Shop fit-out" not in client.get("/style/home").text


def test_a_trigger_joins_those_that_are_there() -> None:
    response = Response(headers={"HX-Trigger": "kehu:close, kehu:list"})
    toasts.add_trigger(response, "kehu:refresh")
    toasts.add_trigger(response, "kehu:toast", {"message": "Ж"})
    assert json.loads(response.headers["HX-Trigger"]) == {
        "kehu:close": {},
        "kehu:list": {},
        "kehu:refresh": {},
        "kehu:toast": {"message": "Ж"},
    }
    assert response.headers["HX-Trigger"].isascii()


def test_the_language_switch_remembers_and_returns(client: FlaskClient, frame: Flask) -> None:
    answer = client.get("/language/ru?next=/style/home")
    assert answer.headers["Location"] == "/style/home"
    assert "kehu_locale=ru" in answer.headers["Set-Cookie"]
    assert '<html lang="ru"' in client.get("/style/home").text


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/deals?a=1", "/deals?a=1"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ],
)
def test_redirects_stay_on_this_host(target: str, path: str) -> None:
    assert local_path(target) == path


def test_the_theme_comes_from_the_cookie(client: FlaskClient) -> None:
    client.set_cookie("kehu_theme", "dark")
    assert 'data-theme="dark"' in client.get("/style/home").text
    client.set_cookie("kehu_theme", '"><script>')
    assert "data-theme" not in client.get("/style/home").text.split("<head>")[0]


def test_files_are_kept_for_long_and_compressed(client: FlaskClient, frame: Flask) -> None:
    from kehu.web.static import asset_url

    answer = client.get(asset_url("app.js"), headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer.close()


def test_the_worker_stands_at_the_root_and_is_asked_for_each_time(client: FlaskClient) -> None:
    answer = client.get("/sw.js")
    assert answer.mimetype == "application/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_installed_app_carries_the_firm_name(client: FlaskClient) -> None:
    assert client.get("/manifest.webmanifest").get_json(force=True)["name"] == "Harbour & Co"


def test_the_last_error_page_needs_nothing(frame: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> str:
        raise KeyError(name)

    monkeypatch.setattr("kehu.web.shell.asset_url", gone)
    with frame.test_request_context("/"):
        page = frame.jinja_env.get_template("kehu/error.html").render(
            status=500, title="Our mistake", message="<b>"
        )
    assert "&lt;b&gt;" in page
    assert "stylesheet" not in page
