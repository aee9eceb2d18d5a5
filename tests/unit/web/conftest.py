"""A small application with the frame alone: no database, no feature."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from flask_babel import Babel

from kehu.core import context
from kehu.core.context import Actor, Context, TenantInfo
from kehu.web import pages, style_page
from kehu.web.shell import Command, NavItem, init_shell, shell_of


@pytest.fixture(scope="session")
def frame() -> Flask:
    """An application that draws the style pages for a made-up member."""
    app = Flask("kehu.web", static_folder=None)
    app.secret_key = "test"
    app.testing = True
    Babel(app, locale_selector=lambda: request.cookies.get("kehu_locale") or "en")
    init_shell(app)
    app.register_blueprint(style_page.blueprint)
    shell = shell_of(app)
    shell.nav.append(lambda _: [NavItem("deals", "Deals", "/style/board", "layout-kanban", 3, "g d", True)])
    shell.commands.append(lambda _: [Command("New deal", "/style/dialog", hotkey="c d")])
    app.before_request(_enter)
    assert pages.blueprint.name in app.blueprints
    return app


def _enter() -> None:
    tenant = TenantInfo(id=uuid.UUID(int=1), address="harbour", name="Harbour & Co", currency="GBP")
    context.set_context(
        Context(tenant=tenant, actor=Actor(name="Mira <b>Sol</b>", member_id=uuid.UUID(int=2)))
    )


@pytest.fixture
def client(frame: Flask) -> Iterator[FlaskClient]:
    """A browser of that application."""
    yield frame.test_client()
    context.set_context(Context())


@pytest.fixture
def request_context(frame: Flask) -> Iterator[None]:
    """The inside of a request."""
    with frame.test_request_context("/"):
        yield
